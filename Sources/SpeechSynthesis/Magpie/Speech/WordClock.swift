internal import VoiceCore

/// When the words of a text end, told by how far the voice has got.
struct WordClock {
    private let spoken: SpokenText
    /// Words that have ended.
    private var ended = 0
    /// Where they ended, with the silence before the first word.
    var borders = WordBorders()
    private var lastEnd = 0

    init(_ spoken: SpokenText) { self.spoken = spoken }

    /// Notes that a word begins, so that all before it have ended.
    /// - Parameters:
    ///   - word: its number; that of the word after the last one at the end.
    ///   - sample: where, counted from the first sample that was made.
    mutating func reach(word: Int, at sample: Int) {
        while ended < min(word, spoken.words.count) {
            ended += 1
            // Several words can say the same text: it has ended with the last of them.
            let end = spoken.sourceEnd(afterWords: ended)
            guard end > lastEnd else { continue }
            lastEnd = end
            borders.append(SpokenWord(textEnd: end, sampleEnd: sample))
        }
    }
}
