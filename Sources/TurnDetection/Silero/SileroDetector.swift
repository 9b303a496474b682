internal import Inference
public import VoiceCore

/// Silero VAD v6 on ggml: the probability of speech in each 32 ms of a microphone's audio.
///
/// One detector serves any number of streams; they take turns on one thread of its own. A window costs about 0.1 ms.
public struct SileroDetector: VoiceActivityDetector {
    /// The model's name, from its file.
    public let name: String
    /// Samples per verdict.
    public let windowLength: Int

    private let engine: SileroEngine

    /// Loads the model.
    /// - Parameter path: the GGUF file that `Tools/convert/silero_vad.py` writes.
    /// - Throws: ``VoiceError/Code/missingInput`` when there is no such file, ``VoiceError/Code/malformedInput`` when it
    ///   is damaged or another model's.
    public init(path: String) async throws(VoiceError) {
        let file = try GGUFFile(path: path)
        name = try file.string("general.name")
        engine = try SileroEngine(file)
        windowLength = engine.hyperparameters.windowLength
    }

    /// Opens a stream for one microphone. It holds about 1.4 kB and less than one window of samples.
    public func openStream() async throws(VoiceError) -> any VoiceActivityStream {
        SileroStream(engine: engine)
    }
}

/// The network and the thread it runs on.
private actor SileroEngine {
    nonisolated let hyperparameters: SileroHyperparameters
    private let executor = EngineExecutor(name: "silero-vad")
    private let network: SileroNetwork

    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe executor.asUnownedSerialExecutor() }

    init(_ file: GGUFFile) throws(VoiceError) {
        network = try SileroNetwork(file, on: ComputeStream(on: .cpu(), threads: 1))
        hyperparameters = network.hyperparameters
    }

    /// Judges whole windows and returns the memory they leave.
    func judge(_ samples: [Float], _ memory: SileroMemory) throws(VoiceError) -> ([Float], SileroMemory) {
        var memory = memory
        var probabilities: [Float] = []
        let length = hyperparameters.windowLength
        for start in stride(from: 0, to: samples.count - length + 1, by: length) {
            let window = samples.span.extracting(start..<(start + length))
            let probability = try network.probability(of: window, state: &memory.state)
            probabilities.append(probability)
            if memory.policy.isResetDue(after: probability) { memory.state = SileroState(hyperparameters) }
        }
        return (probabilities, memory)
    }
}

/// What is remembered of a stream.
private struct SileroMemory: Sendable {
    var state: SileroState
    var policy: SileroResetPolicy

    init(_ hyperparameters: SileroHyperparameters) {
        state = SileroState(hyperparameters)
        policy = SileroResetPolicy(
            windowLength: hyperparameters.windowLength,
            sampleRate: hyperparameters.sampleRate
        )
    }
}

/// One microphone. Holds less than one window of samples between calls.
private actor SileroStream: VoiceActivityStream {
    private let engine: SileroEngine
    private var pending: [Float] = []
    private var memory: SileroMemory

    init(engine: SileroEngine) {
        self.engine = engine
        memory = SileroMemory(engine.hyperparameters)
    }

    func feed(_ samples: [Float]) async throws(VoiceError) -> [Float] {
        pending += samples
        let length = engine.hyperparameters.windowLength
        let whole = pending.count - pending.count % length
        guard whole > 0 else { return [] }
        let windows = Array(pending[..<whole])
        pending.removeFirst(whole)
        let (probabilities, memory) = try await engine.judge(windows, memory)
        self.memory = memory
        return probabilities
    }

    func reset() async throws(VoiceError) {
        pending = []
        memory = SileroMemory(engine.hyperparameters)
    }
}
