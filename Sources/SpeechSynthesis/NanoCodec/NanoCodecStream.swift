package import Inference
package import VoiceCore

/// One voice's sound on a shared ``NanoCodec``.
///
/// One task calls it, one call at a time. Cancellation is looked at between quanta.
package actor NanoCodecStream {
    private let engine: NanoCodecEngine
    private let seat: StreamSeat
    /// True after a failure: the state is then undefined.
    private var isBroken = false

    /// Frames of one quantum, largest first: few different sizes, so that few graphs are needed, and none that takes the
    /// device for long.
    static let quantumSizes = [4, 2, 1]

    /// Takes a slot and clears it.
    /// - Throws: ``VoiceError/Code/exhausted`` when all are taken.
    init(_ engine: NanoCodecEngine) async throws(VoiceError) {
        seat = try StreamSeat(engine.seats, of: "streams of the codec")
        self.engine = engine
        await engine.clear(seat.slot)
    }

    /// Decodes the next frames.
    /// - Parameters:
    ///   - frames: for each frame a code of each codebook, 0 ..< codebook size. Any number of frames.
    ///   - quantum: how pressing it is; its units are set here.
    /// - Returns: the frames' samples in [-1, 1].
    /// - Throws: ``VoiceError/Code/fault`` for codes that are none, before anything was decoded, and when the device fails;
    ///   ``VoiceError/Code/cancelled`` when the task was cancelled, ``VoiceError/Code/exhausted`` when too much waits for the
    ///   device. The stream has to be reset after a failure of the device and after cancellation.
    package func decode(
        _ frames: [[Int32]],
        quantum: QuantumRequest = QuantumRequest(NanoCodec.quantumKind, .refill)
    ) async throws(VoiceError) -> [Float] {
        guard !isBroken else {
            throw VoiceError(.fault, "This stream of the codec was interrupted. Reset it to go on.")
        }
        _ = try engine.h.quantizer.latents(of: frames)
        var samples: [Float] = []
        samples.reserveCapacity(frames.count * engine.h.samplesPerFrame)
        isBroken = true
        var position = 0
        while position < frames.count {
            guard !Task.isCancelled else { throw VoiceError(.cancelled, "Decoding was cancelled.") }
            let left = frames.count - position
            let count = Self.quantumSizes.first { $0 <= left } ?? 1
            var request = quantum
            request.units = count
            let work = NanoCodecDecoder.Work(
                slot: seat.slot,
                frames: Array(frames[position..<(position + count)])
            )
            samples += try await engine.step(work, request)
            position += count
        }
        isBroken = false
        return samples
    }

    /// Begins anew, as if nothing had been decoded.
    package func reset() async {
        await engine.clear(seat.slot)
        isBroken = false
    }
}
