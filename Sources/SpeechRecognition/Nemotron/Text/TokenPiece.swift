/// One piece of a SentencePiece vocabulary: what its token does to a text.
struct TokenPiece: Sendable, Equatable {
    enum Role: Sendable, Equatable {
        /// A word or a part of one.
        case word
        /// Spaces and nothing else: the next token begins a word.
        case space
        /// Marks and nothing else: they belong to the word before them.
        case punctuation(PunctuationMark)
        /// One byte of a character's UTF-8 form.
        case byte(UInt8)
        /// The language that was spoken: a BCP 47 tag.
        case language(String)
        /// Nothing that is read: `<unk>`, `<pad>` and the like.
        case control
    }

    /// SentencePiece's space, U+2581 (`sentencepiece/src/trainer_interface.cc`, kWSChar).
    static let space: Unicode.Scalar = "\u{2581}"

    let role: Role
    /// What the token says, with spaces for U+2581; empty for bytes, languages and controls.
    let surface: String
    /// The token begins with a space.
    let isWordStart: Bool

    init(_ piece: String) {
        let text = String(String.UnicodeScalarView(piece.unicodeScalars.map { $0 == Self.space ? " " : $0 }))
        let body = text.drop { $0 == " " }
        isWordStart = piece.unicodeScalars.first == Self.space
        if let role = Self.bracketed(body) {
            (self.role, surface) = (role, "")
        } else if body.isEmpty {
            (role, surface) = (.space, text)
        } else if let mark = PunctuationMark(only: body) {
            (role, surface) = (.punctuation(mark), text)
        } else {
            (role, surface) = (.word, text)
        }
    }

    /// Pieces in angle brackets are never said: bytes (`<0xE2>`: `sentencepiece/src/model_interface.cc`, ByteToPiece),
    /// languages, and controls of any name.
    private static func bracketed(_ text: Substring) -> Role? {
        guard text.utf8.count > 2, text.first == "<", text.last == ">" else { return nil }
        let name = text.dropFirst().dropLast()
        if name.utf8.count == 4, name.hasPrefix("0x"), let byte = UInt8(name.dropFirst(2), radix: 16) {
            return .byte(byte)
        }
        return isLanguage(name) ? .language(String(name)) : .control
    }

    /// `en-US`, `es-419`, `zh-Hans`, `en`. NeMo 3.0.0 strips `<[a-z]{2}-[A-Z]{2}>` (`rnnt_decoding.py`),
    /// NVIDIA/NeMo-Speech.cpp at 4f96762 `<[A-Za-z]{2,3}(-[A-Za-z0-9]{2,4})?>` (`src/asr/runner.cpp`); without a region
    /// only two letters are taken, because `<pad>` and `<unk>` are no languages.
    private static func isLanguage(_ name: Substring) -> Bool {
        let parts = name.split(separator: "-", omittingEmptySubsequences: false)
        guard let language = parts.first, language.utf8.allSatisfy({ (97...122).contains($0) }) else { return false }
        guard parts.count == 2 else { return parts.count == 1 && language.utf8.count == 2 }
        let isRegion = parts[1].utf8.allSatisfy { byte in
            (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
        }
        return isRegion && (2...3).contains(language.utf8.count) && (2...4).contains(parts[1].utf8.count)
    }
}
