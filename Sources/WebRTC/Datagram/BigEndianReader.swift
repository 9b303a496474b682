/// Reads numbers in network byte order from bytes of a stranger; every read says nil beyond the end.
struct BigEndianReader {
    private let bytes: ArraySlice<UInt8>
    private var position: Int

    /// Reads from the first of `bytes`.
    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        position = bytes.startIndex
    }

    /// Bytes that are left.
    var remaining: Int { bytes.endIndex - position }

    /// The next number, or nil when too few bytes are left.
    mutating func next<Number: FixedWidthInteger & UnsignedInteger>(_: Number.Type) -> Number? {
        guard let field = next(count: Number.bitWidth / 8) else { return nil }
        return field.reduce(0) { $0 << 8 | Number($1) }
    }

    /// The next `count` bytes, or nil when fewer are left.
    mutating func next(count: Int) -> ArraySlice<UInt8>? {
        guard count >= 0, count <= remaining else { return nil }
        defer { position += count }
        return bytes[position..<position + count]
    }

    /// Everything that is left.
    mutating func rest() -> ArraySlice<UInt8> {
        defer { position = bytes.endIndex }
        return bytes[position...]
    }

    /// Skips up to `count` bytes.
    mutating func skip(upTo count: Int) { position += min(count, remaining) }
}

extension [UInt8] {
    /// Appends a number in network byte order.
    mutating func appendBigEndian<Number: FixedWidthInteger & UnsignedInteger>(_ number: Number) {
        for shift in stride(from: Number.bitWidth - 8, through: 0, by: -8) {
            append(UInt8(truncatingIfNeeded: number >> shift))
        }
    }

    /// Appends zeros up to a multiple of four, as SCTP pads chunks and parameters (RFC 9260 section 3.2).
    mutating func padToFour() {
        while count % 4 != 0 { append(0) }
    }

    /// Overwrites two bytes with a number in network byte order; `index` must lie inside.
    mutating func replaceBigEndian(at index: Int, with number: UInt16) {
        self[index] = UInt8(truncatingIfNeeded: number >> 8)
        self[index + 1] = UInt8(truncatingIfNeeded: number)
    }
}
