internal import Inference
internal import VoiceCore

/// The one owner of a voice's parameters. It computes for all streams, on its own thread, one quantum after the other; what a
/// stream knows travels with its requests.
///
/// **Nothing takes the device for longer than a layer of the text encoder, the durations of a sentence, or a stretch of
/// frames.**
actor PiperEngine {
    private static let textKind = QuantumKind(engine: "piper", step: "text")
    private static let durationKind = QuantumKind(engine: "piper", step: "durations")
    private static let flowKind = QuantumKind(engine: "piper", step: "flow")
    private static let soundKind = QuantumKind(engine: "piper", step: "sound")
    /// How soon after a quantum its owner asks for the next one.
    private static let followUp: Duration = .milliseconds(1)

    nonisolated let h: PiperHyperparameters
    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe executor.asUnownedSerialExecutor() }

    private let executor: EngineExecutor
    private let encoder: PiperTextEncoder
    private let predictor: PiperDurationPredictor
    private var flow: PiperFlow
    private var decoder: PiperDecoder
    private let lane: Lane?
    private let clock = ContinuousClock()
    private var times = PiperTimes()

    /// Loads a voice. To be called on the executor's thread, which it blocks.
    /// - Parameters:
    ///   - file: the voice, whose dimensions are `h`.
    ///   - threads: CPU threads of a quantum.
    ///   - lane: the device's, where other engines compute on it too.
    ///   - executor: the thread to compute on.
    init(
        _ file: GGUFFile,
        _ h: PiperHyperparameters,
        threads: Int,
        lane: Lane?,
        executor: EngineExecutor
    ) throws(VoiceError) {
        let stream = try ComputeStream(on: .cpu(), threads: threads)
        let weights = try PiperWeights(file, h, on: stream.device)
        encoder = PiperTextEncoder(weights, on: stream)
        predictor = PiperDurationPredictor(weights, on: stream)
        flow = PiperFlow(weights, on: stream)
        decoder = PiperDecoder(weights, on: stream)
        self.h = h
        self.lane = lane
        self.executor = executor
    }

    /// Finds out how a sentence is to be said.
    /// - Parameters:
    ///   - ids: its symbols, each below the vocabulary's size; at least one.
    ///   - noise: two numbers for each symbol are taken, the first row first.
    /// - Throws: ``VoiceError/Code/fault`` when the device fails, ``VoiceError/Code/cancelled`` when the task was cancelled,
    ///   ``VoiceError/Code/exhausted`` when too much waits for the device.
    func begin(
        _ ids: [Int32],
        noise: [Float],
        urgency: Urgency
    ) async throws(VoiceError) -> PiperSentence {
        var x = try encoder.embed(ids)
        for layer in 0..<h.textLayers {
            x = try await compute(Self.textKind, urgency, units: ids.count, \.text) { () throws(VoiceError) in
                try encoder.layer(layer, x)
            }
        }
        let text = x
        return try await compute(Self.durationKind, urgency, units: ids.count, \.durations) { () throws(VoiceError) in
            let logarithms = try predictor.logarithms(text, noise: noise)
            let statistics = try encoder.statistics(text)
            return PiperSentence(
                logarithms: logarithms,
                means: statistics.means,
                deviations: statistics.deviations,
                h
            )
        }
    }

    /// Computes frames of a sentence; see ``PiperFlow/run(_:of:lower:upper:)``.
    /// - Throws: as ``begin(_:noise:urgency:)``.
    func frames(
        _ range: Range<Int>,
        of length: Int,
        lower: [Float],
        upper: [Float],
        urgency: Urgency
    ) async throws(VoiceError) -> [Float] {
        try await compute(Self.flowKind, urgency, units: range.count, \.flow) { () throws(VoiceError) in
            try flow.run(range, of: length, lower: lower, upper: upper)
        }
    }

    /// Computes samples of a sentence; see ``PiperDecoder/run(_:of:_:)``.
    /// - Throws: as ``begin(_:noise:urgency:)``.
    func samples(
        _ range: Range<Int>,
        of length: Int,
        _ frames: [Float],
        urgency: Urgency
    ) async throws(VoiceError) -> [Float] {
        try await compute(Self.soundKind, urgency, units: range.count, \.sound) { () throws(VoiceError) in
            try decoder.run(range, of: length, frames)
        }
    }

    private func compute<Result>(
        _ kind: QuantumKind,
        _ urgency: Urgency,
        units: Int,
        _ part: WritableKeyPath<PiperTimes, Duration>,
        _ body: () throws(VoiceError) -> Result
    ) async throws(VoiceError) -> Result {
        guard !Task.isCancelled else { throw VoiceError(.cancelled, "Speaking was cancelled.") }
        let request = QuantumRequest(kind, urgency, owner: urgency.owner ?? 0, units: units, followUp: Self.followUp)
        return try await lane.run(request) { () throws(VoiceError) in
            let start = clock.now
            defer { times[keyPath: part] += clock.now - start }
            return try body()
        }
    }

    /// What was computed since the last call.
    func takeTimes() -> PiperTimes {
        defer { times = PiperTimes() }
        return times
    }
}

/// How long the stages of a voice took, for benchmarks.
package struct PiperTimes: Sendable, Equatable {
    /// The text encoder.
    package var text = Duration.zero
    /// The durations of symbols.
    package var durations = Duration.zero
    /// The flow.
    package var flow = Duration.zero
    /// The decoder.
    package var sound = Duration.zero
}
