internal import Foundation
package import VoiceCore

/// A pronunciation dictionary as NeMo reads it (`IpaG2p._parse_phoneme_dict`, `_normalize_dict`, NeMo 3.0.0).
///
/// UTF-8, one pronunciation a line: a word, white space, IPA. Every character of the IPA is one symbol. A number in brackets
/// after the word marks a further pronunciation of it. Lines that begin with anything but a letter or an apostrophe are
/// comments.
package struct IPADictionary: Sendable {
    /// Pronunciations by word, in the case of lookup.
    private(set) var pronunciations: [String: [[Unicode.Scalar]]] = [:]
    /// Every symbol that a pronunciation uses, and every letter of the words with its prefix.
    private(set) var symbols: Set<String> = []

    /// Reads a dictionary.
    /// - Parameters:
    ///   - text: the file's content.
    ///   - graphemeCase: the case in which words are looked up.
    ///   - prefix: stands before each letter that is a token, "" or "#".
    /// - Throws: `malformedInput` when a line has a word only, or no line is an entry.
    package init(_ text: String, graphemeCase: GraphemeCase, prefix: String) throws(VoiceError) {
        var order: [String] = []
        var raw: [String: [[Unicode.Scalar]]] = [:]
        var number = 0
        for line in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) {
            number += 1
            let line = line.precomposedStringWithCanonicalMapping
            guard let first = line.unicodeScalars.first, first == "'" || WordCharacters.begins(first) else { continue }
            let parts = line.split(maxSplits: 1, whereSeparator: \.isWhitespace)
            guard parts.count == 2 else {
                throw VoiceError(
                    .malformedInput,
                    "the dictionary's line \(number), '\(line.prefix(80))', has no pronunciation"
                )
            }
            let word = Self.withoutNumber(parts[0])
            let symbols = parts[1].unicodeScalars.filter { !$0.properties.isWhitespace }
            if raw[word] == nil { order.append(word) }
            raw[word, default: []].append(Array(symbols))
        }
        guard !order.isEmpty else { throw VoiceError(.malformedInput, "the dictionary has no entries") }
        for word in order {
            let key = graphemeCase(word)
            let said = raw[word] ?? []
            for scalar in key.unicodeScalars where WordCharacters.contains(scalar) || WordCharacters.isDigit(scalar) {
                symbols.insert(prefix + String(scalars: [scalar]))
            }
            for symbol in said.joined() { symbols.insert(String(scalars: [symbol])) }
            pronunciations[key] = said
            if graphemeCase == .mixed, !Self.isUpper(key) { pronunciations[key.uppercased()] = said }
        }
    }

    /// Takes out "(2)" and the like wherever it stands.
    private static func withoutNumber(_ word: Substring) -> String {
        guard word.contains("(") else { return String(word) }
        var result = ""
        var rest = word[...]
        while let open = rest.firstIndex(of: "(") {
            let inside = rest[rest.index(after: open)...].prefix { $0.isASCII && $0.isNumber }
            if !inside.isEmpty, inside.endIndex < rest.endIndex, rest[inside.endIndex] == ")" {
                result += rest[..<open]
                rest = rest[rest.index(after: inside.endIndex)...]
            } else {
                result += rest[...open]
                rest = rest[rest.index(after: open)...]
            }
        }
        return result + rest
    }

    /// Python's `isupper`: there is a letter with case, and none is small.
    private static func isUpper(_ text: String) -> Bool {
        text.unicodeScalars.contains { $0.properties.isUppercase }
            && !text.unicodeScalars.contains { $0.properties.isLowercase }
    }
}

/// The characters of words in NeMo's tokenisers (`tokenizer_utils.py`, `WORD_CHARS_ALL`).
enum WordCharacters {
    static func contains(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        // Latin, Devanagari without dandas, Bengali, Gujarati, Tamil, Telugu, Kannada, Korean.
        case 0x41...0x5A, 0x61...0x7A, 0xC0...0xD6, 0xD8...0xF6, 0xF8...0xFF, 0x900...0x963, 0x966...0x97F,
            0x980...0x9FF,
            0xA80...0xAFF, 0xB80...0xBFF, 0xC00...0xC7F, 0xC80...0xCFF, 0xAC00...0xD7A3, 0x1100...0x11FF,
            0x3130...0x318F:
            true
        default: false
        }
    }

    /// Whether a dictionary's line that begins so is an entry.
    static func begins(_ scalar: Unicode.Scalar) -> Bool { contains(scalar) }

    /// Python's `\d`: decimal digits of any script.
    static func isDigit(_ scalar: Unicode.Scalar) -> Bool { scalar.properties.generalCategory == .decimalNumber }
}
