/// Turns written English into words as they are spoken: numbers, money, dates, times, units, abbreviations, addresses;
/// Markdown, tags and emoji are taken off. Text in other scripts passes unchanged. TEXT.md lists the rules.
///
/// A value without state: one call reads one clause or sentence. That a number or an abbreviation is not cut in the middle
/// is the caller's business. Any text is allowed, of any length; the time is linear in it. What comes out, put in again,
/// comes out unchanged.
package struct EnglishNormalizer: Sendable {
    /// Makes a normaliser.
    package init() {}

    /// The words of `text` as they are spoken.
    package func spoken(_ text: String) -> SpokenText {
        var spoken = Self.onePass(text)
        // Taking a mixture apart can leave what a second look would read otherwise ("vs%"): look until nothing changes.
        for _ in 0..<Self.passes {
            let said = spoken.text
            let again = Self.onePass(said)
            spoken.work += again.work
            if again.text == said { break }
            spoken.words = Self.placed(again.words, in: spoken.words)
        }
        return spoken
    }

    /// More looks are never needed: each takes a mixture apart further.
    private static let passes = 6

    private static func onePass(_ text: String) -> SpokenText {
        let (cells, work) = MarkupStripper.strip(text)
        var reader = EnglishReader(tokens: TextToken.tokens(of: cells))
        reader.read()
        return SpokenText(words: reader.words, work: work + cells.count + reader.work)
    }

    /// Words made from the text of `originals`, with the places of those.
    private static func placed(_ words: [SpokenText.Word], in originals: [SpokenText.Word]) -> [SpokenText.Word] {
        var placed: [SpokenText.Word] = []
        // The word of the text where each one begins and ends; both only go forward.
        var starts: [Int] = []
        var position = 0
        for original in originals {
            starts.append(position)
            position += original.text.utf8.count + 1
        }
        var first = 0
        for word in words {
            while first + 1 < starts.count, starts[first + 1] <= word.source.lowerBound { first += 1 }
            var last = first
            while last + 1 < starts.count, starts[last + 1] < word.source.upperBound { last += 1 }
            guard first < originals.count else { break }
            let end = max(originals[last].source.upperBound, placed.last?.source.upperBound ?? 0)
            let start = min(originals[first].source.lowerBound, end)
            placed.append(SpokenText.Word(text: word.text, source: start..<end))
        }
        return placed
    }
}

/// Reads token after token; each reading may look a few tokens ahead and back.
struct EnglishReader {
    /// What a few tokens say.
    struct Reading {
        /// In order; a mark at the end of a word is a pause.
        var words: [String]
        /// How many tokens they are.
        var count = 1
        /// Whose the last token's full stop is.
        var stop = Stop.sentence
        /// The quotation mark or bracket before or after belongs to the reading and is not said.
        var takesMarks = false
    }

    /// Whose a full stop is.
    enum Stop {
        /// The sentence's.
        case sentence
        /// A title's: the sentence ends only where nothing follows or a word that begins sentences.
        case abbreviation
        /// That of a time or an "etc.": the sentence ends before any capital but those of names of time.
        case closing
    }

    let tokens: [TextToken]
    private(set) var words: [SpokenText.Word] = []
    private(set) var work = 0
    /// For each token: whether the words before and after are foreign, so that a number is left alone.
    private var isAmongForeign: [Bool]

    init(tokens: [TextToken]) {
        self.tokens = tokens
        isAmongForeign = Array(repeating: false, count: tokens.count)
        var before: [Bool?] = []
        var last: Bool?
        for token in tokens {
            if token.hasLetters { last = token.kind == .foreign }
            before.append(last)
        }
        last = nil
        for index in tokens.indices.reversed() {
            if tokens[index].hasLetters { last = tokens[index].kind == .foreign }
            isAmongForeign[index] = (before[index] ?? last ?? false) && (last ?? before[index] ?? false)
        }
    }

    mutating func read() {
        var index = 0
        while index < tokens.count {
            let reading = reading(at: index)
            let count = max(1, min(reading?.count ?? 1, tokens.count - index))
            emit(reading, index..<index + count)
            index += count
        }
    }

    /// The token at `index`, if there is one and it is not foreign.
    func token(_ index: Int) -> TextToken? {
        tokens.indices.contains(index) && tokens[index].kind == .plain ? tokens[index] : nil
    }

