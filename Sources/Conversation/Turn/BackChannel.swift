/// Words by which a listener says "go on" and does not take the turn (Yngve 1970, "On getting a word in edgewise").
package struct BackChannel: Sendable, Equatable {
    /// What people say while they listen, in English.
    package static let english = BackChannel([
        "mhm", "mm", "mmm", "mm-hmm", "hm", "hmm", "uh-huh", "uh", "um", "ah", "oh", "huh",
        "yeah", "yep", "yes", "okay", "ok", "alright", "all right", "right", "sure", "exactly", "true",
        "I see", "got it", "gotcha", "of course", "I know", "go on", "cool", "nice", "great", "good", "wow", "really",
    ])

    /// Each phrase as its words in lower case, longest first.
    private let phrases: [[String]]

    /// Makes a list; case and punctuation do not count.
    package init(_ phrases: [String]) {
        self.phrases = phrases.map(\.spokenWords).filter { !$0.isEmpty }.sorted { $0.count > $1.count }
    }

    /// Whether a text is made of these phrases only; true for a text without words.
    package func covers(_ text: String) -> Bool {
        var rest = text.spokenWords[...]
        while !rest.isEmpty {
            guard let phrase = phrases.first(where: { rest.starts(with: $0) }) else { return false }
            rest.removeFirst(phrase.count)
        }
        return true
    }
}
