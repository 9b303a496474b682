package import Inference
package import VoiceCore

extension NemotronRecognizer {
    /// What a model makes of a whole recording.
    package struct Encoding: Sendable {
        /// The encoder's frames, one row after the other.
        package var frames: [Float]
        /// The tokens' numbers in the vocabulary, in order.
        package var tokens: [Int]
    }

    /// Computes a recording step by step on a device of choice, as one stream does, without sessions: to compare what
    /// devices compute. Blocks the caller's thread; loads the model for this call.
    ///
    /// - Parameters:
    ///   - samples: mono, 16 kHz; what is left after the last whole chunk is not computed.
    ///   - lookahead: frames of 80 ms, one of those that the model has.
    ///   - path: the model.
    ///   - device: where the encoder runs; the search always runs on the CPU.
    ///   - threads: CPU threads.
    /// - Throws: as ``init(path:configuration:)`` does, and ``VoiceError/Code/fault`` when the device fails.
    package static func encoding(
        of samples: [Float],
        lookahead: Int,
        path: String,
        on device: Device,
        threads: Int
    ) throws(VoiceError) -> Encoding {
        let file = try GGUFFile(path: path)
        let h = try NemotronHyperparameters(file)
        guard h.lookaheads.contains(lookahead) else {
            throw VoiceError(.usage, "This model has no lookahead of \(lookahead) frames.")
        }
        let stream = try ComputeStream(on: device, threads: threads)
        let encoder = try StreamingEncoder(file, h, slots: 1, on: stream)
        let transducer = try Transducer(
            file,
            h,
            on: device.kind == .cpu ? stream : ComputeStream(on: .cpu(), threads: 1)
        )
        var logMel = LogMel(try tables(file, h))
        var features: [Float] = []
        logMel.feed(samples, into: &features)
        var cutter = ChunkCutter(bands: h.melBands, lookahead: lookahead)
        cutter.append(features)
        encoder.clear(0)
        var state = GreedySearch.State(predictor: try transducer.beginning(), booster: nil)
        var encoding = Encoding(frames: [], tokens: [])
        while let chunk = cutter.next(limit: 1) {
            let step = StreamingEncoder.Work(slot: 0, chunk: chunk, prompt: 0)
            let result = try encoder.step([step], keepingFrames: true)[0]
            for frame in result.frames { encoding.frames += frame }
            var work = [GreedySearch.Work(state: state, frames: result.projected, firstFrame: chunk.position)]
            try GreedySearch(transducer: transducer).decode(&work)
            state = work[0].state
            encoding.tokens += work[0].tokens.map { Int($0.id) }
        }
        return encoding
    }
}
