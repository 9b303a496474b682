internal import CFlite

/// Sounds of words that no dictionary has, by flite's letter-to-sound rules (decision trees made from CMUdict).
enum LetterToSound {
    /// flite's tables, set up once.
    @safe private struct Rules: @unchecked Sendable {
        // Constant once set up, for the life of the process.
        let tables: UnsafePointer<cst_lts_rules>?
        init() { unsafe tables = UnsafePointer(cmu_lex_init()?.pointee.lts_rule_set) }
    }

    private static let rules = Rules()

    /// Longer words are no words.
    private static let longest = 64

    /// The phones of a word of letters from a to z; empty for anything else.
    static func phones(of word: String) -> [Arpabet] {
        guard !word.isEmpty, word.utf8.count <= longest, word.utf8.allSatisfy({ (0x61...0x7A).contains($0) }) else {
            return []
        }
        // The rules are tables that nobody changes; the call reads them and returns a list of its own.
        guard let list = unsafe word.withCString({ letters in unsafe lts_apply(letters, "", rules.tables) }) else {
            return []
        }
        defer { unsafe delete_val(list) }
        var phones: [Arpabet] = []
        var rest: UnsafePointer<cst_val>? = unsafe UnsafePointer(list)
        while let cell = unsafe rest, phones.count < 4 * longest {
            if let name = unsafe val_string(val_car(cell)), let phone = Arpabet(unsafe String(cString: name)) {
                phones.append(phone)
            }
            unsafe rest = val_cdr(cell)
        }
        return stressed(phones)
    }

    /// A word needs one primary stress; without any it lies on the first vowel.
    private static func stressed(_ phones: [Arpabet]) -> [Arpabet] {
        var phones = phones
        if !phones.contains(where: { $0.stress == 1 }), let vowel = phones.firstIndex(where: \.isVowel) {
            phones[vowel].stress = 1
        }
        return phones
    }
}
