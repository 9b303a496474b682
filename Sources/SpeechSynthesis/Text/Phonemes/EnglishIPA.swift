internal import Foundation

/// CMU phones to IPA as eSpeak NG's `en-us` has it.
enum EnglishIPA {
    /// What a vowel begins with.
    static let vowels: Set<Unicode.Scalar> = [
        "a", "e", "i", "o", "u", "æ", "ɐ", "ɑ", "ɔ", "ə", "ɚ", "ɛ", "ɜ", "ɪ", "ʊ", "ʌ", "ᵻ",
    ]

    /// The phonemes of a word; the stress mark stands before its vowel.
    static func text(of phones: [Arpabet], word: String) -> String {
        var text = ""
        var index = 0
        let phones = settled(phones)
        let spelling = VowelSpelling(word: word, vowels: phones.count(where: \.isVowel))
        var vowelIndex = 0
        while index < phones.count {
            let phone = phones[index]
            let next = index + 1 < phones.count ? phones[index + 1] : nil
            let before = index > 0 ? phones[index - 1] : nil
            if phone.isVowel {
                switch phone.stress {
                case 1: text += "ˈ"
                case 2: text += "ˌ"
                default: break
                }
                let after = index + 2 < phones.count ? phones[index + 2] : nil
                let place = VowelPlace(
                    before: before,
                    next: next,
                    after: after,
                    isFirst: vowelIndex == 0,
                    spelling: spelling[vowelIndex],
                    word: word
                )
                text += vowel(phone, place)
                vowelIndex += 1
            } else {
                let said = consonant(phones, index)
                if said == "ʔ" {
                    // The vowel after it is not said, the n is a syllable.
                    text += "ʔn\u{329}"
                    vowelIndex += 1
                    index += 3
                    continue
                }
                text += said
            }
            index += 1
        }
        return text
    }

    /// Stress as eSpeak NG has it: one primary; none on a syllable beside it; weak vowels stay what they are.
    private static func settled(_ phones: [Arpabet]) -> [Arpabet] {
        var phones = phones
        let vowels = phones.indices.filter { phones[$0].isVowel }
        guard let primary = vowels.firstIndex(where: { phones[$0].stress == 1 }) else { return phones }
        for (place, index) in vowels.enumerated() where place != primary {
            if phones[index].stress == 1 { phones[index].stress = 2 }
            guard phones[index].stress == 2 else { continue }
            if abs(place - primary) == 1 { phones[index].stress = Self.full }
            let isEnd = place == vowels.count - 1
            if isEnd, phones[index].symbol == .iy || phones[index].symbol == .er { phones[index].stress = 0 }
        }
        return phones
    }

    /// A vowel without a mark of stress that is not reduced.
    private static let full = 3

    /// What stands around a vowel.
    private struct VowelPlace {
        var before: Arpabet?
        var next: Arpabet?
        var after: Arpabet?
        /// No vowel comes before it.
        var isFirst: Bool
        /// The first letter of those it is written with.
        var spelling: Character?
        var word: String

        /// The vowel of be-, de- or re-.
        var isPrefix: Bool {
            guard isFirst, let before, next != nil else { return false }
            return before.symbol == .b && word.hasPrefix("be") || before.symbol == .d && word.hasPrefix("de")
                || before.symbol == .r && word.hasPrefix("re")
        }
    }

