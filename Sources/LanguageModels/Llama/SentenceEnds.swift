internal import Foundation
internal import Inference

/// The tokens of a vocabulary that end a sentence or a message, and how likely one of them is next.
///
/// A model that was trained on text knows where sentences can end: behind "set a timer for" it expects a number, behind "set a
/// timer for ten minutes" a full stop. LiveKit's turn detector asks a language model for the end of a user's message in the same
/// way (livekit/agents, livekit-plugins-turn-detector); here the model that answers is asked, while it reads what it is to
/// answer, so that the question costs one more row of scores.
struct SentenceEnds: Sendable {
    private let tokens: [Int]

    init(_ tokens: [TokenID]) {
        self.tokens = tokens.map(Int.init)
    }

    /// Signs that end a sentence. An ellipsis does not: whoever says so goes on.
    private static let signs: Set<Character> = [".", "?", "!", "。", "？", "！", "؟", "।"]

    /// Whether a token's text ends a sentence and does nothing else.
    static func isEnd(_ bytes: [UInt8]) -> Bool {
        guard let text = String(validating: bytes, as: UTF8.self) else { return false }
        if !text.isEmpty, text.allSatisfy(\.isNewline) { return true }
        let signs = text.drop { $0 == " " }.prefix { Self.signs.contains($0) }
        guard !signs.isEmpty, signs.filter({ $0 == "." }).count < 2 else { return false }
        // A quotation may end with the sentence.
        return ["", "\"", "'", "\u{201d}"].contains(text.drop { $0 == " " }.dropFirst(signs.count))
    }

    /// A message without the signs that end its last sentence: recognisers put one wherever they are asked.
    static func removed(from text: String) -> String {
        var words = text[...]
        while let last = words.last, last.isWhitespace || signs.contains(last) || last == "…" { words.removeLast() }
        return String(words)
    }

    /// The probability that one of them comes next.
    /// - Parameter logits: of every token of the vocabulary.
    /// - Returns: in [0, 1]; nil where the scores are no numbers.
    func probability(_ logits: Span<Float>) -> Float? {
        var most = -Float.infinity
        for index in logits.indices { most = max(most, logits[index]) }
        var sum: Float = 0
        for index in logits.indices { sum += exp(logits[index] - most) }
        let ends = tokens.reduce(0) { $0 + ($1 < logits.count ? exp(logits[$1] - most) : 0) }
        let share = ends / sum
        return share.isFinite ? min(share, 1) : nil
    }
}
