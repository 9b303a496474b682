extension EnglishReader {
    static let months = [
        "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
        "december",
    ]
    private static let shortMonths = [
        "jan": 1, "feb": 2, "mar": 3, "apr": 4, "jun": 6, "jul": 7, "aug": 8, "sep": 9, "sept": 9, "oct": 10, "nov": 11,
        "dec": 12,
    ]
    private static let shortDays = [
        "mon": "Monday", "tue": "Tuesday", "tues": "Tuesday", "wed": "Wednesday", "thu": "Thursday", "thur": "Thursday",
        "thurs": "Thursday", "fri": "Friday", "sat": "Saturday", "sun": "Sunday",
    ]

    /// Dates in numbers and with the month's name; times of the day; years, where the words around say that they are.
    func date(at index: Int) -> Reading? {
        guard let token = token(index), let first = token.core.first else { return nil }
        if first.isDigit {
            return numericDate(token) ?? time(index) ?? dayAndMonth(index) ?? year(index)
        }
        return monthAndDay(index) ?? (first.isUpper ? weekday(index) : nil)
    }

    /// The month that a token names, from 1; short names only with `beside` a number.
    private func month(_ token: TextToken?) -> Int? {
        guard let token else { return nil }
        if let index = Self.months.firstIndex(of: token.lowercased) {
            // "may" and "march" are other words too.
            return token.isCapitalized || index != 2 && index != 4 ? index + 1 : nil
        }
        guard token.isCapitalized else { return nil }
        return Self.shortMonths[token.lowercased]
    }

    private static func name(_ month: Int) -> String { months[(month - 1) % 12].capitalizedASCII }

    /// A day of the week or a month, which follows a time.
    func isTimeName(_ token: TextToken) -> Bool {
        month(token) != nil || token.lowercased.hasSuffix("day") || Self.shortDays[token.lowercased] != nil
    }

    private static func isYear(_ token: TextToken?) -> Int? {
        guard let token, token.isNumber, token.core.count == 4, let value = Int(token.text),
            (1_000...2_199).contains(value)
        else { return nil }
        return value
    }

    // MARK: - With a name

    private func monthAndDay(_ index: Int) -> Reading? {
        guard let token = token(index), let month = month(token), ["", "."].contains(token.trail) else { return nil }
        let name = Self.name(month)
        guard let second = self.token(index + 1), second.lead.isEmpty else { return nil }
        if let year = Self.isYear(second) { return Reading(words: [name] + NumberWords.year(year), count: 2) }
        var reader = ScalarReader(second.core)
        guard let day = reader.value(digits: 1...2), (1...31).contains(day) else { return nil }
        var words = [name] + NumberWords.ordinal(NumberWords.cardinal(day))
        let hasSuffix = ["st", "nd", "rd", "th"].contains { reader.eat(text: $0) }
        if !hasSuffix, reader.eat("-") {
            guard let end = reader.value(digits: 1...2), (1...31).contains(end) else { return nil }
            words += ["to"] + NumberWords.ordinal(NumberWords.cardinal(end))
        }
        guard reader.isAtEnd else { return nil }
        if ["", ","].contains(second.trail), let third = self.token(index + 2), third.lead.isEmpty,
            let year = Self.isYear(third)
        {
            words[words.count - 1] += ","
            return Reading(words: words + NumberWords.year(year), count: 3)
        }
        return Reading(words: words, count: 2)
    }

    private func dayAndMonth(_ index: Int) -> Reading? {
        guard let token = token(index), token.trail.isEmpty else { return nil }
        var reader = ScalarReader(token.core)
        guard let day = reader.value(digits: 1...2), (1...31).contains(day) else { return nil }
        let hasSuffix = ["st", "nd", "rd", "th"].contains { reader.eat(text: $0) }
        guard reader.isAtEnd else { return nil }
        var count = 1
        if hasSuffix, self.token(index + 1)?.text == "of" { count = 2 }
        guard let second = self.token(index + count), second.lead.isEmpty, let month = month(second) else { return nil }
        // "5 may" is no date, nor is "2 Mar" at the end of a name; a full stop may follow a short name only.
        let before = self.token(index - 1)?.lowercased
        var words = before == "the" ? [] : ["the"]
        words += NumberWords.ordinal(NumberWords.cardinal(day)) + ["of", Self.name(month)]
        count += 1
        let isShort = Self.shortMonths[second.lowercased] != nil
        if second.trail.isEmpty || second.trail == "," || isShort && second.trail == ".",
            let third = self.token(index + count), third.lead.isEmpty, let year = Self.isYear(third)
        {
            words[words.count - 1] += ","
            return Reading(words: words + NumberWords.year(year), count: count + 1)
        }
        return Reading(words: words, count: count, stop: isShort ? .abbreviation : .sentence)
    }

    private func weekday(_ index: Int) -> Reading? {
        guard let token = token(index) else { return nil }
        let parts = token.lowercased.split(separator: "-", omittingEmptySubsequences: false)
        if parts.count == 2, let from = Self.shortDays[String(parts[0])], let to = Self.shortDays[String(parts[1])] {
            return Reading(words: [from, "to", to])
        }
        guard let name = Self.shortDays[token.lowercased] else { return nil }
        let isBeforeMonth = month(self.token(index + 1)) != nil
        let isAfterComma = token.trail == "," && self.token(index + 1)?.core.first?.isDigit == true
        let isShort = token.trail.hasPrefix(".") && !["sat", "sun"].contains(token.lowercased)
        guard isBeforeMonth || isAfterComma || isShort else { return nil }
        return Reading(words: [name], stop: .abbreviation)
    }

    // MARK: - In numbers

    private func numericDate(_ token: TextToken) -> Reading? {
        var reader = ScalarReader(token.core)
        let first = reader.digits()
        guard (1...4).contains(first.count), let mark = reader.eat(anyOf: "-/."),
            let second = reader.value(digits: 1...2), reader.eat(mark)
        else { return nil }
        let third = reader.digits()
        guard third.count <= 4 else { return nil }
        let a = first.reduce(0) { $0 * 10 + Int($1) }
        let c = third.reduce(0) { $0 * 10 + Int($1) }
        if first.count == 4, (1...2).contains(third.count) {
            guard Self.isDay(year: a, month: second, day: c) else { return nil }
            let date = Self.words(year: a, month: second, day: c)
            if reader.isAtEnd { return Reading(words: date) }
            guard reader.eat(anyOf: "Tt") != nil, let time = Self.clock(&reader) else { return nil }
            return Reading(words: date + ["at"] + time)
        }
        guard reader.isAtEnd, first.count <= 2, third.count == 4 || third.count == 2 && mark == "/" else { return nil }
        let year = third.count == 2 ? (c <= 50 ? 2_000 : 1_900) + c : c
        let isDayFirst = mark == "." || a > 12
        let (month, day) = isDayFirst ? (second, a) : (a, second)
        guard Self.isDay(year: year, month: month, day: day) else { return nil }
        return Reading(words: Self.words(year: year, month: month, day: day))
    }

    private static func isDay(year: Int, month: Int, day: Int) -> Bool {
        (1_000...2_999).contains(year) && (1...12).contains(month) && (1...31).contains(day)
    }

    private static func words(year: Int, month: Int, day: Int) -> [String] {
        var words = [name(month)] + NumberWords.ordinal(NumberWords.cardinal(day))
        words[words.count - 1] += ","
        return words + NumberWords.year(year)
    }

    // MARK: - Times

    /// The half of the day that a token begins with; how many characters it has.
    private static func half(_ text: String) -> String? {
        switch text.lowercased() {
        case "am", "a.m", "a.m.": "A M"
        case "pm", "p.m", "p.m.": "P M"
        default: nil
        }
    }

    private func time(_ index: Int) -> Reading? {
        guard let token = token(index) else { return nil }
        var reader = ScalarReader(token.core)
        guard let hour = reader.value(digits: 1...2), hour <= 24 else { return nil }
        if token.core.contains("-"), let range = timeRange(index, token) { return range }
        reader.position = 0
        if let time = Self.clock(&reader) {
            if reader.isAtEnd, let half = next(index).flatMap({ Self.half($0.text) }) {
                return Reading(words: Self.dropHour(time) + Self.letters(half), count: 2, stop: .closing)
            }
            if reader.isAtEnd { return Reading(words: time) }
            guard let half = Self.half(reader.rest) else { return nil }
            return Reading(
                words: Self.dropHour(time) + Self.letters(half),
                stop: token.text.contains(".") ? .closing : .sentence
            )
        }
        reader.position = 0
        _ = reader.digits()
        guard (1...12).contains(hour) else { return nil }
        if let half = Self.half(reader.rest) {
            return Reading(
                words: NumberWords.cardinal(hour) + Self.letters(half),
                stop: token.text.contains(".") ? .closing : .sentence
            )
        }
        guard reader.isAtEnd, let half = next(index).flatMap({ Self.half($0.text) }),
            self.token(index + 1)?.lowercased != "am" || self.token(index + 1)?.text == "AM"
                || self.token(index - 1)?.lowercased != "i"
        else { return nil }
        return Reading(words: NumberWords.cardinal(hour) + Self.letters(half), count: 2, stop: .closing)
    }

    /// 9am-5pm, 9:00-17:30.
    private func timeRange(_ index: Int, _ token: TextToken) -> Reading? {
        let parts = token.core.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2 else { return nil }
        let isTime = token.core.contains(":") || token.lowercased.contains("m")
        guard isTime else { return nil }
        var words: [String] = []
        for (place, part) in parts.enumerated() {
            var reader = ScalarReader(Array(part))
            var said = Self.clock(&reader)
            if said == nil {
                reader.position = 0
                guard let hour = reader.value(digits: 1...2), (1...24).contains(hour) else { return nil }
                said = NumberWords.cardinal(hour)
            }
            guard var said else { return nil }
            if let half = Self.half(reader.rest) {
                said = Self.dropHour(said) + Self.letters(half)
            } else if !reader.isAtEnd {
                return nil
            } else if place == 1, let half = next(index).flatMap({ Self.half($0.text) }) {
                return Reading(
                    words: words + ["to"] + Self.dropHour(said) + Self.letters(half),
                    count: 2,
                    stop: .closing
                )
            }
            words += (place == 1 ? ["to"] : []) + said
        }
        return Reading(words: words)
    }

    private static func letters(_ half: String) -> [String] { half.split(separator: " ").map(String.init) }

    private static func dropHour(_ time: [String]) -> [String] { time.filter { $0 != "o'clock" && $0 != "hundred" } }

    /// 3:05, 15:45:30: what is read as a time of the day, nil if it is none.
    private static func clock(_ reader: inout ScalarReader) -> [String]? {
        guard let hour = reader.value(digits: 1...2), hour <= 24, reader.eat(":") else { return nil }
        let minutes = reader.digits()
        guard minutes.count == 2, let minute = Optional(Int(minutes[0]) * 10 + Int(minutes[1])), minute < 60 else {
            return nil
        }
        var words = NumberWords.cardinal(hour)
        switch minute {
        case 0 where hour == 0: words = ["midnight"]
        case 0 where hour <= 12: words.append("o'clock")
        case 0: words.append("hundred")
        case 1...9: words += ["oh"] + NumberWords.cardinal(minute)
        default: words += NumberWords.cardinal(minute)
        }
        if reader.eat(":") {
            let seconds = reader.digits()
            guard seconds.count == 2 else { return nil }
            if seconds != [0, 0] {
                words += ["and"] + NumberWords.cardinal(seconds) + [seconds == [0, 1] ? "second" : "seconds"]
            }
            if reader.next == ".", reader.peek(1)?.isDigit == true {
                _ = reader.eat(".")
                _ = reader.digits()
            }
        }
        if reader.next == "Z", reader.position == reader.scalars.count - 1 {
            reader.position += 1
            words += ["U", "T", "C"]
        }
        return words
    }

    // MARK: - Years

    private static let yearCues: Set<String> = [
        "in", "since", "by", "from", "until", "till", "year", "circa", "before", "after", "around", "during", "early",
        "late",
        "mid", "of", "spring", "summer", "autumn", "fall", "winter", "class", "between", "and", "to", "copyright",
        "for",
    ]

    /// A number of four digits that is a year, or is said like one.
    private func year(_ index: Int) -> Reading? {
        guard let token = token(index), let year = Self.isYear(token) else { return nil }
        let following = token.trail.isEmpty ? self.token(index + 1) : nil
        let before = self.token(index - 1)
        if let following, ["bc", "ad", "bce", "ce"].contains(following.lowercased),
            following.text == following.text.uppercased()
        {
            return Reading(
                words: NumberWords.year(year) + following.core.filter(\.isUpper).map { String(scalars: [$0]) },
                count: 2
            )
        }
        guard
            (1_100...1_999).contains(year) || (2_010...2_099).contains(year)
                || Self.yearCues.contains(before?.lowercased ?? "")
        else { return nil }
        // Things are counted: 1984 people, 1500 meters.
        if let following, let first = following.core.first, first.isLower || !first.isASCIILetter {
            let isCounted =
                following.lowercased.hasSuffix("s") && following.core.count > 3
                || ["people", "men", "women", "children", "feet", "percent", "and"].contains(following.lowercased)
                || EnglishReader.unit(following.text, isSpaced: true) != nil
            let isCue = Self.yearCues.contains(before?.lowercased ?? "") && following.lowercased == "and"
            if isCounted, !isCue, following.lowercased != "was", following.lowercased != "and" || year % 100 == 0 {
                return nil
            }
        }
        return Reading(words: NumberWords.year(year))
    }
}

extension String {
    /// The text with its first letter in upper case.
    var capitalizedASCII: String { prefix(1).uppercased() + dropFirst() }
}
