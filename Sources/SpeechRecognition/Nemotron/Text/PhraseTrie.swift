internal import Foundation
internal import VoiceCore

/// The phrases that one stream shall prefer, as an Aho-Corasick automaton over token ids.
///
/// Each phrase is taken as given, in lower case and with its first letter capitalised, spelt as the tokeniser spells
/// it. A phrase begins at a word start because its first token does; in a script without spaces it begins anywhere.
/// Built once per stream (up to a quarter of a second for the most and longest phrases); a copy shares the tables.
///
/// How much a token is worth grows with its place in the phrase: `phraseBoost` for the first, `phraseBoost * (2 +
/// ln(n))` for the n-th, at most ``maximumBonus``. Those are the weights of NeMo's boosting tree
/// (`context_graph_universal.py`, _get_token_score, with context_score 1 and depth_scaling 2, NeMo 3.0.0) and of
/// NVIDIA/NeMo-Speech.cpp at 4f96762 (`src/asr/decoders/context_biasing.cpp`); the boost is what they call alpha. Two
/// choices are ours:
/// - No back-off. Both references take back what an abandoned phrase was given, which for greedy decoding (where the
///   token is already out) means that the whole sum so far is added to the next token of the phrase: after two or three
///   tokens nothing else can win. Here a token is worth its own weight only.
/// - The bonus is bounded, not the boost. NVIDIA limits the boost to 5 (`decoder.h`, boosting_max_boost), because
///   greedy decoding inserts and repeats phrases beyond it.
struct PhraseTrie: Sendable {
    static let maximumCount = 1_000
    /// Unicode scalars in a phrase.
    static let maximumLength = 100
    /// Nats; the upper end of ``RecognitionOptions/phraseBoost``.
    static let maximumBonus: Float = 10
    private static let depthScaling: Float = 2

    /// A place in some phrase: the tokens so far. The root is node 0.
    struct Node: Sendable {
        /// The next tokens, by id, and the nodes behind them.
        fileprivate(set) var children: [Int32: Int] = [:]
        /// The longest other beginning of a phrase that the tokens so far end with.
        fileprivate(set) var fallback = 0
        /// What each of the next tokens is worth.
        fileprivate(set) var bonus: Float
    }

    private(set) var nodes: [Node]
    private let boost: Float

    /// - Parameter boost: nats for the first token of a phrase: ``RecognitionOptions/phraseBoost``.
    /// - Throws: ``VoiceError/Code/usage`` when there are too many phrases, when one is empty, too long or not to be
    ///   spelt in the vocabulary, or when the boost is not in [0, 10].
    init(phrases: [String], boost: Float, vocabulary: TokenVocabulary) throws(VoiceError) {
        guard phrases.count <= Self.maximumCount else {
            throw VoiceError(.usage, "\(phrases.count) phrases are too many: give at most \(Self.maximumCount)")
        }
        guard (0...Self.maximumBonus).contains(boost) else {
            throw VoiceError(.usage, "a phrase boost of \(boost) makes no sense: give 0 to \(Self.maximumBonus)")
        }
        self.boost = boost
        nodes = [Node(bonus: Self.bonus(boost: boost, depth: 0))]
        for phrase in phrases {
            for tokens in try Self.spellings(of: phrase, vocabulary) { insert(tokens) }
        }
        linkFallbacks()
    }

    private static func bonus(boost: Float, depth: Int) -> Float {
        let weight = depth == 0 ? 1 : depthScaling + log(Float(depth + 1))
        return min(boost * weight, maximumBonus)
    }

    private static func spellings(of phrase: String, _ vocabulary: TokenVocabulary) throws(VoiceError) -> [[Int32]] {
        guard phrase.unicodeScalars.count <= maximumLength else {
            let length = phrase.unicodeScalars.count
            throw VoiceError(.usage, "a phrase of \(length) characters is too long: give at most \(maximumLength)")
        }
        let given = phrase.trimmingCharacters(in: .whitespacesAndNewlines)
        let forms = [given, given.lowercased(), given.prefix(1).uppercased() + given.dropFirst()]
        var spellings = forms.compactMap { vocabulary.encode($0) }
        guard !spellings.isEmpty else {
            throw VoiceError(.usage, "the model cannot write the phrase '\(given)': spell it with other characters")
        }
        guard !spellings.contains([]) else { throw VoiceError(.usage, "a phrase is empty: leave it out") }
        if let first = given.unicodeScalars.first, TokenVocabulary.standsAlone(first) {
            spellings += [vocabulary.encode(given, atWordStart: false)].compactMap { $0 }
        }
        return spellings
    }

    private mutating func insert(_ tokens: [Int32]) {
        var node = 0
        for (depth, token) in tokens.enumerated() {
            if let child = nodes[node].children[token] {
                node = child
            } else {
                nodes[node].children[token] = nodes.count
                node = nodes.count
                nodes.append(Node(bonus: Self.bonus(boost: boost, depth: depth + 1)))
            }
        }
    }

    /// Breadth first, so that the shorter beginnings are linked before the longer ones (Aho and Corasick 1975,
    /// algorithm 3).
    private mutating func linkFallbacks() {
        var queue = Array(nodes[0].children.values)
        var head = 0
        while head < queue.count {
            let node = queue[head]
            head += 1
            for (token, child) in nodes[node].children {
                nodes[child].fallback = follow(token, from: nodes[node].fallback)
                queue.append(child)
            }
        }
    }

    /// The node after one more token: the longest beginning of a phrase that the tokens now end with.
    func follow(_ token: Int32, from node: Int) -> Int {
        var node = node
        while true {
            if let child = nodes[node].children[token] { return child }
            if node == 0 { return 0 }
            node = nodes[node].fallback
        }
    }
}
