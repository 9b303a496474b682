extension EnglishReader {
    /// Telephone numbers: 555-1234, 555-123-4567, 555.123.4567, (555) 123-4567, 1-800-555-1234, +44 20 7946 0958; and the
    /// three digits after "call" or "dial".
    func phone(at index: Int) -> Reading? {
        guard let token = token(index), let first = token.core.first, first.isDigit || first == "+" else { return nil }
        if first == "+" { return international(index) }
        if token.isNumber { return token.core.count == 4 ? card(index) : spacedGroups(index) }
        guard let groups = Self.groups(token.core) else { return nil }
        let sizes = groups.map(\.count)
        guard sizes == [3, 4] || sizes == [3, 3, 4] || sizes == [1, 3, 3, 4] else { return nil }
        // Three decimals are no number to call.
        if token.core.contains("."), sizes == [3, 4] { return nil }
        return Reading(words: Self.said(groups))
    }

    private func international(_ index: Int) -> Reading? {
        guard let token = token(index), token.core.count > 1,
            let groups = Self.groups(Array(token.core.dropFirst()))
        else { return nil }
        var all = groups
        var count = 1
        var last = token
        while count < 7, last.trail.isEmpty || last.trail == ")", let next = self.token(index + count),
            next.lead.isEmpty || next.lead == "(", let more = Self.groups(next.core)
        {
            all += more
            last = next
            count += 1
        }
        let digits = all.reduce(0) { $0 + $1.count }
        guard (7...16).contains(digits), all[0].count <= 3 || count == 1 else { return nil }
        return Reading(words: ["plus"] + Self.said(all), count: count)
    }

    /// 4111 1111 1111 1111: three or more groups of four.
    private func card(_ index: Int) -> Reading? {
        var groups: [[UInt8]] = []
        while groups.count < 8, let token = token(index + groups.count), token.isNumber, token.core.count == 4,
            groups.isEmpty || token.lead.isEmpty
        {
            groups.append(token.core.map(\.digit))
            guard token.trail.isEmpty else { break }
        }
        return groups.count > 2 ? Reading(words: Self.said(groups), count: groups.count) : nil
    }

    private func spacedGroups(_ index: Int) -> Reading? {
        guard let token = token(index), token.core.count == 3 else { return nil }
        let before = self.token(index - 1)?.lowercased ?? ""
        if token.lead == "(", token.trail == ")", let next = self.token(index + 1), next.lead.isEmpty,
            let groups = Self.groups(next.core)
        {
            let all = [token.core.map(\.digit)] + groups
            if all.map(\.count) == [3, 3, 4] { return Reading(words: Self.said(all), count: 2, takesMarks: true) }
            if all.map(\.count) == [3, 3], next.trail.isEmpty, let last = self.token(index + 2), last.lead.isEmpty,
                last.isNumber, last.core.count == 4
            {
                return Reading(words: Self.said(all + [last.core.map(\.digit)]), count: 3, takesMarks: true)
            }
        }
        if token.trail.isEmpty, let middle = next(index), middle.isNumber, middle.core.count == 3,
            let last = next(index + 1), last.isNumber, last.core.count == 4
        {
            return Reading(words: Self.said([token, middle, last].map { $0.core.map(\.digit) }), count: 3)
        }
        if before == "call" || before == "dial" { return Reading(words: NumberWords.digits(token.core.map(\.digit))) }
        return nil
    }

    /// Groups of digits with hyphens or full stops between.
    private static func groups(_ core: [Unicode.Scalar]) -> [[UInt8]]? {
        guard core.count <= 24, core.allSatisfy({ $0.isDigit || $0 == "-" || $0 == "." }) else { return nil }
        let groups = core.split(omittingEmptySubsequences: false) { !$0.isDigit }.map { $0.map(\.digit) }
        return groups.contains(where: \.isEmpty) ? nil : groups
    }

    static func said(_ groups: [[UInt8]]) -> [String] {
        var words: [String] = []
        for (index, group) in groups.enumerated() {
            words += group == [8, 0, 0] && index <= 1 ? ["eight", "hundred"] : NumberWords.digits(group)
            if index < groups.count - 1, let last = words.indices.last { words[last] += "," }
        }
        return words
    }
}
