/// A key on its way as RTP (RFC 4733 section 2.3): one packet after the other for as long as it is pressed, all with the
/// timestamp of the beginning.
struct TelephoneEvent: Hashable, Sendable {
    /// `0` to `9`, `*`, `#`, `A` to `D`.
    var digit: Character

    /// Parses a payload; nil when it is no key (section 3.2).
    init?(payload: [UInt8]) {
        let digits = Array("0123456789*#ABCD")
        guard payload.count >= 4, Int(payload[0]) < digits.count else { return nil }
        digit = digits[Int(payload[0])]
    }
}
