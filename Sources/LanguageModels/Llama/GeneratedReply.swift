internal import Inference
internal import VoiceCore

/// A message that the model has said, token by token.
///
/// When the message comes back in the conversation, whole or cut off where the user interrupted, the tokens in memory
/// are used again: tokenising the text could give others, and everything after them would have to be read anew.
struct GeneratedReply: Sendable {
    private(set) var tokens: [TokenID] = []
    /// What was said; neither thoughts nor calls.
    private(set) var text = ""
    /// UTF-8 bytes of `text` after each token; nil where a token ends inside a character, in thoughts or in a call.
    private var ends: [Int?] = []
    private var reasoning = ""
    private var calls: [ToolCall] = []
    private var hasMalformedCalls = false
    private var hasThought: Bool
    /// The first token that is no thought; nil while there is none, or where it is one in part.
    private var answerStart: Int?

    init(beginsInThought: Bool = false) {
        hasThought = beginsInThought
        answerStart = beginsInThought ? nil : 0
    }

    /// A message that was begun before.
    init(_ begun: BegunMessage) {
        self.init()
        tokens = begun.tokens
        text = begun.text
        ends = Array(repeating: nil, count: max(0, tokens.count - 1)) + (tokens.isEmpty ? [] : [begun.length])
    }

    /// Adds a token and what it completed.
    /// - Parameters:
    ///   - piece: the token's own text.
    ///   - isThought: whether what comes next is a thought.
    ///   - isAtBoundary: whether all of the text so far is in `events`.
    mutating func append(
        _ token: TokenID,
        _ events: [ReplyEvent],
        text piece: String,
        isThought: Bool = false,
        isAtBoundary: Bool
    ) {
        let wasSilent = text.isEmpty
        tokens.append(token)
        note(events)
        ends.append(isAtBoundary ? text.utf8.count : nil)
        if isThought {
            hasThought = true
            answerStart = nil
        } else if hasThought, wasSilent {
            if text.isEmpty, isAtBoundary { answerStart = tokens.count }
            // White space after the thoughts that is part of the first word's token.
            if !text.isEmpty, text != piece { answerStart = nil }
        }
    }

    /// Adds what only the end of the reply has made clear.
    mutating func finish(_ events: [ReplyEvent]) {
        let before = text.utf8.count
        note(events)
        if text.utf8.count > before, !ends.isEmpty { ends[ends.count - 1] = text.utf8.count }
    }

    private mutating func note(_ events: [ReplyEvent]) {
        for event in events {
            switch event {
            case .text(let piece): text += piece
            case .reasoning(let piece): reasoning += piece
            case .toolCall(let call): calls.append(call)
            case .malformedCall: hasMalformedCalls = true
            case .finished, .delayed, .completeness: break
            }
        }
    }

    /// The tokens that a message consists of, and what of its text they leave over; nil when it is not this reply, or not how
    /// this reply begins.
    /// - Parameter showsReasoning: whether the prompt shows the thoughts of this message.
    func tokens(of message: ChatMessage, showsReasoning: Bool) -> (said: ArraySlice<TokenID>, rest: String)? {
        var start = answerStart
        if showsReasoning {
            start = PythonText.strip(message.reasoning ?? "") == PythonText.strip(reasoning) ? 0 : nil
        }
        guard let start else { return nil }
        guard message.toolCalls.isEmpty else {
            let isWhole =
                !hasMalformedCalls && Self.areSame(message.toolCalls, calls)
                && PythonText.strip(message.content) == PythonText.strip(text)
            return isWhole ? (tokens[start...], "") : nil
        }
        return tokens(within: message.content, from: start)
    }

    /// The tokens that lie completely inside `content`, and what of it they leave over; nil when `content` is not how
    /// this reply begins.
    private func tokens(within content: String, from start: Int) -> (said: ArraySlice<TokenID>, rest: String)? {
        guard text.utf8.starts(with: content.utf8) else { return nil }
        let length = content.utf8.count
        let kept = (ends.lastIndex { $0.map { $0 <= length } ?? false }).map { $0 + 1 } ?? 0
        guard kept > start else { return (tokens[start..<start], content) }
        let covered = ends[kept - 1] ?? 0
        return (tokens[start..<kept], String(decoding: content.utf8.dropFirst(covered), as: UTF8.self))
    }

    /// Identifiers are for whoever carries calls out; the model never sees them.
    private static func areSame(_ some: [ToolCall], _ others: [ToolCall]) -> Bool {
        some.map(\.name) == others.map(\.name) && some.map(\.arguments) == others.map(\.arguments)
    }
}
