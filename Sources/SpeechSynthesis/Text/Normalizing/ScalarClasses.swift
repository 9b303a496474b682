/// What a character is to the normaliser.
extension Unicode.Scalar {
    var isDigit: Bool { ("0"..."9").contains(self) }
    var digit: UInt8 { UInt8(truncatingIfNeeded: value &- 48) }
    var isASCIILetter: Bool { ("a"..."z").contains(self) || ("A"..."Z").contains(self) }
    var isUpper: Bool { ("A"..."Z").contains(self) }
    var isLower: Bool { ("a"..."z").contains(self) }

    /// A letter of the Latin script, accents included.
    var isLatinLetter: Bool {
        if isASCII { return isASCIILetter }
        let isLatinBlock =
            (0xAA...0x24F).contains(value) || (0x1E00...0x1EFF).contains(value) || (0x2C60...0x2C7F).contains(value)
            || (0xA720...0xA7FF).contains(value) || (0xFB00...0xFB06).contains(value)
        return isLatinBlock && properties.isAlphabetic
    }

    /// A letter, mark, digit or punctuation mark of another script than Latin: text around it is left alone.
    var isForeign: Bool {
        guard value >= 0x250 else { return false }
        switch value {
        // Combining marks for Latin; general punctuation, currencies, symbols.
        case 0x300...0x36F, 0x1E00...0x1EFF, 0x2000...0x2BFF, 0x2C60...0x2C7F, 0xA720...0xA7FF, 0xFB00...0xFB06,
            0xFE00...0xFE0F, 0xE000...0xF8FF, 0x1F000...0x1FAFF:
            return false
        case 0x3000: return false
        case 0x3001...0x303F, 0xFF01...0xFF65: return true
        default:
            switch properties.generalCategory {
            case .control, .format, .surrogate, .privateUse, .unassigned, .spaceSeparator, .lineSeparator,
                .paragraphSeparator:
                return false
            default: return true
            }
        }
    }

    /// Emoji, pictographs and what joins or colours them.
    var isPictograph: Bool {
        switch value {
        case 0x1F000...0x1FAFF, 0xFE0F, 0x20E3, 0xE0020...0xE007F: true
        case 0x2190...0x2BFF:
            properties.isEmoji || properties.generalCategory == .otherSymbol && !Self.said.contains(self)
        default: false
        }
    }

    private static let said: Set<Unicode.Scalar> = ["→", "℃", "℉"]

    /// The vulgar fractions: numerator and denominator.
    var vulgarFraction: (Int, Int)? { Self.fractions[self] }

    private static let fractions: [Unicode.Scalar: (Int, Int)] = [
        "½": (1, 2), "⅓": (1, 3), "⅔": (2, 3), "¼": (1, 4), "¾": (3, 4), "⅕": (1, 5), "⅖": (2, 5), "⅗": (3, 5),
        "⅘": (4, 5), "⅙": (1, 6), "⅚": (5, 6), "⅐": (1, 7), "⅛": (1, 8), "⅜": (3, 8), "⅝": (5, 8), "⅞": (7, 8),
        "⅑": (1, 9), "⅒": (1, 10),
    ]
}

extension String {
    init(scalars: some Sequence<Unicode.Scalar>) {
        self.init(String.UnicodeScalarView(scalars))
    }
}
