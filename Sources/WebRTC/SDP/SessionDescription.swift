internal import VoiceCore

/// A session description (RFC 8866), as far as it matters here: media sections and attributes.
///
/// Everything that may be written back into an answer is a token without spaces or control characters.
struct SessionDescription: Sendable {
    /// `a=name:value` or `a=name`.
    struct Attribute: Hashable, Sendable {
        var name: String
        /// Empty when there is none.
        var value: String
    }

    /// A media section, `m=kind port transport formats` and its attributes.
    struct Media: Hashable, Sendable {
        var kind: String
        var port: UInt16
        var transport: String
        var formats: [String]
        var attributes: [Attribute] = []
    }

    /// Bounds on what comes from outside: Chromium's offer with three media and a data channel has 13 kB and 270 lines.
    static let sizeLimit = 1 << 16
    static let lineLimit = 2000
    static let mediaLimit = 32

    /// The attributes before the first media section.
    private(set) var attributes: [Attribute] = []
    /// The media sections in order.
    private(set) var media: [Media] = []

    /// Parses a description; lines may end with CRLF or LF.
    ///
    /// - Throws: ``VoiceError/Code/malformedInput`` with the number of the line that is wrong.
    init(_ text: String) throws(VoiceError) {
        guard text.utf8.count <= Self.sizeLimit else {
            throw Self.malformed("has \(text.utf8.count) bytes, more than \(Self.sizeLimit)")
        }
        let lines = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        guard lines.count <= Self.lineLimit else {
            throw Self.malformed("has \(lines.count) lines, more than \(Self.lineLimit)")
        }
        for (number, bytes) in zip(1..., lines) {
            let line = bytes.last == UInt8(ascii: "\r") ? bytes.dropLast() : bytes
            if line.isEmpty { continue }
            guard Self.isLine(line) else { throw Self.malformed("has a line \(number) that is not `x=...`") }
            let value = String(Substring(line.dropFirst(2)))
            if number == 1 {
                guard line.elementsEqual("v=0".utf8) else { throw Self.malformed("does not begin with v=0") }
            }
            switch line.first {
            case UInt8(ascii: "m"):
                guard media.count < Self.mediaLimit else {
                    throw Self.malformed("has more than \(Self.mediaLimit) media")
                }
                guard let section = Media(value) else { throw Self.malformed("has a malformed media line \(number)") }
                media.append(section)
            case UInt8(ascii: "a"):
                let parts = value.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
                let attribute = Attribute(name: String(parts[0]), value: parts.count > 1 ? String(parts[1]) : "")
                if media.isEmpty {
                    attributes.append(attribute)
                } else {
                    media[media.count - 1].attributes.append(attribute)
                }
            default: break
            }
        }
        guard lines.first?.starts(with: "v=0".utf8) == true else { throw Self.malformed("does not begin with v=0") }
        guard !media.isEmpty else { throw Self.malformed("has no media") }
    }

    /// The value of the first attribute of a name in a section, or else of the session.
    func value(_ name: String, in section: Media) -> String? {
        section.attributes.value(name) ?? attributes.value(name)
    }

    /// An error whose message says what a description is like that cannot be accepted.
    static func malformed(_ complaint: String) -> VoiceError {
        VoiceError(.malformedInput, "the session description \(complaint)")
    }

    private static func isLine(_ line: Substring.UTF8View.SubSequence) -> Bool {
        guard let type = line.first, (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(type) else { return false }
        return line.dropFirst().first == UInt8(ascii: "=") && line.allSatisfy { $0 >= 0x20 || $0 == 0x09 }
    }
}

extension SessionDescription.Media {
    fileprivate init?(_ line: String) {
        let words = line.split(separator: " ")
        guard words.count >= 4, words.count <= 128, let port = UInt16(words[1].prefix { $0 != "/" }), words[0].isToken,
            words[2].split(separator: "/", omittingEmptySubsequences: false).allSatisfy(\.isToken),
            words[3...].allSatisfy(\.isToken)
        else { return nil }
        self.init(
            kind: String(words[0]),
            port: port,
            transport: String(words[2]),
            formats: words[3...].map { String($0) }
        )
    }

    /// The payload types and encodings (`a=rtpmap`) of this section's formats, in the order of the formats.
    var encodings: [(type: UInt8, name: String)] {
        formats.compactMap { format in
            guard let type = UInt8(format), type < 128 else { return nil }
            let prefix = format + " "
            let map = attributes.first { $0.name == "rtpmap" && $0.value.hasPrefix(prefix) }
            return map.map { (type, $0.value.dropFirst(prefix.count).trimmingSpaces) }
        }
    }
}

extension [SessionDescription.Attribute] {
    /// The value of the first attribute of a name.
    func value(_ name: String) -> String? { first { $0.name == name }?.value }
}

extension StringProtocol {
    /// True for a `token` (RFC 8866 section 9) of at most 255 characters.
    var isToken: Bool {
        !isEmpty && utf8.count <= 255
            && utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && !Array("\"(),/:;<=>?@[\\]".utf8).contains($0) }
    }

    fileprivate var trimmingSpaces: String { String(split(separator: " ").joined(separator: " ")) }
}
