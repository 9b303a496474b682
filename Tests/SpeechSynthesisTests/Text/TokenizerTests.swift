internal import Foundation
internal import Testing
internal import VoiceCore

@testable internal import SpeechSynthesis

/// What `Reference/SpeechSynthesis/make_ipa_tokenizer.py` wrote: NeMo's output.
private struct TokenizerFixture: Decodable {
    struct Text: Decodable {
        var text: String
        var ids: [Int32]
    }
    struct Tokenizer: Decodable {
        var name, dictionary, locale, `case`, prefix: String
        var heteronyms, vocabulary: [String]
        var ignoresAmbiguousWords, isPadded: Bool
        var texts: [Text]

        func make(lexicon: PronunciationLexicon = PronunciationLexicon()) throws -> IPATokenizer {
            let configuration = IPATokenizer.Configuration(
                locale: try #require(IPATokenizer.Locale(rawValue: locale)),
                graphemeCase: try #require(GraphemeCase(rawValue: `case`)),
                graphemePrefix: prefix,
                ignoresAmbiguousWords: ignoresAmbiguousWords,
                isPadded: isPadded
            )
            return try IPATokenizer(
                dictionary: dictionary,
                heteronyms: heteronyms.joined(separator: "\n"),
                lexicon: lexicon,
                configuration: configuration
            )
        }
    }
    var tokenizers: [Tokenizer]

    static func read() throws -> TokenizerFixture {
        try JSONDecoder().decode(TokenizerFixture.self, from: Data(Fixture.text("ipa-tokenizer.json").utf8))
    }

    static func english() throws -> Tokenizer { try #require(read().tokenizers.first) }
}

@Suite struct IPATokenizerTests {
    @Test func `ids are NeMo's`() throws {
        for fixture in try TokenizerFixture.read().tokenizers {
            let tokenizer = try fixture.make()
            #expect(tokenizer.vocabulary == fixture.vocabulary, "\(fixture.name)")
            for row in fixture.texts {
                #expect(tokenizer.encode(row.text) == row.ids, "\(fixture.name): \(row.text.debugDescription)")
            }
        }
    }

    @Test func `words one by one give the same ids as the text, and each id has its word`() throws {
        for fixture in try TokenizerFixture.read().tokenizers {
            let tokenizer = try fixture.make()
            for text in ["Hello, \"world\" - the cat's well-known!", "a", "", "haus und maus?", "|h ə| cat"] {
                let spoken = EnglishNormalizer().spoken(text)
                let (ids, words) = tokenizer.encode(spoken)
                #expect(ids == tokenizer.encode(spoken.text), "\(text)")
                #expect(words.count == ids.count)
                #expect(words == words.sorted())
                #expect(Set(words).isSubset(of: Set(0...max(0, spoken.words.count - 1))))
            }
        }
    }

    @Test func `the lexicon comes before the dictionary`() throws {
        let lexicon = try PronunciationLexicon("cat  dˈɑɡ  # not a cat\nFoo = the cat\nread ɹˈid\n\n# a comment\n")
        let english = try TokenizerFixture.english()
        let (plain, own) = (try english.make(), try english.make(lexicon: lexicon))
        #expect(own.encode("Cat, Read") == plain.encode("dog, |ɹ ˈ i d|"))
        #expect(own.encode("Foo") == plain.encode("the cat"))
        #expect(own.encode("foo") == plain.encode("foo"))
    }

    @Test func `a lexicon with symbols that the voice lacks is refused`() throws {
        let lexicon = try PronunciationLexicon("cat  ʘ")
        let english = try TokenizerFixture.english()
        let error = #expect(throws: VoiceError.self) { try english.make(lexicon: lexicon) }
        #expect(error?.code == .malformedInput)
        #expect(error?.message.contains("ʘ") == true)
    }

    @Test(arguments: ["cat", "cat =", "  cat  "])
    func `a lexicon's line without a pronunciation is refused`(text: String) {
        let error = #expect(throws: VoiceError.self) { try PronunciationLexicon("dog  dɑɡ\n" + text) }
        #expect(error?.message.contains("line 2") == true)
    }

