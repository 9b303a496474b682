extension EnglishReader {
    /// How a currency is called.
    struct Currency {
        var one: String
        var many: String
        /// A hundredth of it.
        var part: (one: String, many: String)?
    }

    private static let cents: (one: String, many: String) = ("cent", "cents")
    static let currencies: [String: Currency] = [
        "$": Currency(one: "dollar", many: "dollars", part: cents),
        "US$": Currency(one: "U S dollar", many: "U S dollars", part: cents),
        "C$": Currency(one: "Canadian dollar", many: "Canadian dollars", part: cents),
        "CA$": Currency(one: "Canadian dollar", many: "Canadian dollars", part: cents),
        "A$": Currency(one: "Australian dollar", many: "Australian dollars", part: cents),
        "AU$": Currency(one: "Australian dollar", many: "Australian dollars", part: cents),
        "NZ$": Currency(one: "New Zealand dollar", many: "New Zealand dollars", part: cents),
        "HK$": Currency(one: "Hong Kong dollar", many: "Hong Kong dollars", part: cents),
        "S$": Currency(one: "Singapore dollar", many: "Singapore dollars", part: cents),
        "R$": Currency(one: "real", many: "reais", part: ("centavo", "centavos")),
        "€": Currency(one: "euro", many: "euros", part: cents),
        "£": Currency(one: "pound", many: "pounds", part: ("penny", "pence")),
        "¥": Currency(one: "yen", many: "yen", part: nil),
        "₹": Currency(one: "rupee", many: "rupees", part: ("paisa", "paise")),
        "₩": Currency(one: "won", many: "won", part: nil),
        "₽": Currency(one: "ruble", many: "rubles", part: ("kopek", "kopeks")),
        "₺": Currency(one: "lira", many: "lira", part: ("kurus", "kurus")),
        "₪": Currency(one: "shekel", many: "shekels", part: ("agora", "agorot")),
        "₫": Currency(one: "dong", many: "dong", part: nil),
        "₴": Currency(one: "hryvnia", many: "hryvnias", part: ("kopiyka", "kopiykas")),
        "₦": Currency(one: "naira", many: "naira", part: ("kobo", "kobo")),
        "฿": Currency(one: "baht", many: "baht", part: ("satang", "satang")),
        "₿": Currency(one: "bitcoin", many: "bitcoins", part: nil),
        "¢": Currency(one: "cent", many: "cents", part: nil),
        "USD": Currency(one: "U S dollar", many: "U S dollars", part: cents),
        "EUR": Currency(one: "euro", many: "euros", part: cents),
        "GBP": Currency(one: "British pound", many: "British pounds", part: ("penny", "pence")),
        "JPY": Currency(one: "Japanese yen", many: "Japanese yen", part: nil),
        "CHF": Currency(one: "Swiss franc", many: "Swiss francs", part: ("centime", "centimes")),
        "CAD": Currency(one: "Canadian dollar", many: "Canadian dollars", part: cents),
        "AUD": Currency(one: "Australian dollar", many: "Australian dollars", part: cents),
        "INR": Currency(one: "Indian rupee", many: "Indian rupees", part: ("paisa", "paise")),
        "CNY": Currency(one: "yuan", many: "yuan", part: nil),
        "SEK": Currency(one: "Swedish krona", many: "Swedish kronor", part: nil),
        "NOK": Currency(one: "Norwegian krone", many: "Norwegian kroner", part: nil),
        "DKK": Currency(one: "Danish krone", many: "Danish kroner", part: nil),
        "BTC": Currency(one: "bitcoin", many: "bitcoins", part: nil),
    ]

    /// What multiplies an amount, written close to it.
    static let magnitudes = [
        "k": "thousand", "K": "thousand", "m": "million", "M": "million", "mn": "million", "mm": "million",
        "mil": "million", "b": "billion", "B": "billion", "bn": "billion", "t": "trillion", "T": "trillion",
        "tn": "trillion",
    ]
    private static let magnitudeNames: Set<String> = ["hundred", "thousand", "million", "billion", "trillion"]

    /// $5, -$5.50, $1.5 million, $10k, $5-10, €3/month, 5€, 50¢, USD 5, 5 EUR.
    func money(at index: Int) -> Reading? {
        guard let token = token(index) else { return nil }
        var reader = ScalarReader(token.core)
        let isNegative = reader.eat("-")
        if let currency = Self.symbol(&reader) { return prefixed(index, &reader, currency, isNegative) }
        if !isNegative, let currency = Self.currencies[token.text], token.core.first?.isUpper == true,
            let next = next(index),
            next.core.first?.isDigit == true
        {
            reader = ScalarReader(next.core)
            guard let reading = prefixed(index + 1, &reader, currency, false) else { return nil }
            return Reading(words: reading.words, count: reading.count + 1)
        }
        guard let number = reader.number() else { return nil }
        let minus = isNegative ? ["minus"] : []
        if let currency = Self.currencies[reader.rest], !reader.isAtEnd {
            return Reading(words: minus + Self.amount(number, currency))
        }
        guard reader.isAtEnd, let unit = next(index) else { return nil }
        if let currency = Self.currencies[unit.text] {
            return Reading(words: minus + Self.amount(number, currency), count: 2)
        }
        guard Self.magnitudeNames.contains(unit.lowercased),
            let currency = next(index + 1).flatMap({ Self.currencies[$0.text] })
        else { return nil }
        return Reading(words: minus + number.words + [unit.lowercased] + Self.split(currency.many), count: 3)
    }

    /// The currency at the beginning.
    private static func symbol(_ reader: inout ScalarReader) -> Currency? {
        let start = reader.position
        var name = ""
        while let scalar = reader.next, scalar.isUpper, name.count < 2 {
            name.unicodeScalars.append(scalar)
            reader.position += 1
        }
        if let scalar = reader.next {
            name.unicodeScalars.append(scalar)
            reader.position += 1
            if let currency = currencies[name], !scalar.isASCIILetter, scalar != "¢" { return currency }
        }
        reader.position = start
        return nil
    }

    private func prefixed(
        _ index: Int,
        _ reader: inout ScalarReader,
        _ currency: Currency,
        _ isNegative: Bool
    ) -> Reading? {
        guard let number = reader.number() else { return nil }
        let minus = isNegative ? ["minus"] : []
        var words: [String]
        if let magnitude = Self.magnitude(&reader) {
            words = minus + number.words + [magnitude]
            if reader.next != "-" { words += Self.split(currency.many) }
        } else if reader.isAtEnd, let next = next(index), Self.magnitudeNames.contains(next.lowercased) {
            return Reading(words: minus + number.words + [next.lowercased] + Self.split(currency.many), count: 2)
        } else {
            words = minus + (reader.next == "-" ? number.words : Self.amount(number, currency))
        }
        if reader.eat("-") {
            _ = Self.symbol(&reader)
            if let end = reader.number() {
                if let magnitude = Self.magnitude(&reader) {
                    words += ["to"] + end.words + [magnitude] + Self.split(currency.many)
                } else if reader.isAtEnd, let next = next(index), Self.magnitudeNames.contains(next.lowercased) {
                    return Reading(
                        words: words + ["to"] + end.words + [next.lowercased] + Self.split(currency.many),
                        count: 2
                    )
                } else {
                    words += ["to"] + Self.amount(end, currency)
                }
            } else {
                // $5-per-month
                words = minus + Self.amount(number, currency)
                return Reading(words: words + Self.plainWords(reader.rest))
            }
        }
        if reader.eat("+") { words.append("plus") }
        if reader.eat("/") {
            guard !reader.isAtEnd else { return Reading(words: words) }
            return Reading(
                words: words + ["per"] + (Self.unit(reader.rest, isSpaced: false)?.one ?? Self.plainWords(reader.rest))
            )
        }
        return reader.isAtEnd ? Reading(words: words) : Reading(words: words + Self.plainWords(reader.rest))
    }

    private static func magnitude(_ reader: inout ScalarReader) -> String? {
        let start = reader.position
        var name = ""
        while let scalar = reader.next, scalar.isASCIILetter, name.count < 4 {
            name.unicodeScalars.append(scalar)
            reader.position += 1
        }
        if let magnitude = magnitudes[name], reader.next?.isASCIILetter != true { return magnitude }
        reader.position = start
        return nil
    }

    private static func amount(_ number: WrittenNumber, _ currency: Currency) -> [String] {
        if let part = currency.part, let fraction = number.fraction, fraction.count <= 2, !fraction.isEmpty {
            let cents = Int(fraction[0]) * 10 + (fraction.count > 1 ? Int(fraction[1]) : 0)
            let whole = WrittenNumber(integer: number.integer, fraction: nil, isGrouped: true)
            let small = NumberWords.cardinal(cents) + split(cents == 1 ? part.one : part.many)
            if cents == 0 { return whole.words + split(whole.isOne ? currency.one : currency.many) }
            if number.integer.allSatisfy({ $0 == 0 }) { return small }
            return whole.words + split(whole.isOne ? currency.one : currency.many) + ["and"] + small
        }
        let isShort = number.integer.count <= NumberWords.longest
        let whole = WrittenNumber(integer: number.integer, fraction: number.fraction, isGrouped: isShort)
        return whole.words + split(whole.isOne ? currency.one : currency.many)
    }

    static func split(_ words: String) -> [String] { words.split(separator: " ").map(String.init) }
}
