internal import VoiceCore

/// Ends of words that nobody was told of yet, oldest first; they leave as they are told.
struct WordBorders {
    /// Counted from the first sample that the engine made.
    private var waiting: ArraySlice<SpokenWord>

    init(_ words: [SpokenWord] = []) { waiting = words[...] }

    /// Adds one that ends after those before.
    mutating func append(_ word: SpokenWord) { waiting.append(word) }

    /// The words that end within the first `emitted` samples that were handed out.
    /// - Parameters:
    ///   - dropped: samples that the engine made before those handed out.
    ///   - base: what is added to the places: samples of the utterance before.
    ///   - all: true at the end: those that remain end with the last sample.
    mutating func take(until emitted: Int, dropped: Int, base: Int = 0, all: Bool) -> [SpokenWord] {
        var taken: [SpokenWord] = []
        while let next = waiting.first, all || next.sampleEnd - dropped <= emitted {
            waiting.removeFirst()
            let end = max(0, min(next.sampleEnd - dropped, emitted))
            taken.append(SpokenWord(textEnd: next.textEnd, sampleEnd: base + end))
        }
        return taken
    }
}
