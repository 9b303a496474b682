/// Gives packets numbers that do not wrap, and finds those that come twice or belong to another stream (RFC 3550 appendix A.1).
struct PacketOrder: Sendable {
    /// What a packet is.
    enum Place: Sendable, Equatable {
        /// One that has not come before: its number, and where it begins, in samples at 48 kHz.
        case new(sequence: Int, start: Int)
        case duplicate
        /// Its numbers do not fit; the next one may show that the stream has begun again.
        case strange
        /// The second in a row of another stream: forget this one.
        case restart
    }

    /// Jumps of sequence numbers that are no loss and no detour: MAX_DROPOUT and MAX_MISORDER.
    private static let longestDropout = 3_000
    private static let longestMisorder = 100

    private var newest: (sequence: Int, start: Int)?
    /// Numbers that have come, some more than the last ``longestMisorder``.
    private var seen: Set<Int> = []
    private var strange: UInt16?

    /// Nothing has come.
    init() {}

    /// Takes a packet.
    ///
    /// - Parameter fits: says whether a packet that begins there may arrive now.
    mutating func place(_ packet: JitterBuffer.Packet, fits: (_ start: Int) -> Bool) -> Place {
        // Away from zero, so that an older one is not negative.
        let newest = newest ?? (0x10000 + Int(packet.sequence), 0x1_0000_0000 + Int(packet.timestamp))
        let ahead = Int(Int16(bitPattern: packet.sequence &- UInt16(truncatingIfNeeded: newest.sequence)))
        let sequence = newest.sequence + ahead
        let start = newest.start + Int(Int32(bitPattern: packet.timestamp &- UInt32(truncatingIfNeeded: newest.start)))
        guard ahead <= Self.longestDropout, ahead >= -Self.longestMisorder, fits(start) else {
            defer { strange = packet.sequence }
            return strange.map { $0 &+ 1 } == packet.sequence ? .restart : .strange
        }
        strange = nil
        if self.newest == nil || ahead > 0 { self.newest = (sequence, start) }
        guard seen.insert(sequence).inserted else { return .duplicate }
        if seen.count > 2 * Self.longestMisorder {
            let oldest = newest.sequence - Self.longestMisorder
            seen = seen.filter { $0 >= oldest }
        }
        return .new(sequence: sequence, start: start)
    }
}
