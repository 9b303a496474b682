extension EnglishReader {
    /// Everything else that begins with a digit or a sign before one: counts, ordinals, decades, fractions, ranges,
    /// percentages, measures, versions.
    func quantity(at index: Int) -> Reading? {
        guard let token = token(index) else { return nil }
        var reader = ScalarReader(token.core)
        var prefix: [String] = []
        if let sign = reader.eat(anyOf: "-+#~<>≤≥±≈№§$"), let word = Self.signs[sign] {
            if sign == "<" || sign == ">", reader.eat("=") {
                prefix = sign == "<" ? ["at", "most"] : ["at", "least"]
            } else {
                prefix = Self.split(word)
            }
        }
        if prefix.isEmpty, let reading = version(reader, token) { return reading }
        guard
            reader.next?.isDigit == true || reader.next == "." && reader.peek(1)?.isDigit == true
                || reader.next?.vulgarFraction != nil
        else { return nil }
        if let (numerator, denominator) = reader.next?.vulgarFraction {
            reader.position += 1
            let words = prefix + Self.part(numerator, denominator)
            return measured(index, reader, words, isOne: true) ?? Reading(words: words + Self.plainWords(reader.rest))
        }
        guard let number = reader.number() else { return nil }
        if prefix.isEmpty, let reading = dotted(token) ?? hyphened(token) { return reading }
        if let reading = fraction(index, reader, number, prefix) { return reading }
        if number.fraction == nil, let words = Self.suffixed(&reader, number) {
            return Reading(
                words: prefix + words + Self.plainWords(reader.rest),
                takesMarks: words.last?.hasSuffix("ies") == true
            )
        }
        if let reading = range(index, reader, number, prefix) { return reading }
        return measured(index, reader, prefix + number.words, isOne: number.isOne, number: number)
    }

    private static let signs: [Unicode.Scalar: String] = [
        "-": "minus", "+": "plus", "#": "number", "~": "about", "<": "less than", ">": "more than", "≤": "at most",
        "≥": "at least", "±": "plus or minus", "≈": "about", "№": "number", "§": "section",
    ]

    private static func part(_ numerator: Int, _ denominator: Int) -> [String] {
        NumberWords.fraction(numerator, denominator)
            ?? NumberWords.cardinal(numerator) + ["over"] + NumberWords.cardinal(denominator)
    }

    // MARK: - Versions

    private func version(_ reader: ScalarReader, _ token: TextToken) -> Reading? {
        var reader = reader
        let isSmall = reader.next == "v"
        guard reader.eat(anyOf: "vV") != nil, reader.next?.isDigit == true, isSmall || token.core.contains(".") else {
            return nil
        }
        let rest = String(scalars: token.core.dropFirst())
        let groups = rest.split(separator: ".", omittingEmptySubsequences: false).map { Array($0.utf8) }
        guard groups.allSatisfy({ !$0.isEmpty && $0.allSatisfy { (48...57).contains($0) } }) else { return nil }
        return Reading(words: ["version"] + Self.groups(groups.map { $0.map { $0 - 48 } }, joint: "point"))
    }

    /// 1.2.3, 192.168.1.1.
    private func dotted(_ token: TextToken) -> Reading? {
        let groups = token.core.split(separator: ".", omittingEmptySubsequences: false)
        guard groups.count > 2, groups.allSatisfy({ !$0.isEmpty && $0.allSatisfy(\.isDigit) }) else { return nil }
        let isAddress = groups.count == 4 && groups.allSatisfy { $0.count <= 3 }
        return Reading(words: Self.groups(groups.map { $0.map(\.digit) }, joint: isAddress ? "dot" : "point"))
    }

    /// 978-3-16-148410-0: a name of digits.
    private func hyphened(_ token: TextToken) -> Reading? {
        let groups = token.core.split(separator: "-", omittingEmptySubsequences: false)
        guard groups.count > 2, groups.allSatisfy({ !$0.isEmpty && $0.allSatisfy(\.isDigit) }) else { return nil }
        return Reading(words: Self.said(groups.map { $0.map(\.digit) }))
    }

    private static func groups(_ groups: [[UInt8]], joint: String) -> [String] {
        var words: [String] = []
        for (index, group) in groups.enumerated() {
            if index > 0 { words.append(joint) }
            words += WrittenNumber(integer: group, fraction: nil, isGrouped: false).words
        }
        return words
    }

    // MARK: - Fractions

    private func fraction(_ index: Int, _ reader: ScalarReader, _ number: WrittenNumber, _ prefix: [String]) -> Reading?
    {
        var reader = reader
        if let (numerator, denominator) = reader.next?.vulgarFraction {
            reader.position += 1
            let words = prefix + number.words + ["and"] + Self.mixed(numerator, denominator)
            return measured(index, reader, words, isOne: false) ?? Reading(words: words + Self.plainWords(reader.rest))
        }
        guard number.fraction == nil else { return nil }
        if reader.isAtEnd, let next = next(index), next.core.count <= 7 {
            var second = ScalarReader(next.core)
            if let (numerator, denominator) = second.next?.vulgarFraction, next.core.count == 1 {
                let words = prefix + number.words + ["and"] + Self.mixed(numerator, denominator)
                return measured(index + 1, ScalarReader([]), words, isOne: false, count: 2)
            }
            if let numerator = second.value(digits: 1...3), second.eat("/"),
                let denominator = second.value(digits: 1...3),
                second.isAtEnd, numerator < denominator, NumberWords.fraction(numerator, denominator) != nil
            {
                let words = prefix + number.words + ["and"] + Self.mixed(numerator, denominator)
                return measured(index + 1, ScalarReader([]), words, isOne: false, count: 2)
            }
        }
        guard reader.eat("/"), let numerator = number.value, let denominator = reader.value(digits: 1...4) else {
            return nil
        }
        if (numerator, denominator) == (24, 7), reader.isAtEnd { return Reading(words: ["twenty", "four", "seven"]) }
        if (numerator, denominator) == (9, 11), reader.isAtEnd { return Reading(words: ["nine", "eleven"]) }
        if numerator == denominator, reader.isAtEnd { return Reading(words: number.words + number.words) }
        guard reader.isAtEnd || reader.next == "-" else { return nil }
        let isPart = numerator < denominator || [2, 4, 8, 16].contains(denominator)
        let words =
            isPart ? Self.part(numerator, denominator) : number.words + ["over"] + NumberWords.cardinal(denominator)
        _ = reader.eat("-")
        if !reader.isAtEnd { return Reading(words: prefix + words + Self.plainWords(reader.rest)) }
        return measured(index, reader, prefix + words, isOne: true)
    }

    private static func mixed(_ numerator: Int, _ denominator: Int) -> [String] {
        switch (numerator, denominator) {
        case (1, 2): ["a", "half"]
        case (1, 4): ["a", "quarter"]
        default: part(numerator, denominator)
        }
    }

    // MARK: - Ordinals, decades

    private static func suffixed(_ reader: inout ScalarReader, _ number: WrittenNumber) -> [String]? {
        let start = reader.position
        for suffix in ["st", "nd", "rd", "th", "ST", "ND", "RD", "TH"] where reader.eat(text: suffix) {
            guard reader.next?.isASCIILetter != true else { break }
            _ = reader.eat("-")
            return NumberWords.ordinal(number.integer)
        }
        reader.position = start
        _ = reader.eat("'")
        if reader.eat("s"), reader.next?.isASCIILetter != true, let value = number.value, value % 10 == 0,
            number.integer.count == 4 || (20...90).contains(value) && number.integer.count == 2
        {
            _ = reader.eat("-")
            return NumberWords.plural(NumberWords.year(value))
        }
        reader.position = start
        return nil
    }

    // MARK: - Ranges

    /// 5-10, 1990-95, 10-20%, 3-5kg, 2x3; not what has more than two numbers.
    private func range(_ index: Int, _ reader: ScalarReader, _ number: WrittenNumber, _ prefix: [String]) -> Reading? {
        var reader = reader
        let unitStart = reader.position
        var ownUnit = ""
        while let scalar = reader.next, scalar != "-", !scalar.isDigit, ownUnit.count < 6 {
            ownUnit.unicodeScalars.append(scalar)
            reader.position += 1
        }
        if ownUnit == "x", let second = reader.number() {
            var words = prefix + number.words + ["by"] + second.words
            while reader.next == "x", let scalar = reader.peek(1), scalar.isDigit {
                reader.position += 1
                guard let more = reader.number() else { break }
                words += ["by"] + more.words
            }
            return measured(index, reader, words, isOne: false)
        }
        guard ownUnit.isEmpty || Self.unit(ownUnit, isSpaced: false) != nil || ownUnit == "$" else { return nil }
        guard reader.eat("-") else { return nil }
        _ = ownUnit
        guard reader.next?.isDigit == true, let second = reader.number(), reader.next != "-" else {
            reader.position = unitStart
            return nil
        }
        let isYears =
            number.integer.count == 4 && !number.isGrouped && number.fraction == nil
            && (1_100...2_099).contains(number.value ?? 0) && second.fraction == nil
            && (second.integer.count == 4 && (1_100...2_099).contains(second.value ?? 0) || second.integer.count == 2)
            && reader.isAtEnd
        var words = prefix
        if isYears {
            words += NumberWords.year(number.value ?? 0) + ["to"]
            words += second.integer.count == 4 ? NumberWords.year(second.value ?? 0) : second.words
            return Reading(words: words)
        }
        words += number.words
        if !ownUnit.isEmpty, reader.rest != ownUnit, let unit = Self.unit(ownUnit, isSpaced: false) {
            words += number.isOne ? unit.one : unit.many
        }
        return measured(index, reader, words + ["to"] + second.words, isOne: false)
    }

    // MARK: - Measures

    /// What the rest of the token, or the next token, says about the number.
    private func measured(
        _ index: Int,
        _ reader: ScalarReader,
        _ words: [String],
        isOne: Bool,
        number: WrittenNumber? = nil,
        count: Int = 1
    ) -> Reading? {
        var reader = reader
        if reader.isAtEnd {
            if let next = next(index), let unit = Self.unit(next.text, isSpaced: true) {
                return Reading(words: words + (isOne ? unit.one : unit.many), count: count + 1)
            }
            return Reading(words: words, count: count)
        }
        if reader.next == "°", reader.peek(1) == nil, let next = next(index), next.text == "C" || next.text == "F" {
            return Reading(
                words: words + [isOne ? "degree" : "degrees", next.text == "C" ? "Celsius" : "Fahrenheit"],
                count: count + 1
            )
        }
        if reader.next == "/", reader.peek(1)?.isASCIILetter == true {
            reader.position += 1
            return Reading(
                words: words + ["per"] + (Self.unit(reader.rest, isSpaced: false)?.one ?? Self.plainWords(reader.rest)),
                count: count
            )
        }
        if let feet = feet(reader, index, words, isOne) { return feet }
        let rest = reader.rest
        if let unit = Self.unit(rest, isSpaced: false) {
            return Reading(words: words + (isOne ? unit.one : unit.many), count: count)
        }
        switch rest {
        case "k", "M", "bn", "mn", "tn": return Reading(words: words + [Self.magnitudes[rest] ?? rest], count: count)
        case "K" where number.map({ $0.fraction != nil || $0.integer.count > 2 }) ?? false:
            return Reading(words: words + ["thousand"], count: count)
        case "+": return Reading(words: words + ["plus"], count: count)
        case "x": return Reading(words: words + [isOne ? "time" : "times"], count: count)
        case "p" where number?.value.map { [720, 1_080, 1_440, 2_160, 480].contains($0) } ?? false:
            let value = number?.value ?? 0
            return Reading(words: NumberWords.year(value == 720 || value == 480 ? value : value) + ["P"], count: count)
        default: break
        }
        for suffix in ["%", "°C", "°F", "°", "kg", "km", "GB", "MB"] where reader.eat(text: suffix) {
            guard let unit = Self.unit(suffix, isSpaced: false), reader.next?.isASCIILetter != true else { return nil }
            return Reading(words: words + (isOne ? unit.one : unit.many) + Self.plainWords(reader.rest), count: count)
        }
        // Ratios: 3:1.
        if reader.eat(":"), let second = reader.number(), reader.isAtEnd {
            return Reading(words: words + ["to"] + second.words, count: count)
        }
        if reader.eat("×"), let second = reader.number(), reader.isAtEnd {
            return Reading(words: words + ["times"] + second.words, count: count)
        }
        return Reading(words: words + Self.plainWords(rest), count: count)
    }

    /// 5'11": feet and inches.
    private func feet(_ reader: ScalarReader, _ index: Int, _ words: [String], _ isOne: Bool) -> Reading? {
        var reader = reader
        guard reader.eat("'"), let inches = reader.value(digits: 1...2), inches < 12, reader.isAtEnd else { return nil }
        return Reading(
            words: words + [isOne ? "foot" : "feet"] + NumberWords.cardinal(inches) + [inches == 1 ? "inch" : "inches"],
            takesMarks: true
        )
    }
}
