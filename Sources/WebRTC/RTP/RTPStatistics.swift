/// How audio travels, both ways, as far as is known.
package struct RTPStatistics: Sendable, Equatable {
    /// Packets that came in from the stream heard last, with duplicates.
    package var received = 0
    /// Packets of it that did not come; less than zero with duplicates.
    package var lost = 0
    /// Its interarrival jitter (RFC 3550 appendix A.8).
    package var jitter = Duration.zero
    /// Packets that we sent.
    package var sent = 0
    /// Packets of ours that did not arrive, says the other side; nil until it says so.
    package var remoteLost: Int?
    /// The share of them in the time of its last report, 0 to 1.
    package var remoteFractionLost: Double?
    /// The jitter of our packets, says the other side.
    package var remoteJitter: Duration?
    /// From here to there and back, without the time spent there (RFC 3550 section 6.4.1).
    package var roundTrip: Duration?
    /// Requests to send a packet or a whole picture again, which we do not do: what is late in a conversation is useless.
    package var repeatRequests = 0
}
