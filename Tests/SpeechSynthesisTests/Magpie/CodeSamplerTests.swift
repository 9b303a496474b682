internal import Testing
internal import VoiceCore

@testable internal import SpeechSynthesis

/// Drawing codes: NeMo's probabilities, and the corners.
@Suite struct CodeSamplerTests {
    private func draw(
        _ sampler: CodeSampler,
        _ scores: [Float],
        _ others: [Float]? = nil,
        temperature: Float = 1,
        topK: Int = 80,
        guidance: Float = 1,
        allowsEnd: Bool = true,
        uniform: Double
    ) -> Int32 {
        let sampling = MagpieSampling(temperature: temperature, topK: topK, guidance: guidance)
        let others = others ?? scores
        return sampler.draw(scores.span, others.span, sampling, allowsEnd: allowsEnd, uniform: uniform)
    }

    @Test func `codes are drawn with NeMo's probabilities`() throws {
        let (golden, bench) = (try MagpieGolden(), try MagpieBench())
        let sampler = CodeSampler(bench.h)
        let scores = try golden.rows("local.logits")
        for (codebook, shares) in try golden.rows("local.shares").enumerated() {
            var counts = [Int](repeating: 0, count: shares.count)
            let draws = 2000
            for index in 0..<draws {
                let code = draw(
                    sampler,
                    scores[2 * codebook],
                    scores[2 * codebook + 1],
                    temperature: 0.6,
                    topK: 9,
                    guidance: 2.5,
                    uniform: (Double(index) + 0.5) / Double(draws)
                )
                counts[Int(code)] += 1
            }
            // Evenly spread numbers hit each code in proportion, to within one at either border.
            for (code, share) in shares.enumerated() {
                #expect(abs(Float(counts[code]) - share * Float(draws)) <= 2, "codebook \(codebook), code \(code)")
            }
        }
    }

    @Test func `special codes are never drawn, and the end only where it may be`() throws {
        let h = try MagpieBench().h
        let sampler = CodeSampler(h)
        var scores = [Float](repeating: 0, count: h.audioVocabulary)
        for special in h.codes..<h.audioVocabulary { scores[special] = 10 }
        for uniform in [0, 0.5, 0.999999] {
            #expect(draw(sampler, scores, allowsEnd: false, uniform: uniform) < h.codes)
            let code = Int(draw(sampler, scores, topK: 1, uniform: uniform))
            #expect(code == h.audioEnd)
        }
        scores[h.audioEnd] = -10
        #expect(draw(sampler, scores, temperature: 0, uniform: 0) == 0)
    }

    @Test(arguments: [1, 2, 3, 50, 120, 121, 5000]) func `only the best may be drawn, and what equals the last of them`(
        topK: Int
    ) throws {
        let h = try MagpieBench().h
        let sampler = CodeSampler(h)
        var generator = SplitMix64(seed: 1)
        // Few different values: many are equal.
        let scores = (0..<h.audioVocabulary).map { _ in Float(generator.next() % 8) }
        let sorted = (Array(scores.prefix(h.codes)) + [scores[h.audioEnd]]).sorted(by: >)
        let least = sorted[min(topK, sorted.count) - 1]
        var drawn: Set<Int32> = []
        for index in 0..<4000 {
            drawn.insert(draw(sampler, scores, temperature: 100, topK: topK, uniform: Double(index) / 4000))
        }
        let expected = Set(
            scores.indices.filter { ($0 < h.codes || $0 == h.audioEnd) && scores[$0] >= least }.map(Int32.init)
        )
        #expect(topK == 1 ? drawn.isSubset(of: expected) : drawn == expected)
    }

    @Test func `scores that are infinite or not numbers give some code`() throws {
        let h = try MagpieBench().h
        let sampler = CodeSampler(h)
        for value in [Float.nan, .infinity, -.infinity] {
            let scores = [Float](repeating: value, count: h.audioVocabulary)
            for temperature in [0, 0.6] as [Float] {
                let code = Int(draw(sampler, scores, temperature: temperature, guidance: 2.5, uniform: 0.5))
                #expect(code < h.codes || code == h.audioEnd)
            }
        }
    }
}
