internal import Inference
internal import VoiceCore

/// Chooses which part of a conversation a model with a bounded context gets to see.
///
/// The system message always stays, and so does the newest turn. When the whole does not fit, the oldest turns are left
/// out, several at once, until half of the room is free: leaving out a turn moves everything behind it, so that it has
/// to be read again, and that should not happen every turn. What was left out stays out for as long as the
/// conversation goes on. When the newest turn alone is too long, the text of its longest message is cut to its last
/// tokens; a system message that takes more than half of the room is cut in the same way.
struct ContextWindow: Sendable {
    /// One message and its tokens.
    struct Part {
        var message: ChatMessage
        var tokens: [TokenID]
        /// Whether `tokens` ends the message, or leaves it open to grow.
        var isOpen = false
    }

    /// Messages left out after the leading system message, and the first one that stayed.
    private var dropped: (count: Int, next: ChatMessage)?

    /// The tokens to be read.
    /// - Parameters:
    ///   - parts: the conversation, oldest first.
    ///   - limit: tokens that the result may have.
    ///   - chatML: renders a message that has to be cut.
    mutating func fit(_ parts: [Part], limit: Int, chatML: ChatML) -> [TokenID] {
        let headCount = parts.first?.message.role == .system ? 1 : 0
        let head = Array(parts.prefix(headCount))
        var body = Array(parts.dropFirst(headCount))
        dropKnown(&body)
        if count(head) + count(body) > limit { dropTurns(&body, room: limit - count(head), of: limit) }
        let fitted = cut(head, to: count(head) + count(body) > limit ? limit / 2 : limit, chatML)
        return (fitted + cut(body, to: limit - count(fitted), chatML)).flatMap(\.tokens)
    }

    private func count(_ parts: [Part]) -> Int { parts.reduce(0) { $0 + $1.tokens.count } }

    /// Leaves out what was left out last time, if this is still the same conversation.
    private mutating func dropKnown(_ body: inout [Part]) {
        guard let dropped else { return }
        guard body.count > dropped.count, body[dropped.count].message == dropped.next else {
            self.dropped = nil
            return
        }
        body.removeFirst(dropped.count)
    }

    /// Leaves out whole turns; a turn begins with a user's message.
    private mutating func dropTurns(_ body: inout [Part], room: Int, of limit: Int) {
        let before = body.count
        let newest = body.lastIndex { $0.message.role == .user } ?? max(0, body.count - 1)
        var start = 0
        while start < newest, count(Array(body[start...])) > room - limit / 2 {
            start = body[(start + 1)...].firstIndex { $0.message.role == .user } ?? newest
        }
        body.removeFirst(start)
        guard let next = body.first, start > 0 else { return }
        dropped = ((dropped?.count ?? 0) + before - body.count, next.message)
    }

    /// Cuts the longest message, then the next, until all fit.
    private func cut(_ parts: [Part], to room: Int, _ chatML: ChatML) -> [Part] {
        var parts = parts
        for index in parts.indices.sorted(by: { parts[$0].tokens.count > parts[$1].tokens.count }) {
            let excess = count(parts) - max(0, room)
            guard excess > 0 else { break }
            let frame = chatML.frameCount(of: parts[index].message)
            let keep = max(0, parts[index].tokens.count - frame - excess)
            parts[index].tokens = chatML.tokens(of: parts[index].message, keepingLast: keep)
        }
        return parts
    }
}
