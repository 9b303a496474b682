internal import VoiceCore

/// A time as RTCP carries it (RFC 3550 section 4): seconds in 32.32 fixed point.
///
/// Ours count from the clock's start, not from 1900: section 6.4.1 allows any common clock, and nobody outside needs to
/// know what time it is here.
struct NTPTime: Hashable, Sendable {
    /// Seconds times 2^32.
    var fixed: UInt64

    /// Makes a time out of what a packet holds.
    init(fixed: UInt64) { self.fixed = fixed }

    /// Makes a time out of a clock's; before its start there is only zero.
    init(_ time: Duration) {
        let (seconds, attoseconds) = time.components
        let fraction = UInt64(max(0, attoseconds) / 1_000_000_000) << 32 / 1_000_000_000
        fixed = UInt64(truncatingIfNeeded: max(0, seconds)) << 32 | fraction
    }

    /// The middle 32 bits, in 1/65536 s, which reports use.
    var middle: UInt32 { UInt32(truncatingIfNeeded: fixed >> 16) }
}

extension Duration {
    /// A time in the units of ``NTPTime/middle``.
    init(ntpUnits: UInt32) { self = .nanoseconds(Int64(ntpUnits) * 1_000_000_000 / 65_536) }

    /// The time in the units of ``NTPTime/middle``, at most what 32 bits hold: 18 hours.
    var ntpUnits: UInt32 { NTPTime(min(self, .seconds(65_535))).middle }
}
