/// What drafting answers before the end of a turn gave, and what it cost.
public struct SpeculationCount: Sendable, Codable, Equatable {
    /// Answers begun before their turn was over.
    public private(set) var drafts = 0
    /// Those that were heard.
    public private(set) var hits = 0
    /// Tokens that language models generated for all answers.
    public private(set) var generatedTokens = 0
    /// Those of drafts that were thrown away.
    public private(set) var wastedTokens = 0

    /// Epochs of the drafts that were thrown away.
    private var withdrawn: Set<Int> = []
    /// Turns that threw one away.
    private(set) var missed: Set<Int> = []

    init() {}

    /// Notes a new draft.
    mutating func begin() { drafts += 1 }

    /// Notes that a draft was heard.
    mutating func hit() { hits += 1 }

    /// Notes that a draft was thrown away.
    mutating func withdraw(_ epoch: Int, turn: Int) {
        withdrawn.insert(epoch)
        missed.insert(turn)
    }

    /// Notes how many tokens an answer took in all; after ``withdraw(_:turn:)`` where it was thrown away.
    mutating func count(_ tokens: Int, of epoch: Int) {
        generatedTokens += tokens
        if withdrawn.contains(epoch) { wastedTokens += tokens }
    }

    private enum CodingKeys: String, CodingKey {
        case drafts, hits
        case generatedTokens = "generated_tokens"
        case wastedTokens = "wasted_tokens"
    }
}
