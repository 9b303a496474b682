internal import Inference

/// A message that the model has said, token by token.
///
/// When the message comes back in the conversation, whole or cut off where the user interrupted, the tokens in memory
/// are used again: tokenising the text could give others, and everything after them would have to be read anew.
struct GeneratedReply: Sendable {
    private(set) var tokens: [TokenID] = []
    private(set) var text = ""
    /// UTF-8 bytes of `text` after each token; nil where a token ends inside a character.
    private var ends: [Int?] = []

    /// Adds a token and the text that it completed.
    mutating func append(_ token: TokenID, text piece: String, isAtBoundary: Bool) {
        tokens.append(token)
        text += piece
        ends.append(isAtBoundary ? text.utf8.count : nil)
    }

    /// The tokens that lie completely inside `content`, and what of it they leave over; nil when `content` is not how
    /// this reply begins.
    func tokens(within content: String) -> (said: ArraySlice<TokenID>, rest: String)? {
        guard text.utf8.starts(with: content.utf8) else { return nil }
        let length = content.utf8.count
        let kept = (ends.lastIndex { $0.map { $0 <= length } ?? false }).map { $0 + 1 } ?? 0
        let covered = kept == 0 ? 0 : ends[kept - 1] ?? 0
        return (tokens[..<kept], String(decoding: content.utf8.dropFirst(covered), as: UTF8.self))
    }
}
