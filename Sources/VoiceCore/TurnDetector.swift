/// An engine that judges from the sound of a turn whether the speaker has finished.
public protocol TurnDetector: Sendable {
    /// The model's name.
    var name: String { get }

    /// The probability in [0, 1] that the speaker has finished.
    ///
    /// - Parameter turn: the turn so far with the silence after it; mono, 16 kHz, in [-1, 1]. Engines look at the
    ///   last seconds only (8 for Smart Turn). Empty or all-zero audio gives 0.
    func endProbability(ofTurn turn: [Float]) async throws(VoiceError) -> Float
}
