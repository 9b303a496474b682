extension EnglishReader {
    /// Titles and other abbreviations that never end a sentence: only with a full stop, before a name.
    private static let titles = [
        "mr": "Mister", "mrs": "Missus", "ms": "Miss", "prof": "Professor", "gen": "General", "col": "Colonel",
        "sgt": "Sergeant", "capt": "Captain", "lt": "Lieutenant", "maj": "Major", "cpl": "Corporal", "sen": "Senator",
        "rep": "Representative", "gov": "Governor", "rev": "Reverend", "hon": "Honorable", "pres": "President",
        "mt": "Mount", "messrs": "Messieurs", "fr": "Father", "adm": "Admiral", "cmdr": "Commander",
        "supt": "Superintendent",
    ]
    /// Said without a full stop too.
    private static let bareTitles: Set<String> = ["mr", "mrs", "ms", "dr", "prof", "messrs", "mt"]
    /// Abbreviations with a full stop, in any place.
    private static let stopped = [
        "ave": "Avenue", "blvd": "Boulevard", "rd": "Road", "ln": "Lane", "hwy": "Highway", "pkwy": "Parkway",
        "sq": "Square",
        "jr": "Junior", "sr": "Senior", "inc": "Incorporated", "corp": "Corporation", "ltd": "Limited",
        "bros": "Brothers",
        "dept": "Department", "approx": "approximately", "est": "established", "misc": "miscellaneous",
        "tel": "telephone",
        "assn": "Association", "univ": "University", "govt": "government", "apt": "apartment", "min": "minimum",
        "max": "maximum", "temp": "temperature", "incl": "including", "excl": "excluding", "esp": "especially",
        "dist": "district", "bldg": "Building", "mfg": "manufacturing", "mgr": "manager", "asst": "assistant",
        "vol": "volume", "cf": "compare", "viz": "namely", "ca": "circa",
    ]
    /// Abbreviations only before a number.
    private static let numbered = [
        "no": "number", "nos": "numbers", "vol": "volume", "vols": "volumes", "pp": "pages", "pg": "page", "p": "page",
        "ch": "chapter", "fig": "figure", "figs": "figures", "sec": "section", "sect": "section", "eq": "equation",
        "art": "article", "par": "paragraph", "ext": "extension", "rm": "room", "apt": "apartment", "ste": "suite",
        "ver": "version", "op": "opus", "ed": "edition", "c": "circa", "ca": "circa",
    ]
    /// Abbreviations that are none without inner full stops, or cannot be anything else.
    private static let others = [
        "e.g": "for example", "eg": "for example", "i.e": "that is", "etc": "et cetera", "vs": "versus",
        "v.s": "versus",
        "a.k.a": "also known as", "aka": "also known as", "w/": "with", "w/o": "without", "b/c": "because",
        "c/o": "care of",
        "n/a": "not applicable", "et": "et", "ph.d": "P H D", "phd": "P H D", "a.m": "A M", "p.m": "P M",
        "and/or": "and or",
        "r&d": "R and D", "q&a": "Q and A", "at&t": "A T and T", "f.y.i": "F Y I", "p.s": "P S", "r.s.v.p": "R S V P",
        "&c": "et cetera", "o'clock": "o'clock", "24/7": "twenty four seven", "b.a": "B A", "m.d": "M D",
    ]

    func abbreviation(at index: Int) -> Reading? {
        guard let token = token(index), token.core.count <= 16, token.core.contains(where: \.isASCIILetter) else {
            return nil
        }
        let key = token.lowercased
        let hasStop = token.trail.hasPrefix(".")
        let following = self.token(index + 1)
        if key == "dr" || key == "st" { return doctorOrDrive(index, token, hasStop) }
        if key == "eg" || key == "aka" || key == "phd" || key == "et" || key == "v.s" {
            guard key != "et", key != "eg" || hasStop || token.trail == "," else { return nil }
        }
        if let words = Self.others[key], key != "et" {
            return Reading(
                words: Self.split(words),
                stop: ["etc", "a.m", "p.m"].contains(key) ? .closing : .abbreviation
            )
        }
        if let title = Self.titles[key], token.isCapitalized,
            hasStop || Self.bareTitles.contains(key) && token.trail.isEmpty,
            let following, following.isCapitalized || following.core.count == 1 || following.text == "and"
        {
            guard key != "fr" || hasStop, token.text != token.text.uppercased() || token.core.count <= 2 && hasStop
            else { return nil }
            return Reading(words: [title], stop: .abbreviation)
        }
        if let word = Self.numbered[key], hasStop, token.trail == ".", following?.core.first?.isDigit == true {
            return Reading(
                words: [token.isCapitalized && key.count > 1 ? word.capitalizedASCII : word],
                stop: .abbreviation
            )
        }
        if hasStop, let word = Self.stopped[key], token.text != "EST" {
            let isStreet = word.first?.isUppercase == true
            guard !isStreet || token.isCapitalized else { return nil }
            // "I ran 5 min." and "to the max." are words of their own.
            guard
                !["min", "max", "temp", "est", "sq", "vol", "ca"].contains(key)
                    || following != nil && !endsSentence(after: index)
            else {
                return nil
            }
            return Reading(words: [token.isCapitalized ? word.capitalizedASCII : word], stop: .abbreviation)
        }
        return attachedNumber(token) ?? dottedLetters(index, token)
    }

    /// "Dr." and "St." mean something else before a name than after one.
    private func doctorOrDrive(_ index: Int, _ token: TextToken, _ hasStop: Bool) -> Reading? {
        guard token.isCapitalized, token.text != "ST", token.text != "DR" || hasStop else { return nil }
        let before = self.token(index - 1)
        let following = token.trail == "." || token.trail.isEmpty ? self.token(index + 1) : nil
        let isBeforeName =
            following?.isCapitalized == true && !(before?.isCapitalized == true && endsSentence(after: index))
        let isAfterName =
            before.map { ($0.isCapitalized && $0.core.count > 1 || $0.core.first?.isDigit == true) && $0.trail.isEmpty }
            ?? false
        let isStreet = isAfterName && (isHouseNumber(index - 2) || before?.core.first?.isDigit == true)
        if token.lowercased == "dr" {
            if isStreet || isAfterName && !isBeforeName { return Reading(words: ["Drive"], stop: .abbreviation) }
            guard isBeforeName || hasStop && following != nil else { return nil }
            return Reading(words: ["Doctor"], stop: .abbreviation)
        }
        if isStreet || isAfterName && !isBeforeName { return Reading(words: ["Street"], stop: .abbreviation) }
        guard isBeforeName else { return nil }
        return Reading(words: ["Saint"], stop: .abbreviation)
    }

    private func isHouseNumber(_ index: Int) -> Bool {
        token(index)?.core.first?.isDigit == true && token(index)?.trail.isEmpty == true
    }

    /// No.5, p.12.
    private func attachedNumber(_ token: TextToken) -> Reading? {
        guard let stop = token.core.firstIndex(of: "."), stop > 0 else { return nil }
        let name = String(scalars: token.core[..<stop]).lowercased()
        let digits = token.core[(stop + 1)...]
        guard let word = Self.numbered[name], !digits.isEmpty, digits.allSatisfy(\.isDigit) else { return nil }
        return Reading(words: [word] + NumberWords.cardinal(digits.map(\.digit)))
    }

    /// U.S., D.C., J. (in a name).
    private func dottedLetters(_ index: Int, _ token: TextToken) -> Reading? {
        if token.core.count == 1, token.trail == ".", let letter = token.core.first, letter.isUpper {
            guard let following = self.token(index + 1), following.isCapitalized, !endsSentence(after: index) else {
                return nil
            }
            // Letters without full stops before it are a spelled word, which may end a sentence.
            if let before = self.token(index - 1), before.core.count == 1, before.isCapitalized, before.trail.isEmpty {
                return nil
            }
            return Reading(words: [token.text], stop: .abbreviation)
        }
        guard token.core.count > 2, token.core.count % 2 == 1 else { return nil }
        for (place, scalar) in token.core.enumerated() {
            guard place % 2 == 0 ? scalar.isASCIILetter : scalar == "." else { return nil }
        }
        let letters = token.core.filter(\.isASCIILetter).map { String(scalars: [$0]).uppercased() }
        return Reading(words: letters, stop: .abbreviation)
    }
}
