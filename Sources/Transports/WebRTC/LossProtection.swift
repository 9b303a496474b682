internal import Audio
internal import VoiceCore

/// How a reply is coded, by what the other side reports of its packets: for the least delay while they arrive, and with what was in
/// the packet before once some are lost.
///
/// A value. The way of coding changes where nothing is heard, since the codec begins anew; at once where so much is lost that it makes
/// no difference.
struct LossProtection: Sendable {
    /// From this share of lost packets on they are protected: a loss a second.
    private static let least = 0.02
    /// From this share on at once.
    private static let heavy = 0.05
    /// So much is reckoned with at most; more correction would take too much from the sound itself.
    private static let most = 0.25
    /// For how long after the latest loss that called for it the protection stays.
    private static let memory = Duration.seconds(30)
    /// Samples below this are not heard: -50 dB of full scale.
    private static let inaudible: Float = 0.003

    /// How to encode now.
    private(set) var settings = Self.unprotected
    private var reported = 0.0
    private var latest: Duration?

    /// How to encode what is not lost.
    private static var unprotected: OpusEncoder.Settings {
        var settings = OpusEncoder.Settings()
        settings.isLowDelay = true
        settings.expectedLoss = 0
        // As good as with 32 000 and the model of a voice.
        settings.bitRate = 40_000
        return settings
    }

    /// Nothing is lost so far.
    init() {}

    /// Takes what is known before the next packet.
    ///
    /// - Parameters:
    ///   - share: the share of packets that the other side's latest report says are lost; nil before the first.
    ///   - samples: what is to be encoded next.
    /// - Returns: true when ``settings`` have changed.
    mutating func advance(lost share: Double?, before samples: [Float], at now: Duration) -> Bool {
        if let share, share >= Self.least { latest = now }
        let share = min(share ?? 0, Self.most)
        let isNeeded = latest.map { now - $0 < Self.memory } ?? false
        guard isNeeded == settings.isLowDelay else {
            // Of the protection only its strength may change; it does with a report.
            guard isNeeded, share != reported, share >= Self.least else { return false }
            reported = share
            settings.expectedLoss = share
            return true
        }
        guard share >= Self.heavy || samples.allSatisfy({ abs($0) < Self.inaudible }) else { return false }
        reported = share
        settings = isNeeded ? OpusEncoder.Settings() : Self.unprotected
        guard isNeeded else { return true }
        settings.expectedLoss = max(share, Self.least)
        return true
    }
}
