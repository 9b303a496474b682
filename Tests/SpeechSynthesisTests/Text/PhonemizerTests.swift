internal import Foundation
internal import Testing
internal import VoiceCore

@testable internal import SpeechSynthesis

/// What `Reference/SpeechSynthesis/measure_phonemes.py --fixture` wrote: eSpeak NG's phonemes.
private struct PhonemeFixture: Decodable {
    struct Sentence: Decodable { var text, espeak: String }
    var dictionary: String
    var sentences: [Sentence]

    static func read() throws -> PhonemeFixture {
        try JSONDecoder().decode(PhonemeFixture.self, from: Data(Fixture.text("espeak-phonemes.json").utf8))
    }

    func phonemizer(lexicon: PronunciationLexicon = PronunciationLexicon()) throws -> EnglishPhonemizer {
        EnglishPhonemizer(dictionary: try PronouncingDictionary(Array(dictionary.utf8)), lexicon: lexicon)
    }
}

@Suite struct EnglishPhonemizerTests {
    private func said(_ text: String, lexicon: PronunciationLexicon = PronunciationLexicon()) throws -> String {
        try PhonemeFixture.read().phonemizer(lexicon: lexicon).phonemes(of: EnglishNormalizer().spoken(text))
            .map { $0.phonemes + ($0.mark.map(String.init) ?? "") }.joined(separator: " ")
    }

    /// eSpeak NG is not ours.
    @Test func `phonemes agree with eSpeak NG's`() throws {
        let fixture = try PhonemeFixture.read()
        let phonemizer = try fixture.phonemizer()
        var (wrong, all) = (0, 0)
        for row in fixture.sentences {
            let ours = symbols(phonemizer.phonemes(of: EnglishNormalizer().spoken(row.text)).map(\.phonemes).joined())
            let theirs = symbols(row.espeak)
            wrong += distance(ours, theirs)
            all += theirs.count
        }
        #expect(all > 1_000)
        #expect(wrong * 100 < all * 5, "\(wrong) of \(all)")
    }

    @Test(arguments: [
        ("the apple and the dog", "ðɪ ˈæpəl ænd ðə dˈɔːɡ"),
        ("water, bottle", "wˈɔːɾɚ, bˈɑːɾəl"),
        ("a button", "ɐ bˈʌʔn̩"),
        ("another hour", "ɐnˈʌðɚɹ ˈaʊɚ"),
        ("F B I?", "ˈɛf bˈiː ˈaɪ?"),
        ("|h ə l oʊ| you", "həloʊ juː"),
    ])
    func `words and their neighbours are said so`(text: String, phonemes: String) throws {
        #expect(try said(text) == phonemes)
    }

    @Test func `unknown words get their sounds by rule`() throws {
        #expect(LetterToSound.phones(of: "pipecat").map(\.symbol) == [.p, .ay, .p, .k, .ae, .t])
        #expect(LetterToSound.phones(of: "Ünï") == [])
        #expect(LetterToSound.phones(of: String(repeating: "a", count: 1_000)) == [])
        #expect(try said("blorp").isEmpty == false)
        #expect(try said("bottles") == said("bottle") + "z")
    }

    @Test func `the lexicon comes first`() throws {
        let lexicon = try PronunciationLexicon("bottle  bˈɑtəl\nSQL = apple")
        #expect(try said("bottle", lexicon: lexicon) == "bˈɑtəl")
    }

    @Test(arguments: HostileText.all)
    func `any text can be said`(text: String) throws {
        let phonemizer = try PhonemeFixture.read().phonemizer()
        for word in phonemizer.phonemes(of: EnglishNormalizer().spoken(text)) {
            #expect(!word.phonemes.isEmpty)
            #expect(word.source.upperBound <= text.utf8.count)
        }
    }

    private func symbols(_ text: String) -> [String] {
        text.filter { !$0.isWhitespace }.replacing("ˈ", with: "").replacing("ˌ", with: "").map { String($0) }
    }

    private func distance(_ a: [String], _ b: [String]) -> Int {
        var row = Array(0...b.count)
        for (i, symbol) in a.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for j in b.indices {
                let substitution = diagonal + (symbol == b[j] ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(substitution, row[j] + 1, diagonal + 1)
            }
        }
        return row.last ?? 0
    }
}

@Suite struct PronouncingDictionaryTests {
    @Test func `entries are read when they are asked for`() throws {
        let text = "a AH0\na(2) EY1\nab's AE1 B Z # comment\r\n;;; note\nbad XX1\nlast L AE1 S T"
        let dictionary = try PronouncingDictionary(Array(text.utf8))
        #expect(dictionary.phones(of: "a") == [Arpabet(.ah, 0)])
        #expect(dictionary.phones(of: "ab's") == [Arpabet(.ae, 1), Arpabet(.b), Arpabet(.z)])
        #expect(dictionary.phones(of: "last")?.count == 4)
        for word in ["", "b", "a(2)", "ab", "bad", ";;;", "las", "last "] {
            #expect(dictionary.phones(of: word) == nil, "\(word)")
        }
    }

    @Test(arguments: ["", "\n\n", ";;; only", "word", "word\nother\n"])
    func `a file without entries is refused`(text: String) {
        #expect(throws: VoiceError.self) { try PronouncingDictionary(Array(text.utf8)) }
    }
}