    @Test func `an entry that spells itself does not go on for ever`() throws {
        let lexicon = try PronunciationLexicon("cat = cat cat\nfoo = bar\nbar = foo")
        let tokenizer = try TokenizerFixture.english().make(lexicon: lexicon)
        _ = tokenizer.encode("cat foo bar")
    }

    @Test(arguments: ["", "; only\n# comments", "\u{0}"])
    func `a dictionary without entries is refused`(text: String) {
        let error = #expect(throws: VoiceError.self) { try IPATokenizer(dictionary: text) }
        #expect(error?.code == .malformedInput)
    }

    @Test(arguments: HostileText.all)
    func `any text can be encoded`(text: String) throws {
        for fixture in try TokenizerFixture.read().tokenizers {
            let tokenizer = try fixture.make()
            #expect(tokenizer.encode(text).allSatisfy { (0..<Int32(fixture.vocabulary.count)).contains($0) })
        }
    }
}

@Suite struct MagpieTokenizerTests {
    @Test func `bytes are counted as ByT5 does`() throws {
        let french = try MagpieTokenizer(language: .french, rows: 2_362, dictionary: nil)
        let (ids, words) = french.encode(
            SpokenText(words: [.init(text: "é", source: 0..<2), .init(text: "a.", source: 3..<5)], work: 0)
        )
        // 633 + 3 + byte; 634 ends the bytes; 2361 ends the text.
        let bytes: [Int32] = [0xC3, 0xA9, 0x20, 0x61, 0x2E]
        #expect(ids == bytes.map { 633 + 3 + $0 } + [634, 2_361])
        #expect(words == [0, 0, 0, 1, 1, 1, 1])
        #expect(french.encode(SpokenText(words: [], work: 0)).ids.isEmpty)
    }

    @Test func `a text without an end gets one`() throws {
        let italian = try MagpieTokenizer(language: .italian, rows: 2_362, dictionary: nil)
        func encode(_ text: String) -> [Int32] {
            italian.encode(SpokenText(words: [.init(text: text, source: 0..<1)], work: 0)).ids
        }
        #expect(encode("ciao") == encode("ciao."))
        #expect(encode("ciao?") != encode("ciao?."))
    }

    @Test func `a short text is filled up behind its first token`() throws {
        let italian = try MagpieTokenizer(language: .italian, rows: 2_362, dictionary: nil)
        func encode(_ text: String) -> (ids: [Int32], words: [Int]) {
            italian.encode(SpokenText(words: [.init(text: text, source: 0..<text.utf8.count)], work: 0))
        }
        let (first, second, stop) = (Int32(0x6E) + 1_211, Int32(0x6F) + 1_211, Int32(0x2E) + 1_211)
        #expect(encode("no").ids == [first, 1_208, second, stop, 1_209, 2_361])
        #expect(encode("no").words == [0, 0, 0, 0, 0, 0])
        #expect(encode("ciao").ids.count == 7)
    }

    @Test func `what cannot be read is refused by name`() throws {
        let error = #expect(throws: VoiceError.self) { try MagpieTokenizer.Language(code: "zh-CN") }
        #expect(error?.message.contains("'zh-CN'") == true)
        #expect(error?.message.contains("en, es, de, fr, it, vi") == true)
        #expect(try MagpieTokenizer.Language(code: "en-US") == .english)
    }

    @Test func `a model of another size is refused`() {
        let error = #expect(throws: VoiceError.self) {
            try MagpieTokenizer(language: .vietnamese, rows: 2_380, dictionary: nil)
        }
        #expect(error?.code == .unavailable)
    }

    @Test func `a dictionary that is not the model's is refused`() throws {
        let english = try TokenizerFixture.english()
        let foreign = #expect(throws: VoiceError.self) {
            try MagpieTokenizer(language: .english, rows: 2_362, dictionary: english.dictionary)
        }
        #expect(foreign?.message.contains("96") == true)
        let missing = #expect(throws: VoiceError.self) {
            try MagpieTokenizer(language: .german, rows: 2_362, dictionary: nil)
        }
        #expect(missing?.code == .missingInput)
    }
}
