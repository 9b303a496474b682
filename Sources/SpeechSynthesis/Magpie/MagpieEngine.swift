internal import Inference
internal import VoiceCore

/// The one owner of a model. It computes for all streams, on its own thread: those that want a frame at the same time step
/// together, so that the weights are read once for all of them.
///
/// **Nothing takes the device for longer than one frame, or a part of a text's beginning**, which is one layer on a CPU and six on a
/// GPU. A stream that comes first waits a moment for others that speak at the same time, unless somebody waits for its first
/// sound; while one step runs or waits for the device, the next one gathers by itself.
actor MagpieEngine {
    /// One stream's part in a step.
    struct Request: Sendable {
        /// The stream's seat.
        var seat: Int
        /// How far it is.
        var utterance: MagpieUtterance
    }

    /// What a step gave.
    struct Response: Sendable {
        /// How far the stream is after the step.
        var utterance: MagpieUtterance
        /// The frame's codes; nil when the text ended before it.
        var codes: [Int32]?
    }

    private static let textKind = QuantumKind(engine: "tts", step: "text")
    private static let voiceKind = QuantumKind(engine: "tts", step: "voice")
    private static let frameKind = QuantumKind(engine: "tts", step: "frame")
    /// How soon after a quantum its owner asks for the next one.
    private static let followUp: Duration = .milliseconds(1)
    /// How long the first stream of a step waits for others.
    private static let gatheringWindow: Duration = .milliseconds(2)
    /// Streams that stepped so long ago are not waited for.
    private static let activityWindow: Duration = .milliseconds(150)

    nonisolated let h: MagpieHyperparameters
    nonisolated let defaults: MagpieDefaults
    /// The seats of streams.
    nonisolated let seats: StreamSeats
    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe executor.asUnownedSerialExecutor() }

    private let executor: EngineExecutor
    private let encoder: TextEncoder
    private let decoder: Decoder
    private let local: LocalTransformer
    /// Streams in one run; more make several.
    private let stepSizes: StepSizes
    /// Layers of a text's beginning in one quantum.
    private let layersAtOnce: Int
    private let lane: Lane?
    private let clock = ContinuousClock()
    private var gathering = StepGathering<Request, Response>(activityWindow: activityWindow)
    private var times = MagpieTimes()

    /// Loads a model. To be called on the executor's thread, which it blocks.
    /// - Parameters:
    ///   - streams: streams that can exist at the same time.
    ///   - isPlain: true to compute on a CPU as elsewhere.
    ///   - stream: where to compute.
    ///   - lane: the device's, where other engines compute on it too.
    ///   - executor: the thread to compute on.
    init(
        _ file: GGUFFile,
        _ h: MagpieHyperparameters,
        _ defaults: MagpieDefaults,
        precision: MagpiePrecision,
        streams: Int,
        isPlain: Bool,
        on stream: ComputeStream,
        lane: Lane?,
        executor: EngineExecutor
    ) throws(VoiceError) {
        let isCPU = stream.device.kind == .cpu
        let weights = try MagpieWeights(file, h, precision, on: stream.device)
        stepSizes = isCPU ? .every(upTo: 8) : .few(upTo: 32)
        // A layer takes 5 to 11 ms of a CPU, 1 ms of an H100 (docs/performance.md), and every quantum waits for others' frames.
        layersAtOnce = isCPU && !isPlain ? 1 : 6
        encoder = TextEncoder(weights, on: stream)
        decoder = try Decoder(
            file,
            weights,
            defaults,
            seats: streams,
            memory: precision == .single ? .f32 : .f16,
            gathers: isPlain,
            on: stream
        )
        // On a CPU eight runs of a tenth of a millisecond: threads would wait for each other longer than they compute.
        local = try LocalTransformer(
            weights,
            streams: min(streams, stepSizes.largest),
            gathers: isPlain,
            on: isCPU ? ComputeStream(on: stream.device, threads: 1) : stream
        )
        self.h = h
        self.defaults = defaults
        self.lane = lane
        self.executor = executor
        seats = StreamSeats(0..<streams)
    }

    // MARK: the beginning of a text

    /// Takes the next text of a stream up: encodes it, and computes what comes before its first frame.
    /// - Throws: ``VoiceError/Code/fault`` when the device fails, ``VoiceError/Code/cancelled`` when the task was cancelled,
    ///   ``VoiceError/Code/exhausted`` when too much waits for the device.
    func begin(
        _ utterance: MagpieUtterance,
        seat: Int,
        urgency: Urgency
    ) async throws(VoiceError) -> MagpieUtterance {
        var utterance = utterance
        utterance.beginNext(defaults.prior)
        guard let text = utterance.text else { return utterance }
        let tokens = text.tokens
        var x = try encoder.embed(tokens)
        for layers in parts(of: h.encoderLayers) {
            x = try await compute(Self.textKind, seat, urgency, units: tokens.count) { () throws(VoiceError) in
                try encode(x, layers)
            }
        }
        utterance.take(encoded: x)
        let (encoded, prior) = (utterance.text?.encoded ?? [], defaults.appliesPrior ? text.prior.weights : nil)
        x = decoder.voice(utterance.speaker)
        for layers in parts(of: h.decoderLayers) {
            x = try await compute(Self.voiceKind, seat, urgency, units: h.contextLength) { () throws(VoiceError) in
                try begin(x, layers, seat: seat, text: encoded, prior: prior)
            }
        }
        return utterance
    }

    /// Layers that are one quantum each.
    private func parts(of layers: Int) -> [Range<Int>] {
        stride(from: 0, to: layers, by: layersAtOnce).map { $0..<min(layers, $0 + layersAtOnce) }
    }

    private func encode(_ x: [Float], _ layers: Range<Int>) throws(VoiceError) -> [Float] {
        try timed(\.text) { () throws(VoiceError) in
            var x = x
            for layer in layers { x = try encoder.layer(layer, x) }
            return x
        }
    }

    private func begin(
        _ x: [Float],
        _ layers: Range<Int>,
        seat: Int,
        text: [Float],
        prior: [Float]?
    ) throws(VoiceError) -> [Float] {
        try timed(\.voice) { () throws(VoiceError) in
            var x = x
            for layer in layers { x = try decoder.beginLayer(layer, x, seat: seat, text: text, prior: prior) }
            return x
        }
    }

    private func compute(
        _ kind: QuantumKind,
        _ seat: Int,
        _ urgency: Urgency,
        units: Int,
        _ body: () throws(VoiceError) -> [Float]
    ) async throws(VoiceError) -> [Float] {
        guard !Task.isCancelled else { throw VoiceError(.cancelled, "Speaking was cancelled.") }
        return try await lane.run(quantum(kind, seat, urgency, units: units), body)
    }

    private func quantum(_ kind: QuantumKind, _ seat: Int, _ urgency: Urgency, units: Int) -> QuantumRequest {
        QuantumRequest(kind, urgency, owner: urgency.owner ?? seat + 1, units: units, followUp: Self.followUp)
    }

    // MARK: a frame

    /// Computes a frame together with those of other streams.
    /// - Throws: as ``begin(_:seat:urgency:)``.
    func step(_ request: Request, urgency: Urgency) async throws(VoiceError) -> Response {
        if gathering.isLed {
            if case .done(let result) = await join(request) { return try result.get() }
        } else {
            gathering.lead(request, of: request.seat)
            if urgency.level != .firstAudio {
                await waitForOthers(atMost: Self.gatheringWindow) { gathering.lacksOthers(than: request.seat) }
            }
        }
        do {
            let quantum = quantum(Self.frameKind, request.seat, urgency, units: gathering.count)
            return try await lane.run(quantum) { runBatch() }.get()
        } catch {
            gathering.withdraw(request.seat)
            throw error
        }
    }

    private func join(_ request: Request) async -> StepGathering<Request, Response>.Turn {
        await withCheckedContinuation { gathering.wait(request, of: request.seat, $0) }
    }

    /// Says that a stream will not step soon, so that nobody waits for it.
    func rest(_ seat: Int) { gathering.rest(seat) }

    /// Runs the leader's request with those of other streams.
    /// - Returns: the leader's result.
    private func runBatch() -> Result<Response, VoiceError> {
        guard let batch = gathering.take(stepSizes) else {
            return .failure(VoiceError(.fault, "A step of the voice was lost."))
        }
        return batch.finish(run(batch.requests))
    }

    /// Speaks a frame for nobody, so that graphs are made, memory is mapped and kernels are chosen before the first text.
    func warmUp() throws(VoiceError) {
        guard let seat = seats.take() else { return }
        defer { seats.giveBack(seat) }
        let tokens = [Int32(h.textEnd)]
        var utterance = MagpieUtterance(texts: [tokens], speaker: 0, sampling: defaults.sampling)
        utterance.beginNext(defaults.prior)
        let encoded = try encode(encoder.embed(tokens), 0..<h.encoderLayers)
        utterance.take(encoded: encoded)
        let voice = decoder.voice(utterance.speaker)
        _ = try begin(voice, 0..<h.decoderLayers, seat: seat, text: encoded, prior: nil)
        _ = try frames(of: [Request(seat: seat, utterance: utterance)])
        times = MagpieTimes()
    }

    private func run(_ batch: [Request]) -> [Result<Response, VoiceError>] {
        do throws(VoiceError) {
            return try frames(of: batch).map { .success($0) }
        } catch {
            return batch.map { _ in .failure(error) }
        }
    }

    private func frames(of batch: [Request]) throws(VoiceError) -> [Response] {
        var utterances = batch.map(\.utterance)
        var (parts, frames): ([Decoder.Work], [LocalTransformer.Work]) = ([], [])
        for request in batch {
            guard let text = request.utterance.text else {
                throw VoiceError(.fault, "A frame of no text was asked for.")
            }
            parts.append(
                Decoder.Work(
                    seat: request.seat,
                    codes: text.codes,
                    frame: text.frame,
                    textLength: text.tokens.count,
                    prior: defaults.appliesPrior ? text.prior.weights : nil
                )
            )
        }
        let decoded = try timed(\.decoder) { () throws(VoiceError) in try decoder.step(parts) }
        for (index, result) in decoded.enumerated() {
            frames.append(
                LocalTransformer.Work(
                    conditional: result.conditional,
                    unconditional: result.unconditional,
                    sampling: utterances[index].sampling,
                    allowsEnd: parts[index].frame >= defaults.minimumFrames,
                    uniforms: utterances[index].uniforms(h.codebooks)
                )
            )
        }
        let (codes, wantsEnd) = try timed(\.local) { () throws(VoiceError) in
            (try local.codes(frames), try local.wantsEnd(frames))
        }
        times.steps += 1
        var responses: [Response] = []
        for index in batch.indices {
            let isEnd = wantsEnd[index] || codes[index].contains(Int32(h.audioEnd))
            utterances[index].advance(by: codes[index], decoded[index].attention, isEnd: isEnd, h)
            responses.append(Response(utterance: utterances[index], codes: isEnd ? nil : codes[index]))
        }
        return responses
    }

    // MARK: times

    /// What was computed since the last call.
    func takeTimes() -> MagpieTimes {
        defer { times = MagpieTimes() }
        return times
    }

    private func timed<Result>(
        _ part: WritableKeyPath<MagpieTimes, Duration>,
        _ body: () throws(VoiceError) -> Result
    ) throws(VoiceError) -> Result {
        let start = clock.now
        defer { times[keyPath: part] += clock.now - start }
        return try body()
    }
}

/// How long the stages of a model took, for benchmarks.
package struct MagpieTimes: Sendable {
    /// Runs that computed a frame of one or more streams.
    package var steps = 0
    /// Encoding texts.
    package var text = Duration.zero
    /// What comes before the first frame of a text.
    package var voice = Duration.zero
    /// Frames: the decoder.
    package var decoder = Duration.zero
    /// Frames: the local transformer, drawing codes, and the decoder's own scores.
    package var local = Duration.zero
}
