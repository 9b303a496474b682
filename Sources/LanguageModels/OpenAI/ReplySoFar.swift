internal import VoiceCore

/// What a reply has said, so that another server can go on with it where one broke off.
///
/// A value. Text goes out up to the last border of a word only, for half a word could not be taken back. A server that goes on with a message
/// is sent what was said as the beginning of one. Others are asked to in words: what they say again of what was said is left out, and the seam
/// gets the space that it needs.
struct ReplySoFar {
    /// What a server is told that begins a new message.
    static let instruction = """
        (Your answer was cut off after these words by a fault of the line. Go on with it, beginning with the next word. Do not \
        repeat what you have said, and do not speak of the fault.)
        """
    /// A longer word is none: languages without spaces are not held up.
    private static let longestWord = 40

    /// What went out.
    private(set) var said = ""
    /// The beginning of a word, or behind a seam all that may repeat what was said.
    private var held = ""
    private var isAtSeam = false
    /// Whether what comes behind the seam is a server's rest of the message, not words of its own.
    private var isSeamless = false

    /// Takes the next piece.
    /// - Returns: what may go out; empty for nothing.
    mutating func feed(_ piece: String) -> String {
        held += piece
        if isAtSeam {
            guard let rest = rest(isAll: false) else { return "" }
            join(rest)
        }
        let word = held.reversed().prefix(while: Self.isInWord)
        return give(word.count > Self.longestWord ? held.count : held.count - word.count)
    }

    /// The reply is complete.
    /// - Returns: what is left of it.
    mutating func finish() -> String {
        if isAtSeam { join(rest(isAll: true) ?? "") }
        return give(held.count)
    }

    /// The server broke off: another one goes on.
    /// - Parameter server: what is known of that.
    mutating func breakOff(for server: CompletionServer.Continuing) {
        held = ""
        isAtSeam = true
        isSeamless = server == .exactly
    }

    /// What the next server is asked.
    func messages(after messages: [ChatMessage], for server: CompletionServer.Continuing) -> [ChatMessage] {
        guard server == .unknown else {
            // White space before a word is the server's to say: it belongs to the word's token.
            return messages + [ChatMessage(.assistant, PythonText.stripEnd(said))]
        }
        return messages + [ChatMessage(.assistant, said), ChatMessage(.user, Self.instruction)]
    }

    private mutating func give(_ count: Int) -> String {
        let out = String(held.prefix(count))
        held.removeFirst(count)
        said += out
        return out
    }

    private static func isInWord(_ character: Character) -> Bool {
        character.isLetter || character.isNumber || character == "'" || character == "’"
    }

    // MARK: - The seam

    /// What is held as far as it goes behind the seam; nil while nobody can tell.
    private func rest(isAll: Bool) -> String? {
        guard isSeamless else { return withoutRepetition(isAll: isAll) }
        return isAll || held.contains { !$0.isWhitespace } ? held : nil
    }

    private mutating func join(_ rest: String) {
        isAtSeam = false
        let isSpaced = said.last.map(\.isWhitespace) ?? true
        let trimmed = String(rest.drop(while: \.isWhitespace))
        let needsSpace = trimmed.first.map { Self.isInWord($0) || "\"“(".contains($0) } ?? false
        held = isSpaced ? trimmed : needsSpace && !isSeamless ? " " + trimmed : rest
    }

    /// What is held without its beginning, where that is the end of what was said; nil while nobody can tell.
    /// - Parameter isAll: whether no more comes.
    private func withoutRepetition(isAll: Bool) -> String? {
        var words = Self.words(in: held)
        // The last one may go on.
        if !isAll, let last = words.last, last.end == held.endIndex { words.removeLast() }
        guard !words.isEmpty || isAll else { return nil }
        let past = Self.words(in: said).map(\.text)
        var longest = 0
        for start in past.indices {
            let count = min(words.count, past.count - start)
            guard zip(past[start...], words).prefix(count).allSatisfy({ $0 == $1.text }) else { continue }
            // It says again what was said, and has not come to its end.
            if count < past.count - start { return isAll ? "" : nil }
            longest = max(longest, count)
        }
        guard longest > 0 else { return held }
        let rest = withoutSigns(held[words[longest - 1].end...])
        // What follows says whether there is a space to be left out.
        return isAll || rest.contains { !$0.isWhitespace } ? rest : nil
    }

    /// Text behind words that were said, without the full stop or comma that was said with them.
    private func withoutSigns(_ text: Substring) -> String {
        let signs = said.reversed().prefix { !Self.isInWord($0) }.filter { !$0.isWhitespace }.reversed()
        var rest = text
        for sign in signs {
            let next = rest.drop(while: \.isWhitespace)
            guard next.first == sign else { break }
            rest = next.dropFirst()
        }
        return String(rest)
    }

    private static func words(in text: String) -> [(text: String, end: String.Index)] {
        var words: [(text: String, end: String.Index)] = []
        var index = text.startIndex
        while index < text.endIndex {
            guard isInWord(text[index]) else {
                index = text.index(after: index)
                continue
            }
            let end = text[index...].firstIndex { !isInWord($0) } ?? text.endIndex
            words.append((text[index..<end].lowercased(), end))
            index = end
        }
        return words
    }
}

extension SamplingOptions {
    /// What a continued reply may say at least.
    private static let shortestRest = 16

    /// The same for the rest of a reply.
    /// - Parameter pieces: what it has said, about a token each.
    func rest(after pieces: Int) -> SamplingOptions {
        var rest = self
        rest.maxTokens = max(Self.shortestRest, maxTokens - pieces)
        return rest
    }
}
