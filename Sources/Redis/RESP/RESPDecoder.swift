package import NIOCore
package import VoiceCore

/// Reads the values of a stream of bytes, RESP version 2, as they come.
///
/// A value: **feed what came, then take values with ``next()`` until there is none.** What one value may take is bounded, before it is
/// there. A stream that broke the rules once stays broken: nobody knows where the next value would begin.
///
/// Source: https://redis.io/docs/latest/develop/reference/protocol-spec/.
package struct RESPDecoder: Sendable {
    /// What one value may take, everything in it together.
    package struct Limits: Sendable {
        /// Bytes.
        package var bytes: Int
        /// Values, those in arrays counted one by one.
        package var values: Int
        /// Arrays in arrays.
        package var depth: Int

        /// Makes limits.
        package init(bytes: Int = 32 << 20, values: Int = 1 << 16, depth: Int = 8) {
            self.bytes = bytes
            self.values = values
            self.depth = depth
        }
    }

    /// An array of which elements are missing.
    private struct OpenArray {
        var missing: Int
        var elements: [RESPValue]
    }

    /// The longest line: type, number or simple string. As Redis' own bound, `PROTO_INLINE_MAX_SIZE` of src/server.h, 7.0.
    private static let longestLine = 64 << 10

    private let limits: Limits
    private var buffer = ByteBuffer()
    /// Bytes of the buffer's unread ones that hold no line end.
    private var scanned = 0
    private var open: [OpenArray] = []
    /// The bytes of the bulk string whose length was read.
    private var bulk: Int?
    /// What the value that is being read has taken so far.
    private var usedBytes = 0
    private var usedValues = 0
    private var failure: VoiceError?

    /// Makes a decoder for the beginning of a stream.
    package init(limits: Limits = Limits()) { self.limits = limits }

    /// Takes what came.
    package mutating func feed(_ bytes: ByteBuffer) {
        guard failure == nil else { return }
        var bytes = bytes
        if buffer.readableBytes == 0 { buffer.clear() }
        buffer.writeBuffer(&bytes)
    }

    /// The next whole value; nil if more has to come first.
    /// - Throws: `malformedInput` when it is no RESP, `exhausted` when it is too large; every time from then on.
    package mutating func next() throws(VoiceError) -> RESPValue? {
        if let failure { throw failure }
        do {
            while let value = try element() {
                if let whole = close(over: value) {
                    (usedBytes, usedValues) = (0, 0)
                    buffer.discardReadBytes()
                    return whole
                }
            }
            return nil
        } catch {
            failure = error
            buffer.clear()
            open = []
            throw error
        }
    }

    /// Puts a value into the innermost open array.
    /// - Returns: what is whole now and in no array.
    private mutating func close(over value: RESPValue) -> RESPValue? {
        var value = value
        while let index = open.indices.last {
            open[index].elements.append(value)
            open[index].missing -= 1
            guard open[index].missing == 0 else { return nil }
            value = .list(open.removeLast().elements)
        }
        return value
    }

    /// The next value that is no array with elements; such an array is opened.
    private mutating func element() throws(VoiceError) -> RESPValue? {
        if let bulk { return try string(of: bulk) }
        while let line = try line() {
            usedValues += 1
            guard usedValues <= limits.values else { throw tooLarge("\(limits.values) values") }
            guard let sign = line.first else { throw Self.malformed("an empty line") }
            let rest = line.dropFirst()
            switch sign {
            case UInt8(ascii: "+"): return .text(String(decoding: rest, as: UTF8.self))
            case UInt8(ascii: "-"): return .failure(String(decoding: rest, as: UTF8.self))
            case UInt8(ascii: ":"): return .number(try number(rest))
            case UInt8(ascii: "$"):
                guard let count = try count(rest) else { return .null }
                guard usedBytes + count <= limits.bytes else { throw tooLarge("\(limits.bytes) bytes") }
                bulk = count
                return try string(of: count)
            case UInt8(ascii: "*"):
                guard let count = try count(rest) else { return .null }
                if count == 0 { return .list([]) }
                guard usedValues + count <= limits.values else { throw tooLarge("\(limits.values) values") }
                guard open.count < limits.depth else { throw tooLarge("\(limits.depth) arrays in each other") }
                open.append(OpenArray(missing: count, elements: []))
            default: throw Self.malformed("the type \(Self.quoted(line.prefix(1)))")
            }
        }
        return nil
    }

    /// The bytes of a bulk string and its end, if they are there.
    private mutating func string(of count: Int) throws(VoiceError) -> RESPValue? {
        guard buffer.readableBytes >= count + 2 else { return nil }
        let bytes = buffer.readBytes(length: count) ?? []
        guard buffer.readBytes(length: 2) == [0x0d, 0x0a] else {
            throw Self.malformed("a string that is longer than it says")
        }
        bulk = nil
        usedBytes += count
        return .bytes(bytes)
    }

    /// The next line without its end, if it is there.
    private mutating func line() throws(VoiceError) -> [UInt8]? {
        let unread = buffer.readableBytesView
        guard let end = unread.dropFirst(scanned).firstIndex(of: 0x0a) else {
            scanned = unread.count
            guard scanned <= Self.longestLine else { throw tooLarge("\(Self.longestLine) bytes in a line") }
            return nil
        }
        let length = end - unread.startIndex
        guard length <= Self.longestLine else { throw tooLarge("\(Self.longestLine) bytes in a line") }
        scanned = 0
        guard var line = buffer.readBytes(length: length + 1), line.dropLast().last == 0x0d else {
            throw Self.malformed("a line that does not end in CR LF")
        }
        line.removeLast(2)
        guard !line.contains(0x0d) else { throw Self.malformed("a CR within a line") }
        usedBytes += line.count
        guard usedBytes <= limits.bytes else { throw tooLarge("\(limits.bytes) bytes") }
        return line
    }

    /// The number of bytes or elements that follow; nil for the null value.
    private func count(_ digits: ArraySlice<UInt8>) throws(VoiceError) -> Int? {
        if digits.elementsEqual("-1".utf8) { return nil }
        guard let first = digits.first, (0x30...0x39).contains(first) else {
            throw Self.malformed("the length \(Self.quoted(digits))")
        }
        let count = try number(digits)
        // Keeps sums within an Int.
        guard count <= Int(Int32.max) else { throw tooLarge("a length of \(count)") }
        return count
    }

    private func number(_ digits: ArraySlice<UInt8>) throws(VoiceError) -> Int {
        let text = String(decoding: digits, as: UTF8.self)
        guard let number = Int(text) else { throw Self.malformed("the number \(Self.quoted(digits))") }
        return number
    }

    private func tooLarge(_ what: String) -> VoiceError {
        VoiceError(.exhausted, "Redis sent a reply of more than \(what): that is not read")
    }

    private static func malformed(_ what: String) -> VoiceError {
        VoiceError(.malformedInput, "Redis sent \(what), which is no RESP: is it a Redis server?")
    }

    private static func quoted(_ bytes: some Sequence<UInt8>) -> String {
        "'" + bytes.prefix(40).map { (0x20..<0x7f).contains($0) ? String(UnicodeScalar($0)) : "?" }.joined() + "'"
    }
}
