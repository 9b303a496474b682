package import VoiceCore

/// Knows which text of a reply belongs to which samples, and so what was heard.
///
/// A pure value. Clauses are substrings of the reply that follow one another without gap, so that what was heard is
/// always a prefix of the reply.
package struct Ledger: Sendable {
    private struct Clause: Sendable {
        var text: String
        var firstSample: Int
        var samples = 0
        var words: [SpokenWord] = []
        var isComplete = false
    }

    private var clauses: [Clause] = []

    /// Samples of the reply so far, at the playout rate.
    package private(set) var sampleCount = 0
    /// The reply's text so far, clause by clause.
    package var text: String { clauses.map(\.text).joined() }

    /// Makes an empty ledger.
    package init() {}

    /// Begins the next clause.
    package mutating func beginClause(_ text: String) {
        clauses.append(Clause(text: text, firstSample: sampleCount))
    }

    /// Adds audio of the clause begun last.
    ///
    /// - Parameters:
    ///   - samples: how many samples, at the playout rate.
    ///   - words: word borders that became known, `sampleEnd` counted from the clause's start at the playout rate.
    package mutating func append(samples: Int, words: [SpokenWord]) {
        precondition(!clauses.isEmpty, "audio belongs to a clause")
        clauses[clauses.count - 1].samples += samples
        clauses[clauses.count - 1].words += words
        sampleCount += samples
    }

    /// Ends the clause begun last: all of its audio is known.
    package mutating func endClause() {
        guard !clauses.isEmpty else { return }
        clauses[clauses.count - 1].isComplete = true
    }

    /// The text of the reply that is heard once `samples` samples were played: a prefix of ``text`` that ends at a word.
    ///
    /// Where the synthesiser gave no word borders, words are assumed to last as long as their letters are many.
    package func heard(afterSamples samples: Int) -> String {
        var heard = ""
        for clause in clauses {
            let played = samples - clause.firstSample
            if played >= clause.samples, clause.isComplete {
                heard += clause.text
                continue
            }
            guard played > 0 else { break }
            heard += prefix(of: clause, played: played)
            break
        }
        return heard
    }

    /// The sample at which the word that is being spoken after `samples` samples began; `samples` itself where the
    /// synthesiser gave no word borders.
    package func wordStart(atSample samples: Int) -> Int {
        guard let clause = clauses.last(where: { $0.firstSample <= samples }), !clause.words.isEmpty else {
            return samples
        }
        let played = samples - clause.firstSample
        return clause.firstSample + (clause.words.last { $0.sampleEnd <= played }?.sampleEnd ?? 0)
    }

    private func prefix(of clause: Clause, played: Int) -> String {
        let end: Int
        if clause.words.isEmpty {
            guard clause.isComplete, clause.samples > 0 else { return "" }
            let share = clause.text.utf8.count * played / clause.samples
            end = Self.lastWordEnd(in: clause.text, notAfter: share)
        } else {
            end = clause.words.last { $0.sampleEnd <= played }?.textEnd ?? 0
        }
        return Self.utf8Prefix(of: clause.text, length: end)
    }

    /// The UTF-8 offset of the last space at or before `offset`: whole words only.
    private static func lastWordEnd(in text: String, notAfter offset: Int) -> Int {
        let bytes = Array(text.utf8)
        if offset >= bytes.count { return bytes.count }
        return bytes[...max(0, offset)].lastIndex(of: UInt8(ascii: " ")) ?? 0
    }

    private static func utf8Prefix(of text: String, length: Int) -> String {
        let index = text.utf8.index(text.startIndex, offsetBy: length, limitedBy: text.endIndex) ?? text.endIndex
        // A border inside a character (an engine's mistake) falls back to the character's start.
        return String(text[..<(index.samePosition(in: text) ?? text.startIndex)])
    }
}
