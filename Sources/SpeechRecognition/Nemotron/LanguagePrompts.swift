internal import Inference
internal import VoiceCore

/// The languages that a model's output can be conditioned on, by their tags.
struct LanguagePrompts: Sendable {
    private let numbers: [String: Int]

    /// The tags, sorted.
    private var languages: [String] { numbers.keys.sorted() }

    /// Reads `asr.rnnt.prompt_dictionary`, an array of `tag:number`; empty for models of one language.
    /// - Throws: ``VoiceError/Code/malformedInput`` for entries of another form or numbers that the model does not have.
    init(_ file: GGUFFile, _ h: NemotronHyperparameters) throws(VoiceError) {
        let key = "asr.rnnt.prompt_dictionary"
        guard h.prompts > 0, file.has(key) else {
            numbers = [:]
            return
        }
        var numbers: [String: Int] = [:]
        for entry in try file.strings(key) {
            // The number comes after the last colon.
            guard let colon = entry.lastIndex(of: ":"), let number = Int(entry[entry.index(after: colon)...]),
                (0..<h.prompts).contains(number)
            else {
                throw file.unsuitable(
                    "'\(key)' has the entry '\(entry)', not a language and a number below \(h.prompts)"
                )
            }
            numbers[String(entry[..<colon])] = number
        }
        self.numbers = numbers
    }

    /// A language's number: of the tag as it is, else in other case, else of the first tag with the same language.
    /// - Parameter language: a tag; nil for the model's own detection, `auto`, or the only language.
    /// - Throws: ``VoiceError/Code/usage`` naming the languages that the model knows.
    func number(of language: String?) throws(VoiceError) -> Int {
        guard !numbers.isEmpty else {
            guard let language, !language.lowercased().hasPrefix("en"), language != "auto" else { return 0 }
            throw VoiceError(.usage, "This model understands English only, not '\(language)'.")
        }
        guard let language else { return numbers["auto"] ?? numbers["en-US"] ?? 0 }
        if let number = numbers[language] { return number }
        let wanted = language.lowercased().replacing("_", with: "-")
        if let exact = languages.first(where: { $0.lowercased() == wanted }) { return numbers[exact] ?? 0 }
        if let kin = languages.first(where: { $0.lowercased().hasPrefix(wanted + "-") }) { return numbers[kin] ?? 0 }
        throw VoiceError(
            .usage,
            "This model does not know the language '\(language)'; choose one of \(languages.joined(separator: ", "))."
        )
    }
}
