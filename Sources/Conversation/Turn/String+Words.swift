extension String {
    /// The words in lower case, without punctuation.
    var spokenWords: [String] {
        split { !($0.isLetter || $0.isNumber || $0 == "'" || $0 == "\u{2019}") }.map { $0.lowercased() }
    }

    /// Whether both texts have the same words in the same order; case and punctuation do not count.
    func hasSameWords(as other: String) -> Bool {
        spokenWords == other.spokenWords
    }
}
