internal import Foundation

extension TokenVocabulary {
    /// The tokens that SentencePiece makes of a text; empty for an empty one, nil when a character is in no piece.
    ///
    /// A transducer is free to spell a word in other pieces, but these are the ones that it was trained on.
    /// - Parameter atWordStart: whether there is a space before the text, as SentencePiece has it.
    /// - Complexity: quadratic in the length of the text; meant for phrases.
    func encode(_ text: String, atWordStart: Bool = true) -> [Int32]? {
        let normalized = Self.normalized(text).dropFirst(atWordStart ? 0 : 1)
        guard var tokens = merges.spell(normalized) else { return nil }
        merges.join(&tokens)
        return tokens
    }

    /// A text as the trainer saw it: normalised, single spaces as U+2581, one before the first word.
    private static func normalized(_ text: String) -> [Unicode.Scalar] {
        let readable = text.unicodeScalars.filter { !isDropped($0) }.map { isSpace($0) ? " " : $0 }
        let composed = String(String.UnicodeScalarView(readable)).precomposedStringWithCompatibilityMapping
        return composed.unicodeScalars.split(separator: " ").flatMap { [TokenPiece.space] + $0 }
    }

    // SentencePiece's default rules `nmt_nfkc` are NFKC and the two lists below (`sentencepiece/src/builder.cc`,
    // MergeNmtMap, at 2734490). It also keeps U+FF5E, the full-width tilde, as it is; no phrase needs one.

    private static func isDropped(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x01...0x08, 0x0B, 0x0E...0x1F, 0x7F, 0x8F, 0x9F: true
        default: false
        }
    }

    private static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x09, 0x0A, 0x0C, 0x0D, 0x1680, 0x200B, 0x200C, 0x200E, 0x200F, 0x2028, 0x2029, 0x2581, 0xFEFF, 0xFFFD:
            true
        default: false
        }
    }
}