    /// The token after `index`, if it belongs to the same phrase: nothing but a full stop of an abbreviation may stand between.
    func next(_ index: Int, after marks: Set<String> = [""]) -> TextToken? {
        guard let current = token(index), marks.contains(current.trail), let next = token(index + 1), next.lead.isEmpty
        else {
            return nil
        }
        return next
    }

    private mutating func reading(at index: Int) -> Reading? {
        let token = tokens[index]
        work += token.core.count + 1
        guard token.kind == .plain, !token.core.isEmpty, !isAmongForeign[index] || token.hasLetters else { return nil }
        if token.core.allSatisfy(\.isLower) { return abbreviation(at: index) ?? date(at: index) ?? word(at: index) }
        return phone(at: index) ?? date(at: index) ?? money(at: index) ?? quantity(at: index) ?? address(at: index)
            ?? abbreviation(at: index) ?? word(at: index)
    }

    private mutating func emit(_ reading: Reading?, _ range: Range<Int>) {
        let (first, last) = (tokens[range.lowerBound], tokens[range.upperBound - 1])
        let source = first.source.lowerBound..<max(first.source.lowerBound, last.source.upperBound)
        guard let reading else { return emitVerbatim(first, source) }
        var (lead, trail) = (first.lead, last.trail)
        if reading.stop != .sentence, trail.hasPrefix("."), !endsSentence(after: range.upperBound - 1, reading.stop) {
            trail.removeFirst()
        }
        if first.core.contains("("), lead.isEmpty { trail.removeAll { $0 == ")" } }
        if reading.takesMarks {
            lead.removeAll { "'(".contains($0) }
            if trail.first == "\"" { trail.removeFirst() }
        }
        var spoken = reading.words.filter { !$0.isEmpty }
        while let mark = spoken.first, Self.isMark(mark) {
            extend(with: mark, source)
            spoken.removeFirst()
        }
        while let mark = spoken.last, Self.isMark(mark) {
            trail = mark + trail
            spoken.removeLast()
        }
        guard !spoken.isEmpty else { return extend(with: lead + trail, source) }
        spoken[0] = lead + spoken[0]
        let end = spoken.count - 1
        if let mark = spoken[end].last, ".,!?;:".contains(mark), let other = trail.first, ".,!?;:".contains(other) {
            spoken[end].removeLast()
        }
        spoken[end] += trail
        for word in spoken {
            if Self.isMark(word) {
                extend(with: word, source)
            } else {
                words.append(SpokenText.Word(text: word, source: source))
            }
        }
    }

    private static func isMark(_ word: String) -> Bool { word.allSatisfy { ",.;:!?".contains($0) } }

    private mutating func emitVerbatim(_ token: TextToken, _ source: Range<Int>) {
        if token.core.isEmpty { return extend(with: token.lead + token.trail, source) }
        words.append(SpokenText.Word(text: token.lead + token.text + token.trail, source: source))
    }

    /// Marks on their own: the first pause among them goes to the word before; the place does in any case.
    private mutating func extend(with marks: String, _ source: Range<Int>) {
        guard let last = words.indices.last else { return }
        words[last].source = words[last].source.lowerBound..<max(words[last].source.upperBound, source.upperBound)
        guard let mark = marks.first(where: { ".,!?;:".contains($0) }) else { return }
        if let end = words[last].text.last, end.isLetter || end.isNumber { words[last].text.append(mark) }
    }

    /// Whether the full stop after the token at `index` ends a sentence: nothing follows, or a word that begins sentences.
    func endsSentence(after index: Int, _ stop: Stop = .abbreviation) -> Bool {
        guard tokens.indices.contains(index + 1) else { return true }
        let next = tokens[index + 1]
        guard next.isCapitalized else { return false }
        if Self.starters.contains(next.lowercased) { return true }
        return stop == .closing && next.core.contains(where: \.isLower) && !isTimeName(next)
    }

    private static let starters: Set<String> = [
        "the", "it", "it's", "he", "she", "we", "they", "you", "this", "that", "these", "those", "but", "and", "so",
        "in",
        "on", "at", "if", "when", "then", "there", "what", "how", "why", "who", "where", "a", "an", "my", "our", "your",
        "his", "her", "its", "their", "however", "please", "let", "let's", "i'm", "i'll", "that's", "there's", "do",
        "does",
        "did", "is", "are", "was", "can", "could", "would", "will", "yes", "no", "not", "now", "also", "after",
        "before",
        "for", "from", "with", "as", "or", "to", "would", "thanks", "thank", "sorry", "here",
    ]
}
