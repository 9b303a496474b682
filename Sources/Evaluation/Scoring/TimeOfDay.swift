/// A time of day, perhaps without saying which half of it.
struct TimeOfDay: Sendable, Hashable {
    /// Minutes after noon or midnight, in 0..<720.
    var minutes: Int
    /// Whether it is after noon; nil where nobody said so.
    var isAfterNoon: Bool?

    /// Whether both can be the same time.
    func agrees(with other: TimeOfDay) -> Bool {
        minutes == other.minutes
            && (isAfterNoon == nil || other.isAfterNoon == nil || isAfterNoon == other.isAfterNoon)
    }

    /// Reads a row of digits: "7", "1040", "1930".
    init?(row: String, half: String?) {
        guard (1...4).contains(row.count), let number = Int(row) else { return nil }
        let (hour, minute) = row.count <= 2 ? (number, 0) : (number / 100, number % 100)
        guard (1...23).contains(hour), minute < 60, half == nil || hour <= 12 else { return nil }
        minutes = hour % 12 * 60 + minute
        isAfterNoon = half.map { $0 == "pm" } ?? (hour > 12 ? true : nil)
    }
}

extension SpokenText {
    /// The time of day that the text is, and nothing else.
    var time: TimeOfDay? {
        guard tokens.count == 2, ["am", "pm"].contains(tokens[1]) else { return nil }
        return TimeOfDay(row: tokens[0], half: tokens[1])
    }

    /// The times of day that are said: rows of digits with `am` or `pm`, and those of hours and minutes after a word like "at".
    var times: [TimeOfDay] { tokens.indices.compactMap { time(at: $0) } }

    /// Whether a time of day is said. Hours with minutes need no word before them.
    func says(_ wanted: TimeOfDay) -> Bool {
        tokens.indices.contains { index in
            let next = index + 1 < tokens.count ? tokens[index + 1] : ""
            let half = ["am", "pm"].contains(next) ? next : nil
            let said = tokens[index].count > 2 ? TimeOfDay(row: tokens[index], half: half) : time(at: index)
            return said?.agrees(with: wanted) ?? false
        }
    }

    private func time(at index: Int) -> TimeOfDay? {
        let row = tokens[index]
        guard row.first?.isNumber == true else { return nil }
        let next = index + 1 < tokens.count ? tokens[index + 1] : ""
        if next == "am" || next == "pm" { return TimeOfDay(row: row, half: next) }
        guard index > 0, Self.prepositions.contains(tokens[index - 1]), !Self.units.contains(next) else { return nil }
        // "At 7" may be a time, "at 7 euros" is none; a year or a number of five digits neither.
        return TimeOfDay(row: row, half: nil)
    }

    private static let prepositions: Set = [
        "at", "until", "till", "before", "after", "around", "from", "by", "starts", "begins",
    ]
    private static let units: Set = [
        "euros", "dollars", "pounds", "cents", "percent", "minutes", "hours", "people", "places", "seats", "years",
        "days",
        "thousand", "hundred",
    ]
}
