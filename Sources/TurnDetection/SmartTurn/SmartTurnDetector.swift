internal import Inference
public import VoiceCore

/// Smart Turn v3 on ggml: from the sound of a turn, the probability that the speaker has finished.
///
/// One detector serves any number of sessions; verdicts are made one after the other on a thread of its own. One costs
/// about 60 ms of a core (AMD EPYC, Zen 4; MODEL.md).
public struct SmartTurnDetector: TurnDetector {
    /// The model's name, from its file.
    public let name: String

    private let engine: SmartTurnEngine

    /// Loads the model.
    /// - Parameters:
    ///   - path: the GGUF file that `Tools/convert/smart_turn.py` writes.
    ///   - threads: threads that work on one verdict, the detector's own included.
    /// - Throws: ``VoiceError/Code/missingInput`` when there is no such file, ``VoiceError/Code/malformedInput`` when it
    ///   is damaged or another model's.
    public init(path: String, threads: Int = 1) async throws(VoiceError) {
        let file = try GGUFFile(path: path)
        name = try file.string("general.name")
        engine = try SmartTurnEngine(file, threads: threads)
    }

    /// The probability in [0, 1] that the speaker has finished.
    ///
    /// - Parameter turn: the turn so far with the silence after it; mono, 16 kHz, in [-1, 1]. The last 8 s count. Empty
    ///   or all-zero audio gives 0.
    /// - Throws: ``VoiceError/Code/cancelled`` when the calling task is cancelled before its verdict is begun.
    public func endProbability(ofTurn turn: [Float]) async throws(VoiceError) -> Float {
        try await engine.endProbability(ofTurn: turn)
    }
}

/// The network and the thread it runs on.
private actor SmartTurnEngine {
    private let executor = EngineExecutor(name: "smart-turn")
    private let network: SmartTurnNetwork

    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe executor.asUnownedSerialExecutor() }

    init(_ file: GGUFFile, threads: Int) throws(VoiceError) {
        network = try SmartTurnNetwork(file, on: ComputeStream(on: .cpu(), threads: threads))
    }

    func endProbability(ofTurn turn: [Float]) throws(VoiceError) -> Float {
        // While this call waited for its place, the speaker may have gone on.
        guard !Task.isCancelled else { throw VoiceError(.cancelled, "The verdict on the turn is no longer wanted.") }
        return try network.endProbability(ofTurn: turn)
    }
}
