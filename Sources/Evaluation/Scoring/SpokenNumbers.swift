/// Numbers as their digits, a word each, however they are written and said.
///
/// Numbers that follow one another are one row of digits, because they can be said in several ways: "twenty twenty four", "two
/// thousand and twenty four" and "2024" are "2 0 2 4"; "7:30" and "seven thirty" are "7 3 0". Zeros at the end are words where
/// people say them so: "2,000" is "2 thousand". An ordinal's last digit says so: "twenty first" is "2 1th"; a day after a month
/// is none, since "May 1" is read as "May first".
enum SpokenNumbers {
    /// The words, with all numbers as digits.
    static func written(_ words: [String]) -> [String] {
        var reader = Reader(words: words)
        return reader.read()
    }

    /// Reads words from left to right; what has been read is in `output`.
    private struct Reader {
        let words: [String]
        private var position = 0
        private var output: [String] = []
        /// The digits of the numbers just read, which belong together.
        private var row = ""

        init(words: [String]) { self.words = words }

        mutating func read() -> [String] {
            while position < words.count {
                if let found = number() {
                    row += found.digits
                    if let ending = found.ending { endRow(isAfterMonth && ending == "th" ? "" : ending) }
                } else if !row.isEmpty, isZero(words[position]), position + 1 < words.count, starts(at: position + 1) {
                    row += "0"
                    position += 1
                } else {
                    endRow("")
                    other()
                }
            }
            endRow("")
            return output
        }

        /// A word that is no number. Some are said with a number or not.
        private mutating func other() {
            let word = words[position]
            let isAfterNumber =
                output.last?.first?.isNumber == true || output.last.map { scaleNames.contains($0) } == true
            position += 1
            switch word {
            case "o'clock" where isAfterNumber: break
            case "and" where output.last.map { currencies.contains($0) } == true && starts(at: position): break
            case "cent" where output.last == "per": output[output.count - 1] = "percent"
            case "dollar", "cent", "euro", "pound": output.append(isAfterNumber ? word + "s" : word)
            case "o'clock": output.append("oclock")
            default: output.append(word)
            }
        }

        /// Writes the row.
        private mutating func endRow(_ ending: String) {
            guard !row.isEmpty else { return }
            var digits = Substring(row)
            var scale: [String] = []
            if ending.isEmpty {
                for (zeros, name) in [("000000", "million"), ("000", "thousand"), ("00", "hundred")] {
                    while digits.count > zeros.count, digits.hasSuffix(zeros) {
                        digits = digits.dropLast(zeros.count)
                        scale.insert(name, at: 0)
                    }
                }
            }
            output += digits.map { String($0) }
            output[output.count - 1] += ending
            output += scale
            row = ""
        }

        private var isAfterMonth: Bool {
            // The row is not written yet: what stands before it is the last word written.
            output.last.map { months.contains($0) } == true
        }

        // MARK: - grammar

        /// The number that begins here, and moves behind it; nil if none does.
        private mutating func number() -> (digits: String, ending: String?)? {
            if let numeral = numeral(words[position]) {
                position += 1
                guard numeral.ending == nil, let value = Int(numeral.digits), !numeral.digits.hasPrefix("0") else {
                    return numeral
                }
                return scaled(value, whole: numeral.digits)
            }
            // "A hundred" is one hundred.
            if words[position] == "a", position + 1 < words.count, scales[words[position + 1]] != nil {
                position += 1
                return scaled(1, whole: "1")
            }
            guard let small = small() else { return nil }
            if let ending = small.ending { return (String(small.value), ending) }
            return scaled(small.value, whole: String(small.value))
        }

        /// A number and the hundreds, thousands and millions that follow it.
        private mutating func scaled(_ first: Int, whole: String) -> (digits: String, ending: String?) {
            var total = 0
            var group = first
            var isScaled = false
            var limit = Int.max
            while position < words.count, let scale = scales[words[position]], scale < limit,
                (1..<1_000_000).contains(group)
            {
                position += 1
                isScaled = true
                if scale == 100 {
                    group *= 100
                } else {
                    total += group * scale
                    group = 0
                    limit = scale
                }
                // "Two thousand and twenty four" is one number; "two thousand twenty" too.
                let start = position
                if position < words.count, words[position] == "and" { position += 1 }
                guard position < words.count, let rest = small() else {
                    position = start
                    continue
                }
                // "One hundred and two hundred" are two.
                if position < words.count, let next = scales[words[position]],
                    next == scale || scale > 100 && next > scale
                {
                    position = start
                    break
                }
                group += rest.value
                if let ending = rest.ending { return (String(total + group), ending) }
            }
            return (isScaled ? String(total + group) : whole, nil)
        }

        /// A number word up to 99; moves behind it.
        private mutating func small() -> (value: Int, ending: String?)? {
            let word = words[position]
            if let value = ordinals[word] {
                position += 1
                return (value, "th")
            }
            if let value = decades[word] {
                position += 1
                return (value, "s")
            }
            guard let value = cardinals[word] else { return nil }
            position += 1
            guard value >= 20, position < words.count else { return (value, nil) }
            if let unit = cardinals[words[position]], (1...9).contains(unit) {
                position += 1
                return (value + unit, nil)
            }
            if let unit = ordinals[words[position]], (1...9).contains(unit) {
                position += 1
                return (value + unit, "th")
            }
            return (value, nil)
        }

        /// A word of digits, with an ending like that of "21st" or "1990s".
        private func numeral(_ word: String) -> (digits: String, ending: String?)? {
            let digits = word.prefix { $0.isASCII && $0.isNumber }
            guard !digits.isEmpty else { return nil }
            switch word.dropFirst(digits.count) {
            case "": return (String(digits), nil)
            case "st", "nd", "rd", "th": return (String(digits), "th")
            case "s": return (String(digits), "s")
            default: return nil
            }
        }

        private func isZero(_ word: String) -> Bool { word == "oh" || word == "o" }

        private func starts(at place: Int) -> Bool {
            place < words.count && (cardinals[words[place]] != nil || numeral(words[place]) != nil)
        }
    }

    private static let months: Set = [
        "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
        "december",
    ]
    private static let currencies: Set = ["dollars", "euros", "pounds"]
    private static let scales = ["hundred": 100, "thousand": 1000, "million": 1_000_000, "billion": 1_000_000_000]
    private static let scaleNames = Set(scales.keys)

    private static let units = [
        "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
        "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
    ]
    private static let tens = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
    private static let cardinals = Dictionary(
        uniqueKeysWithValues: units.enumerated().map { ($1, $0) } + tens.enumerated().map { ($1, 10 * $0 + 20) }
    )
    private static let ordinals = Dictionary(
        uniqueKeysWithValues: [
            "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh",
            "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth", "eighteenth", "nineteenth",
        ].enumerated().map { ($1, $0 + 1) } + tens.enumerated().map { (String($1.dropLast()) + "ieth", 10 * $0 + 20) }
    )
    private static let decades = Dictionary(
        uniqueKeysWithValues: tens.enumerated().map { (String($1.dropLast()) + "ies", 10 * $0 + 20) }
    )
}
