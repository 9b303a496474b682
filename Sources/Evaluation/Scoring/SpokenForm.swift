internal import Foundation

/// The words of a text as they are spoken, so that texts can be compared that write the same speech in different ways.
///
/// Lower case, no punctuation, hyphens and slashes part words, contractions are written out, fillers are left out, signs are
/// words ("$5" is "5 dollars"), numbers are ``SpokenNumbers``. The way of OpenAI's Whisper (`whisper/normalizers/english.py`,
/// commit c0d2f624), with numbers by digits, because a number can be said in several ways.
package enum SpokenForm {
    /// The words. Empty for a text without any.
    package static func words(of text: String) -> [String] {
        let plain = text.lowercased().replacing("’", with: "'").replacing("‘", with: "'")
            .folding(options: .diacriticInsensitive, locale: nil)
        let words = signs(plain).split(whereSeparator: \.isWhitespace).flatMap { expand(bare($0)) }
        return SpokenNumbers.written(words.filter { !fillers.contains($0) })
    }

    /// What people say while they think; recognisers may write it or not.
    private static let fillers: Set = ["uh", "uhh", "um", "umm", "er", "erm", "hm", "hmm", "mm", "mmm"]

    // MARK: - signs

    /// Signs as words, and everything that parts words as a space.
    private static func signs(_ text: String) -> String {
        var text = text.contains(where: \.isNumber) ? numbers(text) : text
        // Addresses of pages and mails: example.org
        text.replace(/([a-z]{2})\.(?=[a-z]{2})/) { "\($0.1) dot " }
        for (together, word) in interjections { text.replace(together, with: word) }
        for (sign, word) in names { text.replace(sign, with: " \(word) ") }
        text.replace(/[\-‐‑‒–—―\/_…,;:!?()\[\]{}"“”«»]/, with: " ")
        return text
    }

    /// Signs in and beside numbers as words.
    private static func numbers(_ text: String) -> String {
        var text = text
        // Thousands: 1,000,000
        text.replace(/(\d),(?=\d{3}(?!\d))/) { String($0.1) }
        // $2.50 and $5 million: the money is said after its amount.
        text.replace(/([$€£]\s?\d+)\.00(?!\d)/) { String($0.1) }
        text.replace(/([$€£])\s?(\d+)\.(\d\d)(?!\d)/) { money in
            "\(money.2) \(currencies[money.1] ?? "") \(money.3) \(money.1 == "£" ? "pence" : "cents")"
        }
        text.replace(/([$€£])\s?(\d[\d.]*\d|\d)(\s(?:hundred|thousand|million|billion)(?![a-z]))?/) { money in
            "\(money.2)\(money.3 ?? "") \(currencies[money.1] ?? "")"
        }
        // Times of day: 7:00 is "seven" or "seven o'clock", 7:30 "seven thirty".
        text.replace(/(\d):00(?!\d)/) { String($0.1) }
        text.replace(/(\d):(?=\d)/) { "\($0.1) " }
        text.replace(/(\d)\.(?=\d)/) { "\($0.1) point " }
        // 7pm, 20kg; not 1st, 2nd, 3rd, 4th, 1990s.
        text.replace(/(\d)(?!(?:st|nd|rd|th|s)(?![a-z]))(?=[a-z])/) { "\($0.1) " }
        return text
    }

    private static let currencies: [Substring: String] = ["$": "dollars", "€": "euros", "£": "pounds"]
    private static let names = [
        ("&", "and"), ("%", "percent"), ("@", "at"), ("+", "plus"), ("=", "equals"), ("°", "degrees"),
    ]
    /// Written with a hyphen they would be fillers.
    private static let interjections = [("uh-huh", "uhhuh"), ("mm-hmm", "mhm"), ("uh-oh", "uhoh")]

    /// A word without marks at its ends and without full stops inside: "p.m." is "pm".
    private static func bare(_ word: Substring) -> String {
        let core = word.drop { !$0.isLetter && !$0.isNumber }
        guard let end = core.lastIndex(where: { $0.isLetter || $0.isNumber }) else { return "" }
        return core[...end].filter { $0.isLetter || $0.isNumber || $0 == "'" }
    }

    // MARK: - words

    /// Abbreviations and contractions written out.
    private static func expand(_ word: String) -> [String] {
        guard !word.isEmpty else { return [] }
        if let words = whole[word] { return words }
        for (ending, second) in endings where word.hasSuffix(ending) && word.count > ending.count {
            return [word.dropLast(ending.count).filter { $0 != "'" }, second]
        }
        return [word.filter { $0 != "'" }]
    }

    private static let whole: [String: [String]] = [
        "can't": ["can", "not"], "won't": ["will", "not"], "shan't": ["shall", "not"],
        "ain't": ["aint"], "let's": ["let", "us"], "o'clock": ["o'clock"],
        "gonna": ["going", "to"], "wanna": ["want", "to"], "gotta": ["got", "to"], "'cause": ["because"],
        "mr": ["mister"], "mrs": ["missus"], "dr": ["doctor"], "vs": ["versus"], "ok": ["okay"],
        "alright": ["all", "right"],
    ]
    private static let endings = [
        ("n't", "not"), ("'m", "am"), ("'re", "are"), ("'ll", "will"), ("'ve", "have"), ("'d", "would"), ("'s", "is"),
    ]
}
