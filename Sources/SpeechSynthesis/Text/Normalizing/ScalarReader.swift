/// Reads the characters of a token from the left.
struct ScalarReader {
    let scalars: [Unicode.Scalar]
    var position = 0

    init(_ scalars: [Unicode.Scalar]) { self.scalars = scalars }

    var isAtEnd: Bool { position >= scalars.count }
    var next: Unicode.Scalar? { position < scalars.count ? scalars[position] : nil }
    var rest: String { String(scalars: scalars[min(position, scalars.count)...]) }

    func peek(_ offset: Int) -> Unicode.Scalar? {
        let index = position + offset
        return scalars.indices.contains(index) ? scalars[index] : nil
    }

    mutating func eat(_ scalar: Unicode.Scalar) -> Bool {
        guard next == scalar else { return false }
        position += 1
        return true
    }

    mutating func eat(anyOf set: String) -> Unicode.Scalar? {
        guard let next, set.unicodeScalars.contains(next) else { return nil }
        position += 1
        return next
    }

    mutating func eat(text: String) -> Bool {
        let start = position
        for scalar in text.unicodeScalars where !eat(scalar) {
            position = start
            return false
        }
        return true
    }

    /// Digits, possibly none.
    mutating func digits() -> [UInt8] {
        var digits: [UInt8] = []
        while let next, next.isDigit {
            digits.append(next.digit)
            position += 1
        }
        return digits
    }

    /// Digits of a limited number as a value.
    mutating func value(digits range: ClosedRange<Int>) -> Int? {
        let digits = digits()
        return range.contains(digits.count) ? digits.reduce(0) { $0 * 10 + Int($1) } : nil
    }

    /// A number such as 12, 1,234.5 or .75.
    mutating func number() -> WrittenNumber? {
        let start = position
        var number = WrittenNumber(integer: digits(), fraction: nil, isGrouped: false)
        if (1...3).contains(number.integer.count) {
            while next == ",", let a = peek(1), let b = peek(2), let c = peek(3), a.isDigit, b.isDigit, c.isDigit,
                peek(4)?.isDigit != true
            {
                number.integer += [a.digit, b.digit, c.digit]
                number.isGrouped = true
                position += 4
            }
        }
        if next == ".", peek(1)?.isDigit == true {
            position += 1
            number.fraction = digits()
        }
        guard !number.integer.isEmpty || number.fraction != nil else {
            position = start
            return nil
        }
        return number
    }
}

/// A number as it was written.
struct WrittenNumber {
    var integer: [UInt8]
    /// The digits after the point.
    var fraction: [UInt8]?
    /// Whether commas stand between thousands.
    var isGrouped: Bool

    /// The value of the integer, if it is small.
    var value: Int? { integer.count <= 9 ? integer.reduce(0) { $0 * 10 + Int($1) } : nil }
    var isOne: Bool { value == 1 && fraction == nil }

    /// As a quantity: long numbers without commas and those that begin with a zero are names, read digit by digit.
    var words: [String] {
        var words: [String]
        if !isGrouped, integer.count > 1 && integer[0] == 0 || !isGrouped && integer.count > 9 {
            words = NumberWords.digits(integer)
        } else {
            words = integer.isEmpty ? [] : NumberWords.cardinal(integer)
        }
        if let fraction { words += ["point"] + NumberWords.digits(fraction) }
        return words
    }
}
