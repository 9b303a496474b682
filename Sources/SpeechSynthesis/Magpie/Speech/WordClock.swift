internal import VoiceCore

/// When the words of a text end, told by how far the voice has got.
struct WordClock {
    private let spoken: SpokenText
    /// Words that have ended.
    private var ended = 0
    /// Borders that nobody was told of yet: samples counted with the silence before the first word.
    private var waiting: [SpokenWord] = []
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
            waiting.append(SpokenWord(textEnd: end, sampleEnd: sample))
        }
    }

    /// The words that end within the first `emitted` samples that were handed out; each is told once.
    /// - Parameters:
    ///   - dropped: samples before those handed out.
    ///   - all: true at the end: those that remain end with the last sample.
    mutating func take(until emitted: Int, dropped: Int, all: Bool) -> [SpokenWord] {
        var taken: [SpokenWord] = []
        while let next = waiting.first, all || next.sampleEnd - dropped <= emitted {
            waiting.removeFirst()
            let end = max(0, min(next.sampleEnd - dropped, emitted))
            taken.append(SpokenWord(textEnd: next.textEnd, sampleEnd: end))
        }
        return taken
    }
}
