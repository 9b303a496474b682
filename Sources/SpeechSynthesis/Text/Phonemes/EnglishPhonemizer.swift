/// Spoken English to phonemes in IPA, written as eSpeak NG's voice `en-us` writes them: what Piper voices were trained on.
///
/// Words come from the CMU pronouncing dictionary, unknown ones from flite's letter-to-sound rules; a table holds the weak
/// forms of function words. Stress marks stand before the vowel. Rules for what happens in and between words: TEXT.md.
package struct EnglishPhonemizer: Sendable {
    /// A word's phonemes.
    package struct Word: Sendable, Equatable {
        /// IPA; one Unicode scalar a symbol.
        package var phonemes: String
        /// The mark after the word that the voice knows as a pause or a tone: one of . , ? ! ; : or nothing.
        package var mark: Character?
        /// The original text that the word speaks, in UTF-8 bytes.
        package var source: Range<Int>
    }

    private let dictionary: PronouncingDictionary
    private let lexicon: PronunciationLexicon

    /// Makes a phonemiser.
    package init(dictionary: PronouncingDictionary, lexicon: PronunciationLexicon = PronunciationLexicon()) {
        self.dictionary = dictionary
        self.lexicon = lexicon
    }

    /// The phonemes of a spoken text. Words that cannot be said are left out.
    package func phonemes(of spoken: SpokenText) -> [Word] {
        var words: [Word] = []
        var keys: [String] = []
        let bares = spoken.words.map { Self.bare($0.text) }
        for (index, word) in spoken.words.enumerated() {
            let bare = bares[index]
            let isSpelled = [index - 1, index + 1].contains {
                bares.indices.contains($0) && Self.isLetterName(bares[$0])
            }
            let mark = word.text.reversed().prefix { !$0.isLetter && !$0.isNumber }.last { ".,?!;:".contains($0) }
            let name = isSpelled && Self.isLetterName(bare) ? Self.letters[bare.lowercased()] : nil
            let said = name ?? say(bare)
            guard !said.isEmpty else {
                if let last = words.indices.last { words[last].mark = words[last].mark ?? mark }
                continue
            }
            keys.append(bare.lowercased())
            words.append(Word(phonemes: said, mark: mark, source: word.source))
        }
        link(&words, keys)
        return words
    }

    /// A single capital; beside another one it is spelled, even A and I.
    private static func isLetterName(_ word: String) -> Bool { word.utf8.count == 1 && word.first?.isUppercase == true }

    /// The word without marks around it.
    private static func bare(_ text: String) -> String {
        if text.contains("|") { return text }
        let start = text.drop { !$0.isLetter && !$0.isNumber && $0 != "'" }
        guard let end = start.lastIndex(where: { $0.isLetter || $0.isNumber }) else { return "" }
        return String(start[...end])
    }

    // MARK: - One word

    private func say(_ word: String) -> String {
        if let open = word.firstIndex(of: "|"), let close = word.lastIndex(of: "|"), open < close {
            return String(word[word.index(after: open)..<close].filter { $0 != " " })
        }
        switch lexicon[word] {
        case .phonemes(let phonemes)?: return phonemes
        case .spelling(let spelling)?:
            return spelling.split(separator: " ").map { sayPlain(String($0)) }.joined()
        case nil: return sayPlain(word)
        }
    }

    private func sayPlain(_ word: String) -> String {
        if word.count == 1, let letter = Self.letters[word.lowercased()], word != "a", word != "I" { return letter }
        let key = Self.folded(word)
        if let weak = WeakForms.table[key] { return weak }
        if key.contains("-") {
            return key.split(separator: "-").map { sayPlain(String($0)) }.joined()
        }
        if let phones = dictionary.phones(of: key) { return EnglishIPA.text(of: phones, word: key) }
        if let phones = derived(key) { return EnglishIPA.text(of: phones, word: key) }
        // What has no vowels cannot be said.
        let plain = key.filter { $0 != "'" }
        if plain.count > 1, !plain.contains(where: { "aeiouy".contains($0) }) {
            return plain.compactMap { Self.letters[String($0)] }.joined()
        }
        return EnglishIPA.text(of: LetterToSound.phones(of: plain), word: plain)
    }

    /// Small letters from a to z; accents are taken off.
    private static func folded(_ word: String) -> String {
        if word.utf8.allSatisfy({ $0 < 0x80 }) { return word.lowercased() }
        return String(
            scalars: word.lowercased().decomposedForLookup.filter { $0.isASCIILetter || $0 == "'" || $0 == "-" }
        )
    }

    /// Plurals, possessives and forms in -ed and -ing of words that the dictionary has.
    private func derived(_ key: String) -> [Arpabet]? {
        for suffix in ["'s", "s'", "s"] where key.hasSuffix(suffix) && key.count > suffix.count + 1 {
            let stem = String(key.dropLast(suffix.count))
            guard let phones = dictionary.phones(of: stem), let last = phones.last else { continue }
            return phones + Self.plural(after: last)
        }
        for (suffix, ending) in [
            ("ing", [Arpabet(.ih, 0), Arpabet(.ng)]), ("ly", [Arpabet(.l), Arpabet(.iy, 0)]),
            ("ness", [Arpabet(.n), Arpabet(.ah, 0), Arpabet(.s)]),
        ]
        where key.hasSuffix(suffix) && key.count > suffix.count + 2 {
            let stem = String(key.dropLast(suffix.count))
            if let phones = dictionary.phones(of: stem) ?? dictionary.phones(of: stem + "e") { return phones + ending }
        }
        if key.hasSuffix("ed"), key.count > 4 {
            let phones =
                dictionary.phones(of: String(key.dropLast(2))) ?? dictionary.phones(of: String(key.dropLast(1)))
            if let phones, let last = phones.last {
                switch last.symbol {
                case .t, .d: return phones + [Arpabet(.ih, 0), Arpabet(.d)]
                case .p, .k, .f, .s, .sh, .ch, .th: return phones + [Arpabet(.t)]
                default: return phones + [Arpabet(.d)]
                }
            }
        }
        return nil
    }

    private static func plural(after last: Arpabet) -> [Arpabet] {
        switch last.symbol {
        case .s, .z, .sh, .zh, .ch, .jh: [Arpabet(.ih, 0), Arpabet(.z)]
        case .p, .t, .k, .f, .th: [Arpabet(.s)]
        default: [Arpabet(.z)]
        }
    }

    /// The names of the letters.
    private static let letters = [
        "a": "ˈeɪ", "b": "bˈiː", "c": "sˈiː", "d": "dˈiː", "e": "ˈiː", "f": "ˈɛf", "g": "dʒˈiː", "h": "ˈeɪtʃ",
        "i": "ˈaɪ",
        "j": "dʒˈeɪ", "k": "kˈeɪ", "l": "ˈɛl", "m": "ˈɛm", "n": "ˈɛn", "o": "ˈoʊ", "p": "pˈiː", "q": "kjˈuː",
        "r": "ˈɑːɹ",
        "s": "ˈɛs", "t": "tˈiː", "u": "jˈuː", "v": "vˈiː", "w": "dˈʌbəljˌuː", "x": "ˈɛks", "y": "wˈaɪ", "z": "zˈiː",
    ]

    // MARK: - Between words

    /// "the" and "to" before vowels; the r between vowels.
    private func link(_ words: inout [Word], _ keys: [String]) {
        for index in words.indices {
            let next = index + 1 < words.count && words[index].mark == nil ? words[index + 1].phonemes : nil
            let first = next?.unicodeScalars.first { $0 != "ˈ" && $0 != "ˌ" }
            let isBeforeVowel = first.map { EnglishIPA.vowels.contains($0) } ?? false
            switch keys[index] {
            case "the" where isBeforeVowel: words[index].phonemes = "ðɪ"
            case "it" where isBeforeVowel: words[index].phonemes = "ɪɾ"
            case "to" where isBeforeVowel: words[index].phonemes = "tʊ"
            case "to" where next == nil: words[index].phonemes = "tuː"
            case "a" where next == nil && words[index].phonemes == "ɐ": words[index].phonemes = "ˈeɪ"
            default:
                let last = words[index].phonemes.unicodeScalars.last
                if isBeforeVowel, last == "ɚ" || words[index].phonemes.hasSuffix("ɜː") { words[index].phonemes += "ɹ" }
            }
        }
    }
}
