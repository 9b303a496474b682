internal import Testing
internal import VoiceCore

@testable internal import SpeechRecognition

@Suite struct TokenVocabularyTests {
    static let models = ["english", "languages", "bytes"]

    @Test(arguments: models)
    func `texts have the tokens of SentencePiece`(name: String) throws {
        let model = try TokenizerGolden.model(name)
        let vocabulary = try model.vocabulary
        #expect(model.encodings.count > 60)
        for golden in model.encodings {
            #expect(vocabulary.encode(golden.text) == golden.ids, "\(golden.text)")
        }
    }

    @Test(arguments: models)
    func `tokens have the text of SentencePiece`(name: String) throws {
        let model = try TokenizerGolden.model(name)
        let vocabulary = try model.vocabulary
        #expect(model.decodings.count > 60)
        for golden in model.decodings {
            let text = vocabulary.text(of: golden.ids)
            #expect(Array(text.utf8) == Array(golden.text.utf8), "'\(text)' is not '\(golden.text)'")
        }
    }

    @Test(arguments: 1...20)
    func `what is encoded decodes to itself, and encodes again to the same`(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let model = try TokenizerGolden.model("languages")
        let vocabulary = try model.vocabulary
        let characters = model.pieces.filter { $0.unicodeScalars.count == 1 }.map { $0 == "▁" ? " " : $0 }
        for _ in 0..<20 {
            let count = Int.random(in: 1...60, using: &random)
            let text = (0..<count).compactMap { _ in characters.randomElement(using: &random) }.joined()
            let tokens = try #require(vocabulary.encode(text))
            let decoded = vocabulary.text(of: tokens)
            // Equal as strings: normalisation may compose what stands side by side by chance.
            #expect(decoded == text.split(separator: " ").joined(separator: " "))
            #expect(vocabulary.encode(decoded) == tokens)
        }
    }

    @Test(arguments: [".", ",", "?", "!", "...", "。", ".\"", "▁?"])
    func `a piece of closing marks only is punctuation`(piece: String) throws {
        let small = try SmallVocabulary()
        #expect(small.vocabulary.isPunctuation(try small.id(piece)))
        #expect(!small.vocabulary.isSpoken(try small.id(piece)))
    }

    @Test(arguments: ["'", "s", "▁¿", "▁hel", "14", "<en-US>", "<unk>", "<0xE2>", "▁"])
    func `parts of words, opening marks and what is not said are no punctuation`(piece: String) throws {
        let small = try SmallVocabulary()
        #expect(!small.vocabulary.isPunctuation(try small.id(piece)))
    }

    @Test func `a word start is a piece that begins with a space`() throws {
        let small = try SmallVocabulary()
        let starts = SmallVocabulary.pieces.indices.filter { small.vocabulary.isWordStart(Int32($0)) }
        #expect(starts.map { SmallVocabulary.pieces[$0] } == ["▁", "▁hel", "▁world", "▁it", "▁3", "▁?", "▁¿", "▁a▁b"])
    }

    static let bracketed: [(String, String?)] = [
        ("<en-US>", "en-US"), ("<es-419>", "es-419"), ("<zh-Hans>", "zh-Hans"), ("<yue-HK>", "yue-HK"),
        ("<de>", "de"), ("<pad>", nil), ("<unk>", nil), ("<s>", nil), ("</s>", nil), ("<EOU>", nil), ("<0x0A>", nil),
        ("<en-US", nil), ("en-US", nil), ("<en-USUSA>", nil), ("<EN-us>", nil), ("<a-b-c>", nil), ("<->", nil),
    ]

    @Test(arguments: bracketed)
    func `language tags are told from other pieces in brackets`(piece: String, tag: String?) throws {
        let vocabulary = try TokenVocabulary(pieces: ["▁", piece])
        #expect(vocabulary.languageTag(1) == tag)
    }

    @Test func `ids that have no piece say nothing`() throws {
        let small = try SmallVocabulary()
        for id in [Int32(SmallVocabulary.pieces.count), -1, .max, .min] {
            #expect(small.vocabulary.text(of: [id]) == "")
            #expect(!small.vocabulary.isWordStart(id) && !small.vocabulary.isPunctuation(id))
            #expect(small.vocabulary.languageTag(id) == nil)
        }
    }

    static let senseless: [[String]] = [
        [], ["<unk>", ""], ["▁a", "▁b", "▁a"], ["a", String(repeating: "a", count: 129)],
        Array(repeating: "<pad>", count: (1 << 18) + 1),
    ]

    @Test(arguments: senseless)
    func `a vocabulary that makes no sense is refused`(pieces: [String]) {
        let error = #expect(throws: VoiceError.self) { try TokenVocabulary(pieces: pieces) }
        #expect(error?.code == .malformedInput)
    }

    @Test func `control pieces may be there twice, and pieces that only look the same are different`() throws {
        let vocabulary = try TokenVocabulary(pieces: ["<pad>", "<pad>", "\u{E9}", "e\u{301}", "▁"])
        #expect(vocabulary.text(of: [0, 2, 1]).unicodeScalars.count == 1)
        #expect(vocabulary.text(of: [3]).unicodeScalars.count == 2)
    }

    @Test func `bytes make characters across tokens, and broken ones are marked`() throws {
        let small = try SmallVocabulary()
        func text(_ pieces: [String]) throws -> String { small.vocabulary.text(of: try small.ids(pieces)) }
        #expect(try text(["▁hel", "<0xE2>", "<0x82>", "<0xAC>", "lo"]) == "hel€lo")
        #expect(try text(["<0xE2>", "<0x82>", "lo"]) == "\u{FFFD}\u{FFFD}lo")
        #expect(try text(["<0xE2>", "<0xE2>", "<0x82>", "<0xAC>"]) == "\u{FFFD}€")
        #expect(try text(["<0xE2>", "<0x41>"]) == "\u{FFFD}A")
        #expect(try text(["<0xAC>"]) == "\u{FFFD}")
    }

    @Test(arguments: 1...20)
    func `any text survives being cut into bytes`(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var assembler = UTF8Assembler()
        var text = ""
        var assembled = ""
        for _ in 0..<200 {
            guard let scalar = Unicode.Scalar(UInt32.random(in: 0...0x10FFFF, using: &random)) else { continue }
            text.unicodeScalars.append(scalar)
            for byte in String(scalar).utf8 { assembler.feed(byte, into: &assembled) }
        }
        #expect(Array(assembled.utf8) == Array(text.utf8))
        #expect(assembler.isEmpty)
    }
}
