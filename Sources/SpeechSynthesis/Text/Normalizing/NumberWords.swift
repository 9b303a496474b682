/// English words for numbers; American usage: no "and", no hyphens. Digits are values from 0 to 9, most significant first.
enum NumberWords {
    private static let small = [
        "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
        "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
    ]
    private static let tens = [
        "", "ten", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety",
    ]
    /// Short scale.
    private static let thousands = [
        "", "thousand", "million", "billion", "trillion", "quadrillion", "quintillion", "sextillion", "septillion",
        "octillion", "nonillion", "decillion",
    ]
    /// Longer numbers have no name that anybody knows; they are read digit by digit.
    static let longest = thousands.count * 3

    /// Each digit as a word.
    static func digits(_ digits: some Sequence<UInt8>) -> [String] { digits.map { small[Int(min($0, 9))] } }

    /// The number, as in counting.
    static func cardinal(_ digits: [UInt8]) -> [String] {
        let significant = Array(digits.drop { $0 == 0 })
        guard significant.count <= longest else { return Self.digits(significant) }
        guard !significant.isEmpty else { return [small[0]] }
        var words: [String] = []
        var index = 0
        while index < significant.count {
            let left = significant.count - index
            let size = left % 3 == 0 ? 3 : left % 3
            let group = significant[index..<index + size].reduce(0) { $0 * 10 + Int($1) }
            index += size
            guard group > 0 else { continue }
            words += below1000(group)
            if left > 3 { words.append(thousands[(left - 1) / 3]) }
        }
        return words
    }

    /// The number, as in counting.
    static func cardinal(_ value: Int) -> [String] {
        cardinal(String(value.magnitude).utf8.map { $0 - 48 })
    }

    /// The number as a place in a row.
    static func ordinal(_ digits: [UInt8]) -> [String] { ordinal(cardinal(digits)) }

    /// Turns a cardinal into an ordinal.
    static func ordinal(_ cardinal: [String]) -> [String] {
        guard let last = cardinal.last else { return [] }
        return cardinal.dropLast() + [ordinals[last] ?? (last.hasSuffix("y") ? last.dropLast() + "ieth" : last + "th")]
    }

    /// A year or another number of up to four digits, said in pairs where that is usual: nineteen oh five.
    static func year(_ value: Int) -> [String] {
        let (century, rest) = (value / 100, value % 100)
        guard (1_010...9_999).contains(value), value % 1_000 >= 10, century % 10 != 0 || rest >= 10 else {
            return cardinal(value)
        }
        if rest == 0 { return cardinal(century) + ["hundred"] }
        return cardinal(century) + (rest < 10 ? ["oh", small[rest]] : below1000(rest))
    }

    /// The plural of a number's last word: nineteen eighties.
    static func plural(_ words: [String]) -> [String] {
        guard let last = words.last else { return [] }
        return words.dropLast() + [plural(last)]
    }

    private static func plural(_ word: String) -> String {
        if word.hasSuffix("y") { return word.dropLast() + "ies" }
        return word + (word.hasSuffix("x") ? "es" : "s")
    }

    /// A fraction below one or above; nil where the denominator is not named as one.
    static func fraction(_ numerator: Int, _ denominator: Int) -> [String]? {
        guard numerator > 0, (2...20).contains(denominator) || [32, 64, 100, 1_000].contains(denominator) else {
            return nil
        }
        let part: [String]
        switch denominator {
        case 2: part = [numerator == 1 ? "half" : "halves"]
        case 4: part = [numerator == 1 ? "quarter" : "quarters"]
        default:
            let ordinal = ordinal(cardinal(denominator))
            part = numerator == 1 ? ordinal : plural(ordinal)
        }
        return cardinal(numerator) + part
    }

    private static func below1000(_ value: Int) -> [String] {
        var words: [String] = []
        if value >= 100 { words += [small[value / 100 % 10], "hundred"] }
        let rest = value % 100
        if rest >= 20 {
            words.append(tens[rest / 10])
            if rest % 10 > 0 { words.append(small[rest % 10]) }
        } else if rest > 0 {
            words.append(small[rest])
        }
        return words
    }

    private static let ordinals = [
        "one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth",
        "twelve": "twelfth",
    ]
}
