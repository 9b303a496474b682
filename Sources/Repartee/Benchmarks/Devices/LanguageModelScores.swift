internal import Inference
internal import VoiceCore

/// A language model's scores on one device, of a fixed text and of the tokens that continue it.
///
/// The text is read in batches; then its memory is copied, tokens follow one at a time, the copy is put back, and the same
/// tokens follow again. The second time must give what the first gave: a copy that misses something shows.
struct LanguageModelScores {
    /// Tokens that follow the text, of the first device's choice.
    private(set) var choices: [TokenID] = []
    /// The most probable token after the text and after each of ``choices`` but the last.
    private(set) var best: [TokenID] = []
    /// Scores after each batch of the text and each of ``choices``, rows of the vocabulary's length.
    private(set) var first: [Float] = []
    /// The same, with those of the second time in place of the first time's.
    private(set) var second: [Float] = []
    /// Milliseconds of each step the first time.
    private(set) var firstTimes: [Double] = []
    /// Milliseconds of each step after the copy.
    private(set) var secondTimes: [Double] = []
    /// Milliseconds of each copy.
    private(set) var copyTimes: [Double] = []

    private static let batch = 32

    /// Loads the model and computes.
    /// - Parameter choices: the tokens that follow the text; nil to take the most probable ones.
    init(path: String, device: Device, threads: Int, steps: Int, choices: [TokenID]?) throws(VoiceError) {
        let model = try LlamaModel(GGUFFile(path: path), options: LlamaModel.Options(device: device))
        let text = Array(model.tokenize(BenchmarkUtterances.long.joined(separator: ". ")).prefix(256))
        let options = LlamaContext.Options(
            cells: 4 * (text.count + steps),
            sequences: 2,
            batch: Self.batch,
            threads: threads,
            sharesCells: true
        )
        let context = try LlamaContext(model, options: options)
        var last: [Float] = []
        for start in stride(from: 0, to: text.count, by: Self.batch) {
            let part = text[start..<min(text.count, start + Self.batch)]
            last = try Self.scores(context, after: part, at: start)
            first += last
        }
        second = first
        try copy(context, 0, to: 1)
        for step in 0..<steps {
            let mostProbable = Self.mostProbable(last)
            best.append(mostProbable)
            let token = choices.map { step < $0.count ? $0[step] : mostProbable } ?? mostProbable
            self.choices.append(token)
            let time = try Self.milliseconds { () throws(VoiceError) in
                last = try Self.scores(context, after: [token], at: text.count + step)
            }
            firstTimes.append(time)
            first += last
        }
        try copy(context, 1, to: 0)
        for (step, token) in self.choices.enumerated() {
            let time = try Self.milliseconds { () throws(VoiceError) in
                last = try Self.scores(context, after: [token], at: text.count + step)
            }
            secondTimes.append(time)
            second += last
        }
    }

    private mutating func copy(_ context: LlamaContext, _ source: Int, to target: Int) throws(VoiceError) {
        copyTimes.append(try Self.milliseconds { () throws(VoiceError) in context.copy(source, to: target) })
    }

    private static func scores(
        _ context: LlamaContext,
        after tokens: ArraySlice<TokenID>,
        at position: Int
    ) throws(VoiceError) -> [Float] {
        guard try context.decode([LlamaContext.Row(tokens, at: position, sequence: 0)]) else {
            throw VoiceError(.exhausted, "The model's memory is too small for the comparison.")
        }
        return try context.withLogits(of: 0) { (logits) throws(VoiceError) in
            var row: [Float] = []
            row.reserveCapacity(logits.count)
            for index in 0..<logits.count { row.append(logits[index]) }
            return row
        }
    }

    private static func mostProbable(_ scores: [Float]) -> TokenID {
        TokenID(scores.indices.max { scores[$0] < scores[$1] } ?? 0)
    }

    private static func milliseconds(_ work: () throws(VoiceError) -> Void) throws(VoiceError) -> Double {
        let clock = SystemClock()
        let start = clock.now
        try work()
        return (clock.now - start).milliseconds
    }
}
