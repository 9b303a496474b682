internal import VoiceCore

/// Takes a `multipart/form-data` body apart as it comes (RFC 7578, RFC 2046 section 5.1.1).
///
/// **Feed every piece once, in order, then finish; after an error feed nothing more.** What comes out does not depend on how
/// the body is cut into pieces, but for the borders of `data`. Any bytes are legal input.
struct MultipartParser: Sendable {
    /// What a piece of the body brought.
    enum Event: Sendable, Equatable {
        /// A part begins: its headers, names in lower case.
        case part([String: String])
        /// The next bytes of the running part; never empty.
        case data([UInt8])
        /// The running part is complete.
        case end
    }

    private enum State: Equatable { case preamble, delimiter, headers, data, epilogue }

    /// The most bytes of one part's headers.
    static let headerLimit = 8 * 1024
    /// The most parts of a form.
    static let partLimit = 64

    /// CR LF "--" and the boundary.
    private let delimiter: [UInt8]
    private var state = State.preamble
    /// What has come and is not understood yet.
    private var pending: [UInt8]
    private var parts = 0

    /// Makes a parser for the boundary that a header `Content-Type` names.
    ///
    /// - Throws: ``VoiceError/Code/malformedInput`` if the header names no multipart form or no legal boundary.
    init(contentType: String) throws(VoiceError) {
        let header = HeaderValue(contentType)
        guard header.value.lowercased() == "multipart/form-data" else {
            throw VoiceError(
                .malformedInput,
                "send the file as multipart/form-data, not as '\(header.value.prefix(60))'"
            )
        }
        // RFC 2046: 1 to 70 characters, none of which can break a line.
        guard let boundary = header.parameters["boundary"], (1...70).contains(boundary.utf8.count),
            boundary.utf8.allSatisfy({ (0x20...0x7E).contains($0) }), boundary.utf8.last != 0x20
        else { throw VoiceError(.malformedInput, "the header Content-Type names no legal boundary") }
        delimiter = Array("\r\n--\(boundary)".utf8)
        // The first delimiter has no line before it.
        pending = [0x0D, 0x0A]
    }

    /// Takes the next piece of the body.
    ///
    /// - Throws: ``VoiceError/Code/malformedInput`` if it is no form, or one with too many parts or too long headers.
    mutating func feed(_ bytes: some Sequence<UInt8>) throws(VoiceError) -> [Event] {
        pending.append(contentsOf: bytes)
        var events: [Event] = []
        while try advance(&events) {}
        return events
    }

    /// Hears that the body is over.
    ///
    /// - Throws: ``VoiceError/Code/malformedInput`` if the form is not complete.
    func finish() throws(VoiceError) {
        guard state == .epilogue else {
            throw VoiceError(.malformedInput, "the form ends before its last boundary; it was cut off on the way")
        }
    }

    /// Understands a little more; false if it needs more bytes.
    private mutating func advance(_ events: inout [Event]) throws(VoiceError) -> Bool {
        switch state {
        case .preamble, .data: return takeData(&events)
        case .delimiter: return try takeDelimiterEnd()
        case .headers: return try takeHeaders(&events)
        case .epilogue:
            pending.removeAll()
            return false
        }
    }

    /// Takes what comes before the next delimiter, but not what may be the beginning of one.
    private mutating func takeData(_ events: inout [Event]) -> Bool {
        let (end, isWhole) = Self.find(delimiter, in: pending)
        if state == .data, end > 0 { events.append(.data(Array(pending[..<end]))) }
        guard isWhole else {
            pending.removeFirst(end)
            return false
        }
        if state == .data { events.append(.end) }
        pending.removeFirst(end + delimiter.count)
        state = .delimiter
        return true
    }

    /// Takes what may follow a boundary: "--" at the end of the form, else white space and the end of the line.
    private mutating func takeDelimiterEnd() throws(VoiceError) -> Bool {
        if pending.starts(with: [0x2D, 0x2D]) {
            state = .epilogue
            return true
        }
        let padding = pending.prefix { $0 == 0x20 || $0 == 0x09 }.count
        let rest = pending.dropFirst(padding)
        guard rest.count >= 2, padding <= Self.headerLimit else {
            let isPossible = padding <= Self.headerLimit && [[], [0x0D], [0x2D]].contains(Array(rest))
            guard isPossible else { throw Self.damage("a boundary is followed by something else than a line end") }
            return false
        }
        guard rest.starts(with: [0x0D, 0x0A]) else {
            throw Self.damage("a boundary is followed by something else than a line end")
        }
        parts += 1
        guard parts <= Self.partLimit else { throw Self.damage("it has more than \(Self.partLimit) parts") }
        // The line end stays: headers that are none at all end with it.
        pending.removeFirst(padding)
        state = .headers
        return true
    }

    private mutating func takeHeaders(_ events: inout [Event]) throws(VoiceError) -> Bool {
        let (end, isWhole) = Self.find([0x0D, 0x0A, 0x0D, 0x0A], in: pending.prefix(Self.headerLimit + 4))
        guard isWhole else {
            guard pending.count <= Self.headerLimit else { throw Self.damage("a part's headers are too long") }
            return false
        }
        guard let text = String(validating: pending[..<end], as: UTF8.self) else {
            throw Self.damage("a part's headers are not UTF-8")
        }
        var headers: [String: String] = [:]
        for line in text.split(separator: "\r\n") {
            guard let colon = line.firstIndex(of: ":") else { throw Self.damage("a part's header has no colon") }
            headers[line[..<colon].lowercased()] = String(line[line.index(after: colon)...])
        }
        pending.removeFirst(end + 4)
        events.append(.part(headers))
        state = .data
        return true
    }

    /// Where `pattern` begins in `bytes`, or where the part of it begins that may stand at the end.
    private static func find(_ pattern: [UInt8], in bytes: some RandomAccessCollection<UInt8>) -> (Int, isWhole: Bool) {
        let bytes = Array(bytes)
        let (text, wanted) = (bytes.span, pattern.span)
        var start = 0
        while start < text.count {
            if text[start] == wanted[0] {
                var length = 1
                while length < wanted.count, start + length < text.count, text[start + length] == wanted[length] {
                    length += 1
                }
                if length == wanted.count { return (start, true) }
                if start + length == text.count { return (start, false) }
            }
            start += 1
        }
        return (text.count, false)
    }

    private static func damage(_ what: String) -> VoiceError {
        VoiceError(.malformedInput, "the form is damaged: \(what)")
    }
}
