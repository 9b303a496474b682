internal import Inference
internal import Synchronization
public import VoiceCore

/// Silero VAD v6: the probability of speech in each 32 ms of a microphone's audio.
///
/// One detector serves any number of streams. A window costs some 0.04 ms on the thread of whoever feeds it.
public struct SileroDetector: VoiceActivityDetector {
    /// The model's name, from its file.
    public let name: String
    /// Samples per verdict.
    public let windowLength: Int

    private let network: SileroNetwork

    /// Loads the model.
    /// - Parameter path: the GGUF file that `Tools/convert/silero_vad.py` writes.
    /// - Throws: ``VoiceError/Code/missingInput`` when there is no such file, ``VoiceError/Code/malformedInput`` when it
    ///   is damaged or another model's.
    public init(path: String) async throws(VoiceError) {
        let file = try GGUFFile(path: path)
        name = try file.string("general.name")
        network = try SileroNetwork(file)
        windowLength = network.hyperparameters.windowLength
    }

    /// Opens a stream for one microphone. It holds about 1.4 kB and less than one window of samples.
    public func openStream() async throws(VoiceError) -> any VoiceActivityStream {
        SileroStream(network: network)
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
private final class SileroStream: VoiceActivityStream {
    private struct State {
        var pending: [Float] = []
        var memory: SileroMemory
    }

    private let network: SileroNetwork
    /// Used by one task at a time: the lock is always free.
    private let state: Mutex<State>

    init(network: SileroNetwork) {
        self.network = network
        state = Mutex(State(memory: SileroMemory(network.hyperparameters)))
    }

    func feed(_ samples: [Float]) async throws(VoiceError) -> [Float] {
        try state.withLock { state throws(VoiceError) in
            state.pending += samples
            let length = network.hyperparameters.windowLength
            let whole = state.pending.count / length * length
            guard whole > 0 else { return [] }
            defer { state.pending.removeFirst(whole) }
            // A copy: samples that are no numbers leave nothing behind.
            var memory = state.memory
            let probabilities = try network.probabilities(of: state.pending[..<whole], state: &memory.state) {
                memory.policy.isResetDue(after: $0)
            }
            state.memory = memory
            return probabilities
        }
    }

    func reset() async throws(VoiceError) {
        state.withLock { $0 = State(memory: SileroMemory(network.hyperparameters)) }
    }
}
