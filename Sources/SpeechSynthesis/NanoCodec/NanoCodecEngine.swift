internal import Inference
internal import VoiceCore

/// The one owner of a decoder. It computes for all streams, on its own thread.
actor NanoCodecEngine {
    nonisolated let h: NanoCodecHyperparameters
    /// The slots of streams.
    nonisolated let seats: StreamSeats
    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe executor.asUnownedSerialExecutor() }

    private let executor: EngineExecutor
    private let decoder: NanoCodecDecoder
    private let lane: Lane?

    /// Loads a model. To be called on the executor's thread, which it blocks.
    /// - Parameters:
    ///   - file: the model, whose dimensions are `h`.
    ///   - streams: streams that can exist at the same time.
    ///   - device: where to compute.
    ///   - threads: CPU threads of a step.
    ///   - path: which operations compute.
    ///   - lane: the device's, where other engines compute on it too.
    ///   - executor: the thread to compute on.
    init(
        _ file: GGUFFile,
        _ h: NanoCodecHyperparameters,
        streams: Int,
        on device: Device,
        threads: Int,
        path: NanoCodecDecoder.Path,
        lane: Lane?,
        executor: EngineExecutor
    ) throws(VoiceError) {
        let compute = try ComputeStream(on: device, threads: threads)
        decoder = try NanoCodecDecoder(file, h, slots: streams, on: compute, path: path)
        self.h = h
        self.lane = lane
        self.executor = executor
        seats = StreamSeats(0..<streams)
    }

    /// Makes a slot a new stream's.
    func clear(_ slot: Int) { decoder.clear(slot) }

    /// Computes a quantum of one stream.
    /// - Throws: ``VoiceError/Code/fault`` when the device fails, ``VoiceError/Code/cancelled`` when the task was cancelled
    ///   before the device was free, ``VoiceError/Code/exhausted`` when too much waits for it.
    func step(_ work: NanoCodecDecoder.Work, _ quantum: QuantumRequest) async throws(VoiceError) -> [Float] {
        try await lane.run(quantum) { run(work) }.get()
    }

    /// Computes a frame of each size that streams take for nobody, so that memory is mapped before the first one.
    func warmUp(_ sizes: [Int]) throws(VoiceError) {
        guard let slot = seats.take() else { return }
        defer { seats.giveBack(slot) }
        for size in sizes {
            decoder.clear(slot)
            let frame = [Int32](repeating: 0, count: h.quantizer.codebooks)
            let work = NanoCodecDecoder.Work(slot: slot, frames: [[Int32]](repeating: frame, count: size))
            _ = try run(work).get()
        }
    }

    private func run(_ work: NanoCodecDecoder.Work) -> Result<[Float], VoiceError> {
        do throws(VoiceError) {
            return .success(try decoder.step([work])[0])
        } catch {
            return .failure(error)
        }
    }
}
