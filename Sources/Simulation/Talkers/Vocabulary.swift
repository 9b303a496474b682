/// The words that people and agents say in a simulation: ordinary ones, about as long as English words are.
enum Vocabulary {
    private static let words = [
        "the", "garden", "is", "very", "quiet", "today", "we", "could", "walk", "along", "river", "and", "then", "have",
        "some",
        "coffee", "near", "station", "because", "weather", "looks", "better", "than", "yesterday", "morning", "my",
        "sister",
        "would", "like", "to", "join", "us", "after", "lunch", "if", "train", "arrives", "on", "time",
    ]

    /// Any of them.
    static func word(_ random: inout SeededRandom) -> String { words[random.number(in: 0...(words.count - 1))] }

    /// An answer: sentences with a comma here and there.
    static func answer(_ habits: TalkerHabits, _ random: inout SeededRandom) -> String {
        var sentences: [String] = []
        for _ in 0..<random.number(in: habits.sentences) {
            let count = random.number(in: habits.wordsPerSentence)
            var sentence: [String] = []
            for index in 0..<count {
                let word = word(&random)
                // One comma in eight words.
                let hasComma = index > 1 && index < count - 2 && random.happens(1 / 8)
                sentence.append(hasComma ? word + "," : word)
            }
            sentences.append(sentence.joined(separator: " ") + ".")
        }
        return sentences.joined(separator: " ")
    }

    /// A text's tokens: a word each, every third in two, so that there are four tokens for three words as in English text.
    static func tokens(of text: String) -> [Substring] {
        var tokens: [Substring] = []
        var start = text.startIndex
        var words = 0
        while start < text.endIndex {
            let rest = text.index(after: start)
            let end = text[rest...].firstIndex(of: " ") ?? text.endIndex
            words += 1
            let middle = text.index(start, offsetBy: 2, limitedBy: end) ?? end
            if words.isMultiple(of: 3), middle < end {
                tokens += [text[start..<middle], text[middle..<end]]
            } else {
                tokens.append(text[start..<end])
            }
            start = end
        }
        return tokens
    }
}
