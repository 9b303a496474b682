package import VoiceCore

/// Takes a stream of server-sent events apart: bytes in, the data of events out.
///
/// Source: WHATWG HTML, section 9.2.6, "Interpreting an event stream". Names, identifiers and times of events are
/// ignored: neither chat completions nor MCP needs them. A value; however the bytes are split, the events are the same.
package struct ServerSentEvents: Sendable {
    /// A longer line or event is refused, in bytes.
    private let longest: Int
    private var line: [UInt8] = []
    private var data: [UInt8] = []
    private var hasData = false
    private var skipsLineFeed = false

    /// Makes a parser at the start of a stream.
    /// - Parameter longest: the most bytes of one event.
    package init(longest: Int = 1 << 20) { self.longest = longest }

    /// Takes the next bytes and gives the data of the events that they complete.
    /// - Throws: ``VoiceError/Code/malformedInput`` for a line or an event that is too long.
    package mutating func feed(_ bytes: some Sequence<UInt8>) throws(VoiceError) -> [String] {
        var events: [String] = []
        for byte in bytes {
            let follows = skipsLineFeed
            skipsLineFeed = false
            switch byte {
            case UInt8(ascii: "\n") where follows: continue
            case UInt8(ascii: "\n"), UInt8(ascii: "\r"):
                skipsLineFeed = byte == UInt8(ascii: "\r")
                if let event = endLine() { events.append(event) }
            default:
                guard line.count + data.count < longest else {
                    throw VoiceError(.malformedInput, "it sends an event of more than \(longest) bytes")
                }
                line.append(byte)
            }
        }
        return events
    }

    private mutating func endLine() -> String? {
        defer { line.removeAll(keepingCapacity: true) }
        guard !line.isEmpty else {
            defer {
                data.removeAll(keepingCapacity: true)
                hasData = false
            }
            return hasData ? String(decoding: data, as: UTF8.self) : nil
        }
        let name = line.prefix { $0 != UInt8(ascii: ":") }
        guard name.elementsEqual("data".utf8) else { return nil }
        var value = line.dropFirst(name.count + 1)
        if value.first == UInt8(ascii: " ") { value = value.dropFirst() }
        if hasData { data.append(UInt8(ascii: "\n")) }
        data += value
        hasData = true
        return nil
    }
}
