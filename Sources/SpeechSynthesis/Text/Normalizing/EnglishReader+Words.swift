extension EnglishReader {
    /// A word, an acronym, a Roman numeral, a symbol, or any mixture.
    func word(at index: Int) -> Reading? {
        guard let token = token(index), !token.core.isEmpty else { return nil }
        if let words = Self.symbols[token.text] { return Reading(words: Self.split(words)) }
        if token.core.allSatisfy({ $0 == "-" }) { return Reading(words: [isBetweenNumbers(index) ? "to" : ","]) }
        if let number = roman(index, token) { return Reading(words: number) }
        if token.core.contains("/"), let unit = Self.unit(token.text, isSpaced: false) {
            return Reading(words: unit.many)
        }
        if let money = Self.currencyAlone[token.text] { return Reading(words: [money]) }
        return Reading(words: Self.plainWords(token.text, isShouted: isShouted(index)))
    }

    private func isBetweenNumbers(_ index: Int) -> Bool {
        token(index - 1)?.core.last?.isDigit == true && token(index + 1)?.core.first?.isDigit == true
    }

    /// Whether the words around are in capitals too, so that capitals mean nothing.
    private func isShouted(_ index: Int) -> Bool {
        func isLoud(_ index: Int) -> Bool {
            guard let token = token(index), token.core.count > 1 else { return false }
            return token.core.allSatisfy { $0.isUpper || $0 == "'" } && Self.commonWords.contains(token.text)
        }
        return isLoud(index - 1) || isLoud(index + 1)
    }

    private static let symbols = [
        "&": "and", "@": "at", "%": "percent", "+": "plus", "=": "equals", "<": "less than", ">": "greater than",
        "≤": "less than or equal to", "≥": "greater than or equal to", "≠": "not equal to", "≈": "about", "×": "times",
        "÷": "divided by", "±": "plus or minus", "√": "the square root of", "∞": "infinity", "→": "to", "°": "degrees",
        "§": "section", "¶": "paragraph", "№": "number", "==": "equals", "!=": "not equal to", "<=": "at most",
        ">=": "at least",
        "->": "to", "=>": "to", "#": "number", "/": "slash", "\\": "backslash", "∑": "sum", "π": "pi",
    ]
    private static let currencyAlone = ["$": "dollars", "€": "euros", "£": "pounds", "¥": "yen", "₹": "rupees"]

    // MARK: - Roman numerals

    private static let counted: Set<String> = [
        "war", "chapter", "part", "act", "scene", "volume", "vol", "section", "phase", "type", "class", "article",
        "title",
        "book", "appendix", "rocky", "bowl", "level", "stage", "schedule", "figure", "table", "tier", "category",
        "grade",
        "apollo", "gemini", "playstation", "fantasy", "factor", "unit", "canto", "round", "episode", "mark", "pentium",
    ]
    private static let rulers: Set<String> = [
        "henry", "louis", "elizabeth", "george", "edward", "charles", "james", "william", "richard", "john", "paul",
        "pius",
        "benedict", "philip", "francis", "ferdinand", "frederick", "napoleon", "alexander", "nicholas", "peter",
        "catherine",
        "mary", "leo", "gregory", "innocent", "clement", "urban", "otto", "carl", "gustav", "christian", "haakon",
        "olav",
        "ramesses", "ptolemy", "xavier", "leopold", "albert", "baldwin", "harald", "ivan", "robert", "david", "alfonso",
    ]

    /// Numerals of I, V and X after what is counted so (World War II) or a ruler's name (Henry VIII).
    private func roman(_ index: Int, _ token: TextToken) -> [String]? {
        guard (1...6).contains(token.core.count), let value = Self.romanValue(token.core),
            let before = self.token(index - 1),
            before.trail.isEmpty || before.trail == "."
        else { return nil }
        if Self.counted.contains(before.lowercased), before.isCapitalized || token.core.count > 1 {
            return NumberWords.cardinal(value)
        }
        guard before.isCapitalized, token.core.count > 1 || token.core.first == "V" else { return nil }
        if Self.rulers.contains(before.lowercased), before.trail.isEmpty {
            return ["the"] + NumberWords.ordinal(NumberWords.cardinal(value))
        }
        guard token.core.count > 1, value != 4, value < 40, before.trail.isEmpty,
            before.core.contains(where: \.isLower),
            !["XX", "XXX"].contains(token.text)
        else { return nil }
        return NumberWords.cardinal(value)
    }

    private static func romanValue(_ numeral: [Unicode.Scalar]) -> Int? {
        let values: [Unicode.Scalar: Int] = ["I": 1, "V": 5, "X": 10, "L": 50]
        var total = 0
        var last = 0
        for scalar in numeral.reversed() {
            guard let value = values[scalar] else { return nil }
            total += value < last ? -value : value
            last = max(last, value)
        }
        return total > 0 && romanNumeral(total) == String(scalars: numeral) ? total : nil
    }

    private static func romanNumeral(_ value: Int) -> String {
        var (rest, numeral) = (value, "")
        for (size, text) in [(50, "L"), (40, "XL"), (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I")] {
            while rest >= size {
                numeral += text
                rest -= size
            }
        }
        return numeral
    }

    // MARK: - Mixtures

    /// The words of a mixture of letters, digits and signs without white space.
    static func plainWords(_ text: String, isShouted: Bool = false) -> [String] {
        let scalars = Array(text.unicodeScalars)
        if scalars.allSatisfy({ $0.isASCIILetter || $0 == "'" }) { return letters(scalars, isShouted) }
        var words: [String] = []
        var start = 0
        while start < scalars.count {
            let first = scalars[start]
            var end = start + 1
            if first.isDigit {
                while end < scalars.count, scalars[end].isDigit { end += 1 }
                words +=
                    WrittenNumber(integer: scalars[start..<end].map(\.digit), fraction: nil, isGrouped: false).words
            } else if isLetter(first) {
                while end < scalars.count, isLetter(scalars[end]) || isInner(scalars, end) { end += 1 }
                if end - start == 1, first == "s", start > 0, scalars[start - 1].isDigit {
                    words = NumberWords.plural(words)
                } else {
                    words += hyphenated(Array(scalars[start..<end]), isShouted)
                }
            } else if first == ".", end < scalars.count, scalars[end] == "." {
                while end < scalars.count, scalars[end] == "." { end += 1 }
                words.append("...")
            } else if let (numerator, denominator) = first.vulgarFraction {
                words += NumberWords.fraction(numerator, denominator) ?? []
            } else {
                let isBetween = start > 0 && end < scalars.count
                words += sign(first, isBetween: isBetween, next: end < scalars.count ? scalars[end] : " ")
            }
            start = end
        }
        return words
    }

    private static func isLetter(_ scalar: Unicode.Scalar) -> Bool {
        scalar.isLatinLetter || (0x300...0x36F).contains(scalar.value)
    }

    /// An apostrophe or hyphen between letters.
    private static func isInner(_ scalars: [Unicode.Scalar], _ index: Int) -> Bool {
        (scalars[index] == "'" || scalars[index] == "-") && index + 1 < scalars.count && isLetter(scalars[index + 1])
    }

    private static func sign(_ scalar: Unicode.Scalar, isBetween: Bool, next: Unicode.Scalar) -> [String] {
        switch scalar {
        case ".": isBetween ? (next.isUpper ? ["."] : next == "." ? [] : ["dot"]) : []
        case ",", ";", ":", "!", "?": [String(scalars: [scalar])]
        case "&": ["and"]
        case "@": ["at"]
        case "%": ["percent"]
        case "+": ["plus"]
        case "=": ["equals"]
        case "×": ["times"]
        case "÷": ["divided", "by"]
        case "°", "º": ["degrees"]
        case "$": ["dollars"]
        case "€": ["euros"]
        case "£": ["pounds"]
        case "¥": ["yen"]
        case "²": ["squared"]
        case "³": ["cubed"]
        case "→": ["to"]
        case "^" where next.isDigit: ["to", "the", "power", "of"]
        case "≈": ["about"]
        case "μ", "µ": ["micro"]
        case "Ω": ["ohms"]
        case "#": next.isDigit ? ["number"] : []
        default: []
        }
    }

    /// A word with hyphens: as it is, unless a part has to be spelled.
    private static func hyphenated(_ scalars: [Unicode.Scalar], _ isShouted: Bool) -> [String] {
        let parts = scalars.split(separator: "-").map { letters(Array($0), isShouted) }
        if parts.allSatisfy({ $0.count == 1 }) { return [parts.map { $0[0] }.joined(separator: "-")] }
        return parts.flatMap { $0 }
    }

    // MARK: - Acronyms

    /// One word, or its letters one by one where it is spelled: FBI, APIs, ChatGPT.
    private static func letters(_ scalars: [Unicode.Scalar], _ isShouted: Bool) -> [String] {
        let text = String(scalars: scalars)
        guard scalars.count > 1, scalars.contains(where: \.isUpper) else { return [text] }
        if let known = known[text] { return split(known) }
        var end = scalars.count
        var suffix = ""
        if text.hasSuffix("'s"), scalars.count > 3 { (end, suffix) = (scalars.count - 2, "'s") }
        if suffix.isEmpty, scalars.last == "s", scalars.count > 2, scalars.dropLast().allSatisfy(\.isUpper) {
            (end, suffix) = (scalars.count - 1, "'s")
        }
        let capitals = scalars[..<end].reversed().prefix { $0.isUpper }.count
        let start = end - capitals
        guard capitals > 1, scalars[start..<end].allSatisfy(\.isUpper) else { return [text] }
        let head = scalars[..<start]
        guard head.isEmpty || head.allSatisfy({ $0.isASCIILetter }) && capitals <= 4 && head.last?.isLower == true
        else { return [text] }
        let acronym = String(scalars: scalars[start..<end])
        guard isSpelled(acronym, isShouted: isShouted) || !head.isEmpty else { return [text] }
        var words = head.isEmpty ? [] : [String(scalars: head)]
        words += scalars[start..<end].map { String(scalars: [$0]) }
        words[words.count - 1] += suffix
        return words
    }

    private static let known = [
        "OK": "okay", "SQL": "S Q L", "JPEG": "jay peg", "iOS": "i O S", "macOS": "mac O S", "PhD": "P H D",
        "CDs": "C D's",
        "WiFi": "Wi-Fi", "LaTeX": "Latek", "COVID": "COVID", "UNIX": "Unix", "LINUX": "Linux", "ASCII": "askey",
        "TVs": "T V's", "BSc": "B S C", "MSc": "M S C", "YouTube": "YouTube", "PCs": "P C's",
    ]

    /// Said as words although they are short, or spelled although they could be said.
    private static let pronounced: Set<String> = [
        "NASA", "NATO", "LASER", "RADAR", "SONAR", "SCUBA", "COVID", "AIDS", "RAM", "ROM", "PIN", "SIM", "GIF", "LAN",
        "WAN",
        "UNICEF", "UNESCO", "OPEC", "FIFA", "UEFA", "NAFTA", "ASAP", "SARS", "MERS", "FEMA", "OSHA", "HIPAA", "JSON",
        "YAML",
        "BIOS", "RAID", "CAPTCHA", "SWAT", "TED", "IKEA", "LEGO", "NVIDIA", "CUDA", "RAG", "LIDAR", "MIDI", "POTUS",
        "SCOTUS",
        "YOLO", "LOL", "ZIP", "SAT", "GUI", "HOMO",
    ]
    private static let spelled: Set<String> = [
        "AI", "API", "ID", "UI", "UX", "IO", "IP", "USA", "EU", "UK", "UN", "UAE", "CEO", "CFO", "CTO", "COO", "FAQ",
        "USB",
        "URL", "URI", "IBM", "AMD", "ATM", "GPU", "CPU", "TPU", "IDE", "SDK", "HTML", "HTTP", "HTTPS", "IEEE", "ISO",
        "ASR",
        "TTS", "VAD", "IRS", "FBI", "CIA", "NBA", "NFL", "MLB", "UFO", "VIP", "DIY", "DNA", "RNA", "EKG", "ICU", "MRI",
        "UTC",
        "EST", "PST", "CST", "MST", "EDT", "PDT", "CDT", "AM", "PM", "AC", "DC", "AP", "UCLA", "YMCA", "ACLU", "NAACP",
        "ESPN",
        "USDA", "IOU", "MIT", "LA", "IQ", "EQ", "OS", "AWS", "IT", "PA", "EV", "SUV", "RSVP", "FYI", "AKA", "ETA",
        "EPA",
        "IPA", "IPO", "LED", "OLED", "LCD", "IOT", "SEO", "CIO", "RSI", "EIN", "AOL", "UPS", "USPS", "ISBN", "OCR",
        "IMDB", "VOIP", "OECD",
    ]
    /// Words that are written in capitals for weight.
    private static let commonWords: Set<String> = [
        "A", "AN", "THE", "AND", "OR", "BUT", "NOT", "NO", "YES", "IS", "ARE", "WAS", "WERE", "BE", "BEEN", "DO",
        "DOES", "DID",
        "HAS", "HAD", "HAVE", "CAN", "WILL", "MAY", "MUST", "GO", "GET", "GOT", "SAY", "SAID", "SEE", "NOW", "NEW",
        "OLD", "ALL",
        "ANY", "OUR", "OUT", "OFF", "ON", "IN", "AT", "TO", "OF", "BY", "FOR", "FROM", "WITH", "AS", "IF", "SO", "UP",
        "WE", "HE",
        "SHE", "ME", "MY", "YOU", "YOUR", "HIS", "HER", "ITS", "THEY", "THEM", "WHO", "WHY", "HOW", "WHEN", "WHAT",
        "THIS",
        "THAT", "STOP", "HELP", "FREE", "BIG", "BAD", "GOOD", "BEST", "TOP", "END", "USE", "TRY", "RUN", "BUY", "PAY",
        "PUT",
        "LET", "ASK", "DAY", "MAN", "ONE", "TWO", "TEN", "SIX", "HOT", "RED", "SALE", "OPEN", "VERY", "ONLY", "JUST",
        "MORE",
        "MOST", "MANY", "MUCH", "SOME", "EACH", "EVERY", "NEVER", "EVER", "HERE", "THERE", "WAIT", "LOOK", "HEY", "HI",
        "OH",
        "WOW", "YAY", "AH", "HA", "BYE", "WAY", "TOO", "OWN", "ADD", "SET", "KEY", "NOTE", "TIP", "TODO", "END", "NEXT",
        "AM",
        "IT", "US", "DUE", "FUN", "AGO", "FEW", "LOT", "OFTEN", "ABOUT", "AFTER", "AGAIN",
    ]

    /// Whether a word in capitals is spelled.
    private static func isSpelled(_ acronym: String, isShouted: Bool) -> Bool {
        if pronounced.contains(acronym) { return false }
        if acronym == "US" { return !isShouted }
        if spelled.contains(acronym), acronym != "AM", acronym != "IT" || !isShouted { return true }
        if isShouted || commonWords.contains(acronym) { return false }
        let hasVowel = acronym.contains { "AEIOU".contains($0) }
        if !hasVowel { return acronym.utf8.count <= 5 && (!acronym.contains("Y") || acronym.utf8.count <= 3) }
        return acronym.utf8.count <= 3
    }
}
