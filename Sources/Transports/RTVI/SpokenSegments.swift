internal import VoiceCore

/// The pieces of one reply and how much of each was heard.
///
/// A value. Clauses follow one another without gap, so the length of what was heard of the reply tells it for each of them.
struct SpokenSegments: Sendable {
    private struct Segment {
        var number: Int
        /// The clause as it stands in the reply.
        var clause: String
        /// The bytes of the reply before it.
        var start: Int
        var isShown = false
        var shown = 0

        /// How many bytes of it were heard, of the reply's first `count`.
        func heard(_ count: Int) -> Int { min(max(0, count - start), clause.utf8.count) }
    }

    private var segments: [Segment] = []
    private var length = 0
    private var heard = 0
    private var nextNumber = 1

    /// Begins another reply.
    mutating func begin() {
        segments = []
        length = 0
        heard = 0
    }

    /// Adds a clause. It is shown with the next ``show()`` unless it holds no words.
    mutating func add(_ clause: String) {
        segments.append(Segment(number: nextNumber, clause: clause, start: length))
        nextNumber += 1
        length += clause.utf8.count
    }

    /// The clauses that were not shown yet, as new pieces.
    mutating func show(isSpoken: Bool) -> [RTVIServerMessage.BotOutput] {
        var outputs: [RTVIServerMessage.BotOutput] = []
        for index in segments.indices where !segments[index].isShown {
            segments[index].isShown = true
            let text = segments[index].clause.trimmed
            guard !text.isEmpty else { continue }
            outputs.append(
                .init(text: text, segment: segments[index].number, isSpoken: isSpoken, status: .new, heard: "")
            )
        }
        return outputs
    }

    /// What the reply's heard part, `text`, means for the pieces; only changes, in order.
    ///
    /// - Returns: the pieces, and the words that are new.
    mutating func hear(_ text: String) -> (outputs: [RTVIServerMessage.BotOutput], words: String) {
        let count = text.utf8.count
        guard count > heard else { return ([], "") }
        let words = String(decoding: text.utf8.dropFirst(heard), as: UTF8.self).trimmed
        heard = count
        var outputs: [RTVIServerMessage.BotOutput] = []
        for index in segments.indices where segments[index].isShown {
            let segment = segments[index]
            let reached = segment.heard(count)
            guard reached > segment.shown else { continue }
            segments[index].shown = reached
            guard let output = Self.output(segment, reached: reached) else { continue }
            outputs.append(output)
        }
        return (outputs, words)
    }

    /// A piece of which `reached` bytes were heard; nil if these hold no words.
    private static func output(_ segment: Segment, reached: Int) -> RTVIServerMessage.BotOutput? {
        let text = segment.clause.trimmed
        let heardClause = String(decoding: segment.clause.utf8.prefix(reached), as: UTF8.self)
        let isComplete = reached == segment.clause.utf8.count
        // The white space around a clause is no part of the piece.
        let heard = isComplete ? text : String(text.prefix(heardClause.drop(while: \.isWhitespace).count))
        guard !text.isEmpty, !heard.isEmpty else { return nil }
        return .init(
            text: text,
            segment: segment.number,
            isSpoken: true,
            status: heard.count == text.count ? .completed : .inProgress,
            heard: heard
        )
    }
}
