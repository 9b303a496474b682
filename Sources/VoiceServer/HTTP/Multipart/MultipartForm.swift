internal import NIOCore
internal import VoiceCore

/// A form in memory: its fields in order, and its files.
struct MultipartForm: Sendable, Equatable {
    /// A field without a file.
    struct Field: Sendable, Equatable {
        var name: String
        var value: String
    }

    /// A field with a file.
    struct File: Sendable, Equatable {
        var field: String
        var name: String
        var bytes: [UInt8]
    }

    private(set) var fields: [Field] = []
    private(set) var files: [File] = []

    /// The most bytes of a field that is no file.
    static let fieldLimit = 64 * 1024

    private struct Part {
        var name: String
        var fileName: String?
        var bytes: [UInt8] = []
    }

    /// Reads a whole body.
    ///
    /// - Throws: ``VoiceError/Code/malformedInput`` if it is no complete form, or a field has no name, is no text or too long.
    init(contentType: String, body: [ByteBuffer]) throws(VoiceError) {
        var parser = try MultipartParser(contentType: contentType)
        var part: Part?
        for piece in body {
            for event in try parser.feed(piece.readableBytesView) {
                switch event {
                case .part(let headers): part = try Self.part(headers)
                case .data(let bytes):
                    part?.bytes.append(contentsOf: bytes)
                    guard let part, part.fileName != nil || part.bytes.count <= Self.fieldLimit else {
                        throw VoiceError(.malformedInput, "the form's field '\(part?.name ?? "")' is too long")
                    }
                case .end:
                    if let part { try take(part) }
                    part = nil
                }
            }
        }
        try parser.finish()
    }

    /// RFC 7578 section 4.2
    private static func part(_ headers: [String: String]) throws(VoiceError) -> Part {
        let disposition = HeaderValue(headers["content-disposition"] ?? "")
        guard disposition.value.lowercased() == "form-data", let name = disposition.parameters["name"] else {
            throw VoiceError(.malformedInput, "the form is damaged: a part has no name")
        }
        return Part(name: name, fileName: disposition.parameters["filename"])
    }

    private mutating func take(_ part: Part) throws(VoiceError) {
        if let fileName = part.fileName {
            files.append(File(field: part.name, name: fileName, bytes: part.bytes))
        } else if let value = String(validating: part.bytes, as: UTF8.self) {
            fields.append(Field(name: part.name, value: value))
        } else {
            throw VoiceError(.malformedInput, "the form's field '\(part.name)' is not UTF-8")
        }
    }
}
