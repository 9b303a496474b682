internal import Testing
internal import VoiceCore

@testable internal import SpeechSynthesis

/// The stages against NeMo 3.0.0 on a tiny random model in NVIDIA's layout; how the numbers were made is in
/// Reference/SpeechSynthesis. Error bounds: 1e-4 of the largest magnitude, which is the order of summation.
@Suite struct MagpieParityTests {
    private static let bound: Float = 1e-4

    @Test(arguments: [1, 2]) func `each encoder layer equals NeMo's`(threads: Int) throws {
        let (golden, bench) = (try MagpieGolden(), try MagpieBench(threads: threads))
        let layers = try bench.encode(try golden.integers("text"))
        #expect(layers.count == 2)
        #expect(MagpieGolden.error(layers[0], try golden.floats("encoder.layer0")) < Self.bound)
        #expect(MagpieGolden.error(layers[1], try golden.floats("encoder.out")) < Self.bound)
    }

    @Test(arguments: [2, 3, 7]) func `what the encoder says of a text's beginning does not depend on its rest`(
        count: Int
    ) throws {
        let (golden, bench) = (try MagpieGolden(), try MagpieBench())
        let layers = try bench.encode(Array(try golden.integers("text").prefix(count)))
        let expected = Array(try golden.floats("encoder.out").prefix(count * bench.h.width))
        #expect(MagpieGolden.error(layers[1], expected) < Self.bound)
    }

    @Test(arguments: [1, 2]) func `frames computed one by one equal NeMo's decoder on all at once`(threads: Int) throws
    {
        let (golden, bench) = (try MagpieGolden(), try MagpieBench(threads: threads))
        let text = try golden.integers("text")
        let codes = try golden.integerRows("forced.codes")
        try bench.begin(seat: 1, text)
        var (conditional, unconditional): ([Float], [Float]) = ([], [])
        var attention: [[Float]] = []
        for frame in 0...codes.count {
            let work = Decoder.Work(
                seat: 1,
                codes: frame > 0 ? codes[frame - 1] : nil,
                frame: frame,
                textLength: text.count,
                prior: nil
            )
            let result = try bench.decoder.step([work])[0]
            conditional += result.conditional
            unconditional += result.unconditional
            attention.append(result.attention)
        }
        #expect(MagpieGolden.error(conditional + unconditional, try golden.floats("forced.hidden")) < Self.bound)
        // The mean over the layers that tell where the speech is: 0 and 1.
        let layers = try golden.rows("forced.attention")
        let expected = (0..<attention.count).flatMap { frame in
            zip(layers[frame], layers[attention.count + frame]).map { ($0 + $1) / 2 }
        }
        #expect(MagpieGolden.error(attention.flatMap { $0 }, expected) < Self.bound)
    }

    @Test func `the local transformer's scores and best codes equal NeMo's`() throws {
        let (golden, bench) = (try MagpieGolden(), try MagpieBench())
        let h = bench.h
        let hidden = try golden.floats("forced.hidden")
        let frames = hidden.count / 2 / h.width
        let work = LocalTransformer.Work(
            conditional: Array(hidden[((frames - 1) * h.width)..<(frames * h.width)]),
            unconditional: Array(hidden.suffix(h.width)),
            sampling: MagpieSampling(temperature: 0, topK: 1, guidance: 2.5),
            allowsEnd: true,
            uniforms: [Double](repeating: 0, count: h.codebooks)
        )
        let best = try golden.integers("local.codes")
        #expect(try bench.local.codes([work]) == [best])
        let expected = try golden.floats("local.logits")
        let size = 2 * h.audioVocabulary
        for codebook in 0..<h.codebooks {
            let scores = try bench.local.scores(codebook, [work], [Array(best.prefix(codebook))])
            let part = Array(expected[(codebook * size)..<((codebook + 1) * size)])
            #expect(MagpieGolden.error(scores, part) < Self.bound)
        }
    }

    @Test func `the attention prior and its pointer equal NeMo's, step by step`() throws {
        let golden = try MagpieGolden()
        let configuration = try MagpieBench().defaults.prior
        for (name, length, history) in [
            ("4", 4, 0), ("6", 6, 0), ("9", 9, 0), ("22", 22, 0), ("30", 30, 0), ("30.after.10", 30, 10),
            ("50.after.20", 50, 20), ("50.after.20.sink", 50, 20),
        ] {
            let attention = try golden.rows("prior.\(name).attention")
            let pointers = try golden.integers("prior.\(name).pointer")
            let weights = try golden.rows("prior.\(name).weights")
            var prior =
                history == 0
                ? AttentionPrior(configuration, length: length)
                : AttentionPrior(configuration, length: length, history: history, pointer: history - 4)
            for step in attention.indices {
                prior.advance(attention[step], frame: step)
                #expect(prior.pointer == Int(pointers[step]), "\(name), step \(step)")
                let error = MagpieGolden.error(try #require(prior.weights), weights[step])
                #expect(error < 1e-6, "\(name), step \(step)")
            }
        }
    }

    @Test func `matrices rounded to 8 bits are wrong by no more than that`() throws {
        let (golden, bench) = (try MagpieGolden(), try MagpieBench(.eightBit))
        let text = try golden.integers("text")
        let codes = try golden.integerRows("forced.codes")
        let layers = try bench.encode(text)
        #expect(MagpieGolden.error(layers[1], try golden.floats("encoder.out")) < 4e-2)
        try bench.begin(seat: 0, text)
        var (conditional, unconditional): ([Float], [Float]) = ([], [])
        for frame in 0...codes.count {
            let before = frame > 0 ? codes[frame - 1] : nil
            let work = Decoder.Work(seat: 0, codes: before, frame: frame, textLength: text.count, prior: nil)
            let result = try bench.decoder.step([work])[0]
            conditional += result.conditional
            unconditional += result.unconditional
        }
        #expect(MagpieGolden.error(conditional + unconditional, try golden.floats("forced.hidden")) < 4e-2)
    }
}
