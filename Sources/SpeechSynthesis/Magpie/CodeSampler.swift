internal import VoiceCore

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// Draws one code from scores with and without text and voice.
///
/// Source: NeMo 3.0.0 `modules/magpietts_modules.py` (`sample_autoregressive`, `clear_forbidden_logits`).
struct CodeSampler {
    /// Codes that are sound; those above are special.
    let codes: Int
    /// The special code that ends speech.
    let end: Int

    init(_ h: MagpieHyperparameters) {
        codes = h.codes
        end = h.audioEnd
    }

    /// Draws a code.
    /// - Parameters:
    ///   - conditional: scores of all codes with text and voice.
    ///   - unconditional: the same without.
    ///   - allowsEnd: whether the end may be drawn; other special codes never are.
    ///   - uniform: a random number in [0, 1).
    func draw(
        _ conditional: borrowing Span<Float>,
        _ unconditional: borrowing Span<Float>,
        _ sampling: MagpieSampling,
        allowsEnd: Bool,
        uniform: Double
    ) -> Int32 {
        var scores = [Float](repeating: 0, count: codes + 1)
        let (s, t) = (sampling.guidance, 1 - sampling.guidance)
        for code in 0..<codes { scores[code] = s * conditional[code] + t * unconditional[code] }
        scores[codes] = allowsEnd ? s * conditional[end] + t * unconditional[end] : -.infinity
        let place = sampling.temperature > 0 ? drawn(scores, sampling, uniform) : greatest(scores)
        return Int32(place < codes ? place : end)
    }

    private func greatest(_ scores: [Float]) -> Int {
        var best = 0
        for index in scores.indices where scores[index] > scores[best] { best = index }
        return best
    }

    private func drawn(_ scores: [Float], _ sampling: MagpieSampling, _ uniform: Double) -> Int {
        let best = scores[greatest(scores)]
        guard sampling.topK > 1 else { return greatest(scores) }
        let least = threshold(scores, sampling.topK)
        var candidates: [(place: Int, weight: Double)] = []
        var sum = 0.0
        for place in scores.indices where scores[place] >= least && scores[place] > -.infinity {
            let weight = Double(exp((scores[place] - best) / sampling.temperature))
            sum += weight
            candidates.append((place, weight))
        }
        var left = uniform * sum
        for candidate in candidates {
            left -= candidate.weight
            if left < 0 { return candidate.place }
        }
        return candidates.last?.place ?? greatest(scores)
    }

    /// The score of rank `count`: whatever equals it may be drawn too.
    private func threshold(_ scores: [Float], _ count: Int) -> Float {
        guard count < scores.count else { return -.infinity }
        // The least of the best so far stands first.
        var heap = Array(scores.prefix(count))
        for place in stride(from: count / 2 - 1, through: 0, by: -1) { Self.sink(&heap, place) }
        for score in scores.dropFirst(count) where score > heap[0] {
            heap[0] = score
            Self.sink(&heap, 0)
        }
        return heap[0]
    }

    private static func sink(_ heap: inout [Float], _ start: Int) {
        var place = start
        while true {
            var child = 2 * place + 1
            guard child < heap.count else { return }
            if child + 1 < heap.count, heap[child + 1] < heap[child] { child += 1 }
            guard heap[child] < heap[place] else { return }
            heap.swapAt(child, place)
            place = child
        }
    }
}
