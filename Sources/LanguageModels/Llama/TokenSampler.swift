internal import Foundation
internal import Inference
internal import VoiceCore

/// Chooses the next token from a model's scores.
///
/// The steps and their order are those of llama.cpp's default chain: repeat penalty, top k, top p, min p, temperature,
/// draw. Repetition is counted within one reply: an agent may use its user's words.
struct TokenSampler: Sendable {
    private let options: SamplingOptions
    private var random: SplitMix64
    private var recent: [TokenID] = []
    private var candidates: [Candidate] = []

    private struct Candidate {
        var token: TokenID
        var logit: Float
    }

    /// Tokens back that count as repetition; llama.cpp's default.
    private static let repeatWindow = 64
    /// Candidates considered when `topK` asks for all: the rest has no measurable probability.
    private static let unlimited = 1024

    init(_ options: SamplingOptions) {
        self.options = options
        random = SplitMix64(seed: UInt64(options.seed))
        recent.reserveCapacity(Self.repeatWindow)
    }

    /// Chooses a token and remembers it.
    /// - Parameter logits: one score per token of the vocabulary, natural logarithm, not normalised.
    /// - Returns: nil when no score is a number.
    mutating func next(_ logits: Span<Float>) -> TokenID? {
        let count = options.temperature <= 0 ? 1 : options.topK > 0 ? min(options.topK, Self.unlimited) : Self.unlimited
        collect(logits, count)
        guard !candidates.isEmpty else { return nil }
        let token = options.temperature <= 0 ? candidates[0].token : draw()
        if recent.count == Self.repeatWindow { recent.removeFirst() }
        recent.append(token)
        return token
    }

    /// Counts tokens that stand before the first one as said in this reply.
    mutating func remember(_ tokens: [TokenID]) { recent = (recent + tokens).suffix(Self.repeatWindow) }

    /// Fills `candidates` with the `count` best tokens, best first, after the repeat penalty.
    private mutating func collect(_ logits: Span<Float>, _ count: Int) {
        candidates.removeAll(keepingCapacity: true)
        var worst = -Float.infinity
        for index in logits.indices {
            let logit = logits[index]
            guard logit > worst || (candidates.count < count && logit > -.infinity) else { continue }
            insert(Candidate(token: TokenID(index), logit: penalised(TokenID(index), logit)), count, &worst)
        }
    }

    private mutating func insert(_ candidate: Candidate, _ count: Int, _ worst: inout Float) {
        if candidates.count == count {
            guard candidate.logit > worst else { return }
            candidates.removeLast()
        }
        var (low, high) = (0, candidates.count)
        while low < high {
            let middle = (low + high) / 2
            if candidates[middle].logit >= candidate.logit { low = middle + 1 } else { high = middle }
        }
        candidates.insert(candidate, at: low)
        if candidates.count == count, let last = candidates.last { worst = last.logit }
    }

    /// The penalty only ever lowers a score, so comparing the raw score first skips no token that belongs.
    private func penalised(_ token: TokenID, _ logit: Float) -> Float {
        guard options.repeatPenalty > 1, recent.contains(token) else { return logit }
        return logit > 0 ? logit / options.repeatPenalty : logit * options.repeatPenalty
    }

    /// Draws one of the sorted candidates.
    private mutating func draw() -> TokenID {
        let best = candidates[0].logit
        narrow(best)
        let weights = candidates.map { Double(exp(($0.logit - best) / options.temperature)) }
        var remaining = Double.random(in: 0..<1, using: &random) * weights.reduce(0, +)
        for (candidate, weight) in zip(candidates, weights) {
            remaining -= weight
            if remaining < 0 { return candidate.token }
        }
        return candidates[0].token
    }

    /// Drops what top p and min p leave out; at least one candidate stays.
    private mutating func narrow(_ best: Float) {
        let weights = candidates.map { exp($0.logit - best) }
        let total = weights.reduce(0, +)
        var kept = candidates.count
        if options.topP < 1 {
            var sum: Float = 0
            kept =
                (weights.firstIndex { weight in
                    sum += weight
                    return sum >= options.topP * total
                } ?? kept - 1) + 1
        }
        if options.minP > 0 { kept = min(kept, max(1, weights.prefix { $0 >= options.minP }.count)) }
        candidates.removeLast(candidates.count - kept)
    }
}