    private static func vowel(_ phone: Arpabet, _ place: VowelPlace) -> String {
        let (before, next, after, word) = (place.before, place.next, place.after, place.word)
        let isWeak = phone.stress == 0
        let isBeforeR = next?.symbol == .r
        switch phone.symbol {
        case .aa: return "ɑː"
        case .ae: return "æ"
        case .ah:
            guard isWeak else { return "ʌ" }
            return weak(place) ?? (before != nil ? "ə" : word.hasPrefix("un") ? "ʌ" : "ɐ")
        case .ao:
            if isBeforeR { return after == nil || after?.isVowel == true ? "oː" : "ɔː" }
            return next?.symbol == .ng ? "ɔ" : "ɔː"
        case .aw: return "aʊ"
        case .ay: return "aɪ"
        case .eh:
            if phone.stress == full || isWeak, before?.symbol == .m, next?.symbol == .n { return "ə" }
            return isBeforeR && word.contains("arr") ? "æ" : "ɛ"
        case .er:
            if isWeak { return next?.isVowel == true ? "ɚɹ" : "ɚ" }
            return next?.isVowel == true ? "ɜːɹ" : "ɜː"
        case .ey: return "eɪ"
        case .ih:
            if isWeak, before == nil, word.hasPrefix("ex") { return "ɛ" }
            guard isWeak, !isBeforeR, next?.symbol != .ng else { return "ɪ" }
            return weak(place) ?? "ɪ"
        case .iy:
            if isBeforeR { return "ɪ" }
            if isWeak, next?.symbol == .er { return "ɪ" }
            if phone.stress != 1, next?.isVowel == true { return next?.stress == 1 ? "iː" : "i" }
            if isWeak, place.isPrefix, before?.symbol != .d { return "ᵻ" }
            return isWeak && next == nil ? "i" : "iː"
        case .ow: return "oʊ"
        case .oy: return "ɔɪ"
        case .uh: return "ʊ"
        case .uw: return isBeforeR ? "ʊ" : "uː"
        default: return ""
        }
    }

    /// A reduced vowel by the letter that it is written with; nil where the letter says nothing.
    private static func weak(_ place: VowelPlace) -> String? {
        let (before, next, after, word) = (place.before, place.next, place.after, place.word)
        if before?.symbol == .y, place.spelling == "u" { return next?.symbol == .l ? "ʊ" : "uː" }
        // The endings -ed and -es, and be-, de-, re-.
        if after == nil, next?.symbol == .d && word.hasSuffix("ed") || next?.symbol == .z && word.hasSuffix("es") {
            return "ᵻ"
        }
        switch place.spelling {
        case "e": return place.isPrefix ? "ᵻ" : next?.symbol == .n || next?.symbol == .l || next == nil ? "ə" : "ɪ"
        case "i":
            if next?.symbol == .b || word.hasSuffix("ity") && next?.symbol == .t { return "ᵻ" }
            return next?.symbol == .n && before?.symbol == .sh || next?.symbol == .l ? "ə" : "ɪ"
        default: return nil
        }
    }

    private static func consonant(_ phones: [Arpabet], _ index: Int) -> String {
        let phone = phones[index]
        let next = index + 1 < phones.count ? phones[index + 1] : nil
        let before = index > 0 ? phones[index - 1] : nil
        switch phone.symbol {
        case .t:
            guard let before, let next, next.isVowel, next.stress == 0, before.isVowel || before.symbol == .r else {
                return "t"
            }
            // Before "n" it is a stop without release.
            let after = index + 2 < phones.count ? phones[index + 2] : nil
            if next.symbol == .ah, after?.symbol == .n { return after == phones.last && before.isVowel ? "ʔ" : "t" }
            if next.symbol == .er, after?.symbol == .n { return "t" }
            return "ɾ"
        case .ch: return "tʃ"
        case .dh: return "ð"
        case .g: return "ɡ"
        case .hh: return "h"
        case .jh: return "dʒ"
        case .ng: return "ŋ"
        case .r: return "ɹ"
        case .sh: return "ʃ"
        case .th: return "θ"
        case .y: return "j"
        case .zh: return "ʒ"
        default: return phone.symbol.rawValue.lowercased()
        }
    }
}

/// The letters with which the vowels of a word are written, where there are as many groups of vowels as vowels said.
struct VowelSpelling {
    private let groups: [Character]

    init(word: String, vowels: Int) {
        let letters = Array(word)
        var found: [Character] = []
        var isInside = false
        for (index, letter) in letters.enumerated() {
            let isVowel =
                "aeiou".contains(letter) && !(letter == "u" && index > 0 && letters[index - 1] == "q")
                || letter == "y" && index > 0
            if isVowel, !isInside { found.append(letter) }
            isInside = isVowel
        }
        // A silent e at the end, or before s or d there.
        let end = letters.last == "s" || letters.last == "d" ? letters.dropLast().last : letters.last
        if found.count == vowels + 1, end == "e" { found.removeLast() }
        groups = found.count == vowels ? found : []
    }

    subscript(_ index: Int) -> Character? { groups.indices.contains(index) ? groups[index] : nil }
}

extension String {
    /// Letters and marks apart.
    var decomposedForLookup: [Unicode.Scalar] { Array(decomposedStringWithCanonicalMapping.unicodeScalars) }
}
