/// Tells the quiet parts of a stream: what is about as faint as its faintest of late, or cannot be heard at all.
struct QuietSound: Sendable {
    /// Amplitudes below this cannot be heard: -50 dB of full scale.
    private static let inaudible: Float = 0.003
    /// So much above the faintest is still quiet: 3 dB.
    private static let margin: Float = 2
    /// The faintest is forgotten at this pace, for each packet: 3 dB in 0.7 s of packets of 20 ms.
    private static let forgetting: Float = 1.02

    /// The power of the faintest.
    private var floor = Float.infinity

    /// Knows nothing.
    init() {}

    /// Takes the next samples.
    ///
    /// - Returns: true when they are quiet.
    mutating func observe(_ samples: [Float]) -> Bool {
        guard !samples.isEmpty else { return true }
        let power = samples.reduce(0) { $0 + $1 * $1 } / Float(samples.count)
        floor = max(min(power, floor * Self.forgetting), Self.inaudible * Self.inaudible)
        return power <= Self.margin * floor
    }
}
