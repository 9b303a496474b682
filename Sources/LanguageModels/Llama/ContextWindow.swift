internal import Inference
internal import VoiceCore

/// Chooses which part of a conversation a model with a bounded context gets to see.
///
/// The system message always stays, and so does the newest turn. When the whole does not fit, the oldest turns are left
/// out, several at once, until half of the room is free: leaving out a turn moves everything behind it, so that it has
/// to be read again, and that should not happen every turn. What was left out stays out for as long as the
/// conversation goes on. When the newest turn alone is too long, the text of its longest message is cut to its last
/// tokens; a system message that takes more than half of the room is cut in the same way.
///
/// Room can be asked for that a question to come needs: turns are left out for it, too, so that this happens while nobody waits.
struct ContextWindow: Sendable {
    /// One message, or what stands before the first, and its tokens.
    struct Part {
        var rendered: RenderedMessage
        var tokens: [TokenID]
    }

    /// A conversation as tokens: what stands before the first message, and the messages.
    struct Parts {
        var head: Part
        var body: [Part]

        var count: Int { head.tokens.count + ContextWindow.count(body) }
    }

    /// What is to be read.
    struct Fitted {
        var tokens: [TokenID]
        /// Those before the first message: instructions and tools.
        var headCount: Int
        /// Those before the newest turn.
        var turnStart: Int
        /// The message that begins the newest turn.
        var newest: Part?
    }

    /// Messages left out after the leading system message, and the first one that stayed.
    private var dropped: (count: Int, next: ChatMessage)?

    /// The tokens to be read.
    /// - Parameters:
    ///   - messages: the conversation, oldest first.
    ///   - limit: tokens that the result may have.
    ///   - room: how many of them to leave to a question to come where turns can be left out for it.
    ///   - tokenizer: renders a message that has to be cut.
    ///   - render: writes messages down. What a message looks like can depend on those before it, so what is left after some
    ///     were left out is written anew.
    mutating func fit(
        _ messages: [ChatMessage],
        limit: Int,
        leaving room: Int = 0,
        _ tokenizer: PromptTokenizer,
        _ render: ([ChatMessage]) -> Parts
    ) -> Fitted {
        let system = messages.prefix(messages.first?.role == .system ? 1 : 0)
        var body = Array(messages.dropFirst(system.count))
        dropKnown(&body)
        var parts = render(system + body)
        if parts.count > limit - room, dropTurns(&body, parts, of: limit) { parts = render(system + body) }
        let head = cut([parts.head], to: parts.count > limit ? limit / 2 : limit, tokenizer)
        let rest = cut(parts.body, to: limit - Self.count(head), tokenizer)
        let newest = body.lastIndex { $0.role == .user } ?? rest.count
        return Fitted(
            tokens: (head + rest).flatMap(\.tokens),
            headCount: Self.count(head),
            turnStart: Self.count(head) + Self.count(Array(rest.prefix(newest))),
            newest: rest.indices.contains(newest) ? rest[newest] : nil
        )
    }

    private static func count(_ parts: [Part]) -> Int { parts.reduce(0) { $0 + $1.tokens.count } }

    /// Leaves out what was left out last time, if this is still the same conversation.
    private mutating func dropKnown(_ body: inout [ChatMessage]) {
        guard let dropped else { return }
        guard body.count > dropped.count, body[dropped.count] == dropped.next else {
            self.dropped = nil
            return
        }
        body.removeFirst(dropped.count)
    }

    /// Leaves out whole turns; a turn begins with a user's message.
    /// - Returns: false if there is only one.
    private mutating func dropTurns(_ body: inout [ChatMessage], _ parts: Parts, of limit: Int) -> Bool {
        let room = limit - parts.head.tokens.count
        let newest = body.lastIndex { $0.role == .user } ?? max(0, body.count - 1)
        var start = 0
        while start < newest, Self.count(Array(parts.body[start...])) > room - limit / 2 {
            start = body[(start + 1)...].firstIndex { $0.role == .user } ?? newest
        }
        guard start > 0 else { return false }
        body.removeFirst(start)
        dropped = ((dropped?.count ?? 0) + start, body[0])
        return true
    }

    /// Cuts the longest message, then the next, until all fit.
    private func cut(_ parts: [Part], to room: Int, _ tokenizer: PromptTokenizer) -> [Part] {
        var parts = parts
        for index in parts.indices.sorted(by: { parts[$0].tokens.count > parts[$1].tokens.count }) {
            let excess = Self.count(parts) - max(0, room)
            guard excess > 0 else { break }
            let frame = tokenizer.tokens(of: parts[index].rendered, keepingLast: 0).count
            let keep = max(0, parts[index].tokens.count - frame - excess)
            parts[index].tokens = tokenizer.tokens(of: parts[index].rendered, keepingLast: keep)
        }
        return parts
    }
}
