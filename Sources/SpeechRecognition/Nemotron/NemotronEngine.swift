internal import Inference
internal import VoiceCore

/// The one owner of a model. It computes for all streams, on its own thread: those that have a chunk ready step together,
/// so that the weights are read once for all of them.
///
/// **A step that nobody shares starts at once.** A stream that comes first waits a moment for the others that speak at the
/// same time; while one step runs or waits for the device, the next one gathers by itself. Nobody waits for a stream that has no chunk.
actor NemotronEngine {
    /// One stream's part in a step.
    struct Request: Sendable {
        /// The stream's slot.
        var slot: Int
        /// What to compute.
        var chunk: EncoderChunk
        /// The language's number.
        var prompt: Int
        /// The search before the step.
        var search: GreedySearch.State
        /// True when somebody waits for the result: it is then not held back for others.
        var isUrgent: Bool
    }

    /// What a step gave.
    struct Response: Sendable {
        /// The search after the step.
        var search: GreedySearch.State
        /// Tokens, in order.
        var tokens: [EmittedToken]
    }

    private static let stepKind = QuantumKind(engine: "asr", step: "step")

    /// How long the first stream of a step waits for others.
    private static let gatheringWindow: Duration = .milliseconds(3)
    /// Streams that stepped so long ago are not waited for.
    private static let activityWindow: Duration = .milliseconds(400)

    nonisolated let h: NemotronHyperparameters
    /// The slots of streams.
    nonisolated let seats: StreamSeats
    /// The slots of forks: two for each stream, one for its final transcript and one for a draft.
    nonisolated let forkSeats: StreamSeats
    /// Frames of one stream in one step at most.
    nonisolated let maximumFrames: Int
    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe executor.asUnownedSerialExecutor() }

    private let executor: EngineExecutor
    private let encoder: StreamingEncoder
    private let transducer: Transducer
    /// Streams in one run; more make several.
    private let stepSizes: StepSizes
    private let lane: Lane?
    private var gathering = StepGathering<Request, Response>(activityWindow: activityWindow)

    /// Loads a model. To be called on the executor's thread, which it blocks.
    /// - Parameters:
    ///   - file: the model, whose dimensions are `h`.
    ///   - streams: streams that can exist at the same time; twice as many forks can.
    ///   - device: where the encoder runs.
    ///   - threads: CPU threads of a step.
    ///   - lane: the device's, where other engines compute on it too.
    ///   - executor: the thread to compute on.
    init(
        _ file: GGUFFile,
        _ h: NemotronHyperparameters,
        streams: Int,
        on device: Device,
        threads: Int,
        lane: Lane? = nil,
        executor: EngineExecutor
    ) throws(VoiceError) {
        let stream = try ComputeStream(on: device, threads: threads)
        let cpu = device.kind == .cpu ? stream : try ComputeStream(on: .cpu(), threads: 1)
        encoder = try StreamingEncoder(file, h, slots: 3 * streams, on: stream)
        transducer = try Transducer(file, h, on: cpu)
        stepSizes = device.kind == .cpu ? .every(upTo: 16) : .few(upTo: 64)
        self.h = h
        self.lane = lane
        self.executor = executor
        seats = StreamSeats(0..<streams)
        forkSeats = StreamSeats(streams..<(3 * streams))
        maximumFrames = encoder.maximumFrames
    }

    /// The search's state at the beginning of a stream.
    func beginning(boosting booster: PhraseBooster?) throws(VoiceError) -> GreedySearch.State {
        GreedySearch.State(predictor: try transducer.beginning(), booster: booster)
    }

    /// Makes a slot a new stream's.
    func clear(_ slot: Int) {
        encoder.clear(slot)
        gathering.rest(slot)
    }

    /// Makes the stream in `target` equal to that in `source`.
    func copy(_ source: Int, to target: Int) { encoder.copy(source, to: target) }

    /// Computes a chunk together with those of other streams.
    /// - Throws: ``VoiceError/Code/fault`` when the device fails, ``VoiceError/Code/cancelled`` when the task was cancelled
    ///   before the device was free, ``VoiceError/Code/exhausted`` when too much waits for it.
    func step(_ request: Request) async throws(VoiceError) -> Response {
        if gathering.isLed {
            if case .done(let result) = await join(request) { return try result.get() }
        } else {
            gathering.lead(request, of: request.slot)
            if !request.isUrgent {
                await waitForOthers(atMost: Self.gatheringWindow) { gathering.lacksOthers(than: request.slot) }
            }
        }
        // Those that come while the device is taken share the step.
        let quantum = QuantumRequest(Self.stepKind, .recognition, units: gathering.count)
        do {
            return try await lane.run(quantum) { runBatch() }.get()
        } catch {
            gathering.withdraw(request.slot)
            throw error
        }
    }

    private func join(_ request: Request) async -> StepGathering<Request, Response>.Turn {
        await withCheckedContinuation { gathering.wait(request, of: request.slot, $0) }
    }

    /// Runs the leader's request, with those of other streams that have as many frames.
    /// - Returns: the leader's result.
    private func runBatch() -> Result<Response, VoiceError> {
        let batch = gathering.take(stepSizes) { $0.chunk.frames == $1.chunk.frames }
        guard let batch else { return .failure(VoiceError(.fault, "A step of the recogniser was lost.")) }
        return batch.finish(run(batch.requests))
    }

    private func run(_ batch: [Request]) -> [Result<Response, VoiceError>] {
        do throws(VoiceError) {
            let encoded = try encoder.step(
                batch.map { StreamingEncoder.Work(slot: $0.slot, chunk: $0.chunk, prompt: $0.prompt) }
            )
            var work = zip(batch, encoded).map { request, result in
                GreedySearch.Work(
                    state: request.search,
                    frames: result.projected,
                    firstFrame: request.chunk.position
                )
            }
            try GreedySearch(transducer: transducer).decode(&work)
            return work.map { .success(Response(search: $0.state, tokens: $0.tokens)) }
        } catch {
            return batch.map { _ in .failure(error) }
        }
    }

    /// Computes a step for nobody, so that memory is mapped and kernels are chosen before the first one.
    func warmUp(lookahead: Int) throws(VoiceError) {
        guard let slot = seats.take() else { return }
        defer { seats.giveBack(slot) }
        var cutter = ChunkCutter(bands: h.melBands, lookahead: lookahead)
        let rows = 1 + 8 * lookahead + 8 * (lookahead + 1)
        cutter.append([Float](repeating: -10, count: rows * h.melBands))
        encoder.clear(slot)
        let search = try beginning(boosting: nil)
        while let chunk = cutter.next(limit: lookahead + 1) {
            let request = Request(slot: slot, chunk: chunk, prompt: 0, search: search, isUrgent: true)
            for result in run([request]) { _ = try result.get() }
        }
    }
}
