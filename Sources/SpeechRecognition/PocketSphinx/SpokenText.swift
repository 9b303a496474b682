/// Turns a recogniser's words into text to show and to send on.
enum SpokenText {
    /// Joins runs of words: without marks of silence and noise (`<sil>`, `[NOISE]`, `++um++`) and numbers of
    /// pronunciations (`read(2)`), with a capital at the start and for "I".
    static func display(_ runs: [String]) -> String {
        let words = runs.flatMap { $0.split(separator: " ") }.compactMap { plain($0) }
        guard let first = words.first else { return "" }
        return ([first.prefix(1).uppercased() + first.dropFirst()] + words.dropFirst()).joined(separator: " ")
    }

    private static func plain(_ word: Substring) -> String? {
        guard let start = word.first, !"<[+".contains(start) else { return nil }
        let word = word.prefix { $0 != "(" }
        guard !word.isEmpty else { return nil }
        return word == "i" || word.hasPrefix("i'") ? "I" + word.dropFirst() : String(word)
    }
}
