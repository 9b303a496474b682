internal import VoiceCore

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// Greedy search over the transducer's scores, for several streams at once.
///
/// For each encoder frame the best token is taken until it is the blank, at most a few per frame. All frames of a step are
/// scored together with the state at hand; the first that gives a token ends that round, because it changes the state.
///
/// Source: NeMo `parts/submodules/rnnt_greedy_decoding.py` (`GreedyRNNTInfer`, 2.6.0rc0).
struct GreedySearch {
    /// What a stream's search remembers. A value: a fork copies it.
    struct State: Sendable {
        /// The prediction network's memory.
        var predictor: Transducer.State
        /// Phrases that have begun; nil without phrases.
        var booster: PhraseBooster?
        /// The next encoder frame to decode, counted since the stream began. Frames before it have been decoded.
        var nextFrame = 0
    }

    let transducer: Transducer

    /// One stream's part in a round.
    struct Work {
        var state: State
        /// Encoder frames as the joint network sees them; the first has number ``firstFrame``.
        var frames: [[Float]]
        var firstFrame: Int
        /// Filled by the search.
        var tokens: [EmittedToken] = []
        fileprivate var cursor = 0
        fileprivate var symbols = 0

        init(state: State, frames: [[Float]], firstFrame: Int) {
            self.state = state
            self.frames = frames
            self.firstFrame = firstFrame
            // Frames that a final transcript has decoded already are not decoded again.
            cursor = max(0, state.nextFrame - firstFrame)
        }
    }

    /// The first token of a stream's remaining frames.
    private struct Found {
        var frame: Int
        var token: Int32
        var logProbability: Float
    }

    /// Decodes all frames of all streams.
    func decode(_ work: inout [Work]) throws(VoiceError) {
        while true {
            var pairs: [(frame: [Float], state: [Float])] = []
            var owners: [(stream: Int, frame: Int)] = []
            for stream in work.indices {
                let projected = work[stream].state.predictor.projected
                for frame in work[stream].frames.indices.dropFirst(work[stream].cursor) {
                    pairs.append((work[stream].frames[frame], projected))
                    owners.append((stream, frame))
                }
            }
            guard !pairs.isEmpty else { break }
            var found = [Found?](repeating: nil, count: work.count)
            try transducer.scores(of: pairs) { index, scores in
                let (stream, frame) = owners[index]
                guard found[stream] == nil else { return }
                let token = best(scores, work[stream].state.booster)
                guard token != transducer.h.blank else { return }
                let logProbability = scores[token] - Self.logSumExp(scores)
                found[stream] = Found(frame: frame, token: Int32(token), logProbability: logProbability)
            }
            try advance(&work, found)
        }
        for stream in work.indices {
            let end = work[stream].firstFrame + work[stream].frames.count
            work[stream].state.nextFrame = max(work[stream].state.nextFrame, end)
        }
    }

    private func advance(_ work: inout [Work], _ found: [Found?]) throws(VoiceError) {
        var (readers, tokens): ([Int], [Int32]) = ([], [])
        for stream in work.indices {
            guard let next = found[stream] else {
                work[stream].cursor = work[stream].frames.count
                continue
            }
            work[stream].symbols = next.frame == work[stream].cursor ? work[stream].symbols + 1 : 1
            work[stream].cursor = next.frame
            if work[stream].symbols >= transducer.h.maximumSymbols {
                work[stream].cursor += 1
                work[stream].symbols = 0
            }
            work[stream].tokens.append(
                EmittedToken(
                    id: next.token,
                    frame: work[stream].firstFrame + next.frame,
                    logProbability: next.logProbability
                )
            )
            work[stream].state.booster?.advance(next.token)
            readers.append(stream)
            tokens.append(next.token)
        }
        guard !readers.isEmpty else { return }
        var states = readers.map { work[$0].state.predictor }
        try transducer.predict(&states, reading: tokens)
        for (place, stream) in readers.enumerated() { work[stream].state.predictor = states[place] }
    }

    /// The best token; the lowest number wins among equals. Phrases choose between tokens, never against the blank.
    private func best(_ scores: borrowing Span<Float>, _ booster: PhraseBooster?) -> Int {
        var best = 0
        var value = -Float.infinity
        for token in scores.indices where scores[token] > value {
            best = token
            value = scores[token]
        }
        guard let booster, best != transducer.h.blank else { return best }
        for boost in booster.boostedTokens where scores[Int(boost.token)] + boost.bonus > value {
            best = Int(boost.token)
            value = scores[best] + boost.bonus
        }
        return best
    }

    private static func logSumExp(_ scores: borrowing Span<Float>) -> Float {
        var greatest = -Float.infinity
        for index in scores.indices { greatest = max(greatest, scores[index]) }
        var sum: Float = 0
        for index in scores.indices { sum += exp(scores[index] - greatest) }
        return greatest + log(sum)
    }
}
