/// How much may be in flight (RFC 9260 section 7.2).
struct CongestionWindow: Sendable {
    private static let packet = SCTPConfiguration.maximumPacketLength - SCTPPacket.headerLength
    /// Packets that may follow one acknowledgement at once (section 7.2.4 and 16: Max.Burst).
    private static let burst = 4

    /// Bytes that may be in flight.
    private(set) var size = min(4 * packet, max(2 * packet, 4404))
    private var threshold = Int.max
    private var partiallyAcknowledged = 0
    /// In fast recovery, the TSN whose acknowledgement ends it.
    private(set) var recoveryExit: TSN?

    /// True when `flight` bytes leave room for more.
    func admits(flight: Int) -> Bool { flight < size }

    /// Takes an acknowledgement that moved the cumulative TSN to `cumulative`.
    ///
    /// - Parameters:
    ///   - bytes: how many it newly acknowledged.
    ///   - flight: bytes in flight before it.
    ///   - isEmpty: nothing is in flight after it.
    mutating func acknowledge(_ bytes: Int, flight: Int, isEmpty: Bool, cumulative: TSN) {
        if let exit = recoveryExit {
            if !exit.isAfter(cumulative) { recoveryExit = nil }
        } else if size <= threshold {
            // Slow start (section 7.2.1): only while the window is used up.
            if flight >= size { size += min(bytes, Self.packet) }
        } else {
            // Congestion avoidance (section 7.2.2).
            partiallyAcknowledged += bytes
            if partiallyAcknowledged >= size, flight >= size {
                partiallyAcknowledged -= size
                size += Self.packet
            }
        }
        if isEmpty { partiallyAcknowledged = 0 }
    }

    /// Gaps show a loss: halves the window and recovers until `highest` is acknowledged (section 7.2.3 and 7.2.4).
    mutating func enterRecovery(until highest: TSN) {
        guard recoveryExit == nil else { return }
        recoveryExit = highest
        threshold = max(size / 2, 4 * Self.packet)
        size = threshold
        partiallyAcknowledged = 0
    }

    /// Nothing was acknowledged for the length of a timeout (section 7.2.3).
    mutating func timeOut() {
        threshold = max(size / 2, 4 * Self.packet)
        size = Self.packet
        partiallyAcknowledged = 0
        recoveryExit = nil
    }

    /// Before sending: no more than a burst beyond what is in flight (section 7.2.4, rule D of section 6.1).
    mutating func limitBurst(flight: Int) { size = min(size, flight + Self.burst * Self.packet) }
}
