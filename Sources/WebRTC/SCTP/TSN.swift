/// A transmission sequence number: it counts DATA chunks, and wraps (RFC 9260 section 1.6: serial number arithmetic of RFC 1982).
struct TSN: Hashable, Sendable {
    let value: UInt32

    init(_ value: UInt32) { self.value = value }

    /// The next one.
    var next: TSN { advanced(by: 1) }
    /// The one before.
    var previous: TSN { TSN(value &- 1) }

    /// The one `count` later.
    func advanced(by count: Int) -> TSN { TSN(value &+ UInt32(truncatingIfNeeded: count)) }

    /// How many later `other` is, modulo 2³².
    func distance(to other: TSN) -> Int { Int(other.value &- value) }

    /// True when this comes after `other`.
    func isAfter(_ other: TSN) -> Bool { Int32(bitPattern: value &- other.value) > 0 }
}

/// The order of stream sequence numbers, which wrap at 16 bits (RFC 9260 section 6.5).
enum StreamSequence {
    /// True when `number` comes after `other`.
    static func isAfter(_ number: UInt16, _ other: UInt16) -> Bool { Int16(bitPattern: number &- other) > 0 }
}
