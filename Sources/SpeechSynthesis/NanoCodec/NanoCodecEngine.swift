internal import Inference
internal import VoiceCore

/// The one owner of a decoder. It computes for all streams, on its own thread.
///
/// On a CPU they take turns: steps that streams share cost no less. On a GPU, where a step takes 2.6 ms and 0.4 more for each frame
/// (docs/performance.md), those that want equally many frames at the same time step together.
actor NanoCodecEngine {
    nonisolated let h: NanoCodecHyperparameters
    /// The slots of streams.
    nonisolated let seats: StreamSeats
    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe executor.asUnownedSerialExecutor() }

    private let executor: EngineExecutor
    private let decoder: NanoCodecDecoder
    private let lane: Lane?
    /// Streams in one step, by its frames; nil where they take turns.
    private let stepSizes: [Int: StepSizes]?
    private var gathering = StepGathering<NanoCodecDecoder.Work, [Float]>(activityWindow: activityWindow)

    /// How long the first stream of a step waits for others, unless somebody waits for its first sound.
    private static let gatheringWindow: Duration = .milliseconds(2)
    /// Streams that stepped so long ago are not waited for.
    private static let activityWindow: Duration = .milliseconds(150)
    /// Frames of all streams in one step. What lies between the layers takes some 10 MB a frame, for each size of a step that occurred.
    private static let largestStep = 32

    /// Loads a model. To be called on the executor's thread, which it blocks.
    /// - Parameters:
    ///   - file: the model, whose dimensions are `h`.
    ///   - streams: streams that can exist at the same time.
    ///   - device: where to compute.
    ///   - threads: CPU threads of a step.
    ///   - path: which operations compute.
    ///   - sharesSteps: whether streams step together.
    ///   - lane: the device's, where other engines compute on it too.
    ///   - executor: the thread to compute on.
    init(
        _ file: GGUFFile,
        _ h: NanoCodecHyperparameters,
        streams: Int,
        on device: Device,
        threads: Int,
        path: NanoCodecDecoder.Path,
        sharesSteps: Bool,
        lane: Lane?,
        executor: EngineExecutor
    ) throws(VoiceError) {
        let compute = try ComputeStream(on: device, threads: threads)
        let sizes = NanoCodecStream.quantumSizes.map { ($0, StepSizes.few(upTo: Self.largestStep / $0)) }
        stepSizes = sharesSteps ? Dictionary(uniqueKeysWithValues: sizes) : nil
        decoder = try NanoCodecDecoder(
            file,
            h,
            slots: streams,
            on: compute,
            path: path,
            keepingGraphs: sharesSteps ? sizes.reduce(0) { $0 + $1.1.count } : 8
        )
        self.h = h
        self.lane = lane
        self.executor = executor
        seats = StreamSeats(0..<streams)
    }

    /// Makes a slot a new stream's.
    func clear(_ slot: Int) {
        decoder.clear(slot)
        gathering.rest(slot)
    }

    /// Computes a quantum of one stream, together with those of others where they share steps.
    /// - Throws: ``VoiceError/Code/fault`` when the device fails, ``VoiceError/Code/cancelled`` when the task was cancelled
    ///   before the device was free, ``VoiceError/Code/exhausted`` when too much waits for it.
    func step(_ work: NanoCodecDecoder.Work, _ quantum: QuantumRequest) async throws(VoiceError) -> [Float] {
        guard stepSizes != nil else { return try await lane.run(quantum) { run([work])[0] }.get() }
        if gathering.isLed {
            if case .done(let result) = await join(work) { return try result.get() }
        } else {
            gathering.lead(work, of: work.slot)
            if quantum.quantumClass != .firstAudio {
                await waitForOthers(atMost: Self.gatheringWindow) { gathering.lacksOthers(than: work.slot) }
            }
        }
        var shared = quantum
        shared.units *= max(1, gathering.count)
        do {
            return try await lane.run(shared) { runBatch() }.get()
        } catch {
            gathering.withdraw(work.slot)
            throw error
        }
    }

    private func join(_ work: NanoCodecDecoder.Work) async -> StepGathering<NanoCodecDecoder.Work, [Float]>.Turn {
        await withCheckedContinuation { gathering.wait(work, of: work.slot, $0) }
    }

    /// Runs the leader's quantum with those of others that have as many frames.
    /// - Returns: the leader's samples.
    private func runBatch() -> Result<[Float], VoiceError> {
        let frames = gathering.leader?.frames.count ?? 1
        let sizes = stepSizes?[frames] ?? .every(upTo: 1)
        guard let batch = gathering.take(sizes, where: { $0.frames.count == $1.frames.count }) else {
            return .failure(VoiceError(.fault, "A step of the codec was lost."))
        }
        return batch.finish(run(batch.requests))
    }

    /// Computes a frame of each size that streams take for nobody, so that memory is mapped before the first one.
    func warmUp(_ sizes: [Int]) throws(VoiceError) {
        guard let slot = seats.take() else { return }
        defer { seats.giveBack(slot) }
        for size in sizes {
            decoder.clear(slot)
            let frame = [Int32](repeating: 0, count: h.quantizer.codebooks)
            let work = NanoCodecDecoder.Work(slot: slot, frames: [[Int32]](repeating: frame, count: size))
            _ = try run([work])[0].get()
        }
    }

    private func run(_ work: [NanoCodecDecoder.Work]) -> [Result<[Float], VoiceError>] {
        do throws(VoiceError) {
            return try decoder.step(work).map { .success($0) }
        } catch {
            return work.map { _ in .failure(error) }
        }
    }
}
