package import VoiceCore

/// The user's own pronunciations, which come before every dictionary.
///
/// Plain text, UTF-8, one entry a line; `#` begins a comment:
///
/// ```
/// repartee   ɹˌɛpɑɹˈti      # a word, white space, its phonemes in IPA
/// SQL      = sequel         # a word, "=", how it would be spelled
/// ```
///
/// A word in small letters is meant in any case; one with a capital only as it is written.
package struct PronunciationLexicon: Sendable, Equatable {
    /// What is said for a word.
    package enum Entry: Sendable, Equatable {
        /// IPA, one symbol a character.
        case phonemes(String)
        /// Other words.
        case spelling(String)
    }

    /// No more entries are taken.
    package static let capacity = 100_000

    private var entries: [String: Entry] = [:]

    /// An empty lexicon.
    package init() {}

    /// Reads a lexicon.
    /// - Throws: `malformedInput` for a line that is no entry (the message names it), `exhausted` for more than
    ///   ``capacity`` entries.
    package init(_ text: String) throws(VoiceError) {
        var number = 0
        for line in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) {
            number += 1
            let content = line.prefix { $0 != "#" }
            let parts = content.split(maxSplits: 1, whereSeparator: \.isWhitespace)
            guard let word = parts.first else { continue }
            guard parts.count == 2 else {
                throw VoiceError(
                    .malformedInput,
                    "the lexicon's line \(number), '\(line.prefix(80))', has no pronunciation"
                )
            }
            guard entries.count < Self.capacity else {
                throw VoiceError(.exhausted, "the lexicon has more than \(Self.capacity) entries")
            }
            let said = parts[1].split(whereSeparator: \.isWhitespace)
            guard !said.isEmpty else {
                throw VoiceError(
                    .malformedInput,
                    "the lexicon's line \(number), '\(line.prefix(80))', has no pronunciation"
                )
            }
            if said.first == "=" {
                guard said.count > 1 else {
                    throw VoiceError(.malformedInput, "the lexicon's line \(number) has nothing after '='")
                }
                entries[String(word)] = .spelling(said.dropFirst().joined(separator: " "))
            } else {
                entries[String(word)] = .phonemes(said.joined())
            }
        }
    }

    /// The entry for a word: as it is written, else in small letters.
    package subscript(word: String) -> Entry? { entries[word] ?? entries[word.lowercased()] }

    /// True when there are no entries.
    package var isEmpty: Bool { entries.isEmpty }

    /// Every entry in IPA, by word.
    package var phonemes: [(word: String, phonemes: String)] {
        entries.compactMap { word, entry in
            if case .phonemes(let phonemes) = entry { (word, phonemes) } else { nil }
        }
    }
}
