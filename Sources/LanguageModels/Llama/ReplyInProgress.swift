internal import Inference
internal import VoiceCore

/// A reply while it is generated: tokens in, events out.
struct ReplyInProgress {
    var sampler: TokenSampler
    private(set) var generated: GeneratedReply
    /// The token that was chosen last and is not in memory yet.
    var pending: TokenID?
    /// Tokens that come next whatever the model would choose: the end of thoughts that took too long.
    var forced: [TokenID] = []

    private let maxTokens: Int
    private let budget: Int?
    private var assembler = TextAssembler()
    private var parser: ReplyParser
    private var stops: StopSequences
    private var thoughtTokens = 0
    private var spokenTokens = 0
    /// Whether white space comes that was said before.
    private var skipsSpace: Bool

    /// - Parameters:
    ///   - maxTokens: of everything but thoughts.
    ///   - budget: tokens of thoughts at most; nil for any number.
    ///   - begun: what it goes on with; nil where it begins.
    init(sampling: SamplingOptions, budget: Int?, parser: ReplyParser, begun: BegunMessage? = nil) {
        sampler = TokenSampler(sampling)
        maxTokens = max(0, sampling.maxTokens)
        self.budget = budget
        self.parser = parser
        stops = StopSequences(sampling.stop)
        generated = begun.map { GeneratedReply($0) } ?? GeneratedReply(beginsInThought: parser.isThinking)
        skipsSpace = begun?.endsInSpace ?? false
        sampler.remember(begun?.tokens ?? [])
    }

    /// Whether no more may be said.
    var isSpent: Bool { spokenTokens >= maxTokens }

    /// Whether what was said last is what a reply ends before.
    var isStopped: Bool { stops.isMatched }

    /// Whether the thoughts have taken what they may, and nothing was done about it yet.
    var mustStopThinking: Bool {
        guard let budget, forced.isEmpty else { return false }
        return parser.isThinking && thoughtTokens >= budget
    }

    /// Notes a token.
    /// - Parameters:
    ///   - bytes: what it stands for; of markup, its name.
    ///   - isForced: whether the model did not choose it.
    mutating func take(_ token: TokenID, _ bytes: [UInt8], isForced: Bool = false) -> [ReplyEvent] {
        if parser.isThinking { thoughtTokens += 1 } else if !isForced { spokenTokens += 1 }
        let text = unsaid(assembler.append(bytes))
        let events = stops.filter(parser.feed(text))
        generated.append(
            token,
            events,
            text: text,
            isThought: parser.isThinking,
            isAtBoundary: assembler.isAtBoundary && !parser.isHolding && !parser.isThinking && !parser.isCalling
                && !stops.isHolding && !stops.isMatched
        )
        pending = token
        return events
    }

    /// A piece without what was said before.
    private mutating func unsaid(_ piece: String) -> String {
        guard skipsSpace else { return piece }
        let rest = piece.drop(while: \.isWhitespace)
        skipsSpace = rest.isEmpty
        return String(rest)
    }

    /// Ends the reply.
    mutating func finish() -> [ReplyEvent] {
        let events = stops.finish(parser.finish())
        generated.finish(events)
        pending = nil
        return events
    }
}
