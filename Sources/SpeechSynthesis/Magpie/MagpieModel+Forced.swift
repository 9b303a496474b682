package import Inference
package import VoiceCore

/// What all stages make of a text and of codes that are given instead of drawn: the same work for every device.
package struct MagpieForcedRun: Sendable {
    /// The decoder's output for each frame, with text and voice, then without: two rows of the width a frame.
    package var hidden: [Float] = []
    /// The local transformer's scores of each codebook of each frame, with text and voice, then without.
    package var scores: [Float] = []
    /// How long what comes before the first frame took.
    package var beginning = Duration.zero
    /// How long the decoder took for each frame; the first one builds its graph.
    package var frames: [Duration] = []
    /// How long the local transformer took for each frame, without drawing.
    package var local: [Duration] = []
}

extension MagpieModel {
    /// Computes frames of given codes, for benchmarks that compare devices. Blocks until it is done.
    /// - Parameters:
    ///   - path: the model.
    ///   - device: where to compute.
    ///   - threads: CPU threads.
    ///   - precision: how matrices are kept.
    ///   - text: tokens, without the one that ends the text.
    ///   - count: frames.
    /// - Throws: ``VoiceError/Code/malformedInput`` when the file is not such a model, ``VoiceError/Code/usage`` for texts and
    ///   counts that it cannot take, ``VoiceError/Code/fault`` when the device fails.
    package static func forcedRun(
        path: String,
        on device: Device,
        threads: Int,
        precision: MagpiePrecision,
        text: Int,
        frames count: Int
    ) throws(VoiceError) -> MagpieForcedRun {
        let file = try GGUFFile(path: path)
        let h = try MagpieHyperparameters(file)
        guard (1..<h.maximumText).contains(text), (1...h.maximumFrames).contains(count) else {
            throw VoiceError(.usage, "a run of \(text) tokens and \(count) frames is longer than \(path) can take")
        }
        let stream = try ComputeStream(on: device, threads: threads)
        let weights = try MagpieWeights(file, h, precision, on: device)
        let encoder = TextEncoder(weights, on: stream)
        let memory: ElementType = precision == .single ? .f32 : .f16
        let decoder = try Decoder(file, weights, MagpieDefaults(file, h), seats: 1, memory: memory, on: stream)
        let local = try LocalTransformer(
            weights,
            streams: 1,
            on: device.kind == .cpu ? ComputeStream(on: device, threads: 1) : stream
        )
        var dice = SplitMix64(seed: 1)
        let tokens = (0..<text).map { _ in Int32(dice.next() % UInt64(h.textVocabulary - 2)) } + [Int32(h.textEnd)]
        let clock = ContinuousClock()
        var run = MagpieForcedRun()
        // Once for the graphs' memory, once to be timed.
        for _ in 0..<2 {
            let start = clock.now
            var encoded = try encoder.embed(tokens)
            for layer in 0..<h.encoderLayers { encoded = try encoder.layer(layer, encoded) }
            var x = decoder.voice(0)
            for layer in 0..<h.decoderLayers {
                x = try decoder.beginLayer(layer, x, seat: 0, text: encoded, prior: nil)
            }
            run.beginning = clock.now - start
        }
        var codes: [Int32]?
        for frame in 0..<count {
            let start = clock.now
            let work = Decoder.Work(seat: 0, codes: codes, frame: frame, textLength: tokens.count, prior: nil)
            let result = try decoder.step([work])[0]
            run.frames.append(clock.now - start)
            run.hidden += result.conditional + result.unconditional
            let given = (0..<h.codebooks).map { _ in Int32(dice.next() % UInt64(h.codes)) }
            let scored = clock.now
            for codebook in 0..<h.codebooks {
                let work = LocalTransformer.Work(
                    conditional: result.conditional,
                    unconditional: result.unconditional,
                    sampling: MagpieSampling(temperature: 0, topK: 1, guidance: 1),
                    allowsEnd: false,
                    uniforms: []
                )
                run.scores += try local.scores(codebook, [work], [given])
            }
            run.local.append(clock.now - scored)
            codes = given
        }
        return run
    }
}
