internal import VoiceCore

/// What a text says, however it is written or spoken: words in lower case, numbers as rows of digits, times of day and dates in one
/// form: "10:40 a.m." and "ten forty in the morning" are `1040 am`, "half past ten" is `1030`, "the 12th of June" is `june 12`.
struct SpokenText: Sendable, Equatable {
    /// A word or a row of digits each.
    let tokens: [String]

    init(_ text: String) {
        tokens = Self.fragments(of: text).flatMap { Self.tokens(of: $0) }
    }

    /// Whether another text is said in this one; times of day are compared as such.
    func says(_ other: SpokenText) -> Bool {
        guard !other.tokens.isEmpty else { return false }
        if let time = other.time { return says(time) }
        return firstIndex(of: other.tokens) != nil
    }

    /// Where these tokens stand one after the other.
    func firstIndex(of wanted: [String]) -> Int? {
        guard let first = wanted.first, tokens.count >= wanted.count else { return nil }
        return (0...(tokens.count - wanted.count)).first { start in
            tokens[start] == first && tokens[start..<(start + wanted.count)].elementsEqual(wanted)
        }
    }

    // MARK: - Reading

    /// Pieces that punctuation parts, so that numbers on both sides of it are not one row.
    private static func fragments(of text: String) -> [Substring] {
        text.replacing(/[,;:.!?](?=\s|$)|[()\[\]\n"“”—–|]|\s-\s/, with: "\n").split(separator: "\n")
    }

    private static func tokens(of fragment: Substring) -> [String] {
        var rows: [String] = []
        var isOpen = false
        for word in SpokenForm.words(of: String(fragment)) {
            let isDigit = word.first?.isNumber == true
            if isDigit, isOpen, let last = rows.indices.last { rows[last] += word } else { rows.append(word) }
            isOpen = isDigit && word.last?.isNumber == true
        }
        return dates(in: clock(in: rows))
    }

    /// Times of day as a row of digits, hours without a leading zero, and `am` or `pm`.
    private static func clock(in words: [String]) -> [String] {
        var output: [String] = []
        var rest = words[...]
        func next(_ pattern: String...) -> Bool {
            rest.count > pattern.count && rest.prefix(pattern.count).elementsEqual(pattern)
        }
        while let word = rest.first {
            if next("half", "past") || next("quarter", "past") || next("quarter", "to"),
                let hour = Int(rest[rest.startIndex + 2]), (1...12).contains(hour)
            {
                let isTo = rest[rest.startIndex + 1] == "to"
                let minutes = word == "half" ? "30" : isTo ? "45" : "15"
                if output.last == "a" { output.removeLast() }
                output.append("\(isTo ? (hour + 10) % 12 + 1 : hour)\(minutes)")
                rest = rest.dropFirst(3)
                continue
            }
            rest = rest.dropFirst()
            let isAfterNumber = output.last.flatMap { Int($0) } != nil
            switch word {
            case "m" where output.last == "a" || output.last == "p":
                let half = output.removeLast()
                output.append(half + "m")
            case "noon", "midday", "midnight":
                if output.last != "12" { output.append("12") }
                output.append(word == "midnight" ? "am" : "pm")
            case "oclock" where isAfterNumber: break
            case "in" where isAfterNumber && rest.count > 1 && rest.first == "the":
                let half = ["morning": "am", "afternoon": "pm", "evening": "pm"][rest[rest.startIndex + 1]]
                output.append(half ?? word)
                if half != nil { rest = rest.dropFirst(2) }
            case "at" where isAfterNumber && rest.first == "night":
                output.append("pm")
                rest = rest.dropFirst()
            default:
                // 09:05 is nine oh five.
                output.append(
                    word.count == 4 && word.hasPrefix("0") && Int(word) != nil ? String(word.dropFirst()) : word
                )
            }
        }
        return output
    }

    /// Days of a month behind the month.
    private static func dates(in words: [String]) -> [String] {
        var output: [String] = []
        for word in words {
            output.append(word)
            guard months.contains(word) else { continue }
            var before = output.dropLast()
            let hasOf = before.last == "of"
            if hasOf { before.removeLast() }
            guard let day = before.last, day.count <= 4, day != word else { continue }
            let isOrdinal = day.hasSuffix("th")
            let digits = isOrdinal ? String(day.dropLast(2)) : day
            // "May" may be something else.
            guard let number = Int(digits), (1...31).contains(number), hasOf || isOrdinal || word != "may" else {
                continue
            }
            output = before.dropLast() + [word, digits]
        }
        return output
    }

    private static let months: Set = [
        "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
        "december",
    ]
}
