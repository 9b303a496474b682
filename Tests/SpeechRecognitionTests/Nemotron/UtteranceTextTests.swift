internal import Foundation
internal import Testing
internal import VoiceCore

@testable internal import SpeechRecognition

@Suite struct UtteranceTextTests {
    private let small: SmallVocabulary

    init() throws { small = try SmallVocabulary() }

    private func utterance(_ pieces: [String], after previous: String? = nil) throws -> UtteranceText {
        var utterance = UtteranceText(vocabulary: small.vocabulary)
        utterance.beginUtterance(after: previous.map { Transcript(text: $0, isFinal: true) })
        utterance.append(try small.tokens(pieces))
        return utterance
    }

    private func final(_ pieces: [String], after previous: String? = nil) throws -> Transcript {
        var utterance = try utterance(pieces, after: previous)
        return utterance.finish()
    }

    static let readings: [([String], String)] = [
        (["▁hel", "lo", "▁world", "."], "hello world."),
        (["lo", "▁world"], "lo world"),
        (["▁", "lo", "▁", "s"], "lo s"),
        (["▁it", "'", "s"], "it's"),
        (["▁3", ".", "14"], "3.14"),
        (["▁¿", "Qué", "?"], "¿Qué?"),
        (["▁it", "▁?"], "it?"),
        (["▁it", "▁", "?"], "it?"),
        (["▁hel", "lo", ".", "▁", "<en-US>"], "hello."),
        (["▁a▁b", "s"], "a bs"),
        ([], ""),
        (["▁it", "<unk>", "s", "<pad>"], "its"),
        (["▁hel", "<0xE2>", "<0x82>", "<0xAC>"], "hel€"),
        (["▁"], ""),
        (["今", "日", "です", "。"], "今日です。"),
        (["▁it", "<0xE2>", "<0xE2>", "s"], "it\u{FFFD}\u{FFFD}s"),
    ]

    @Test(arguments: readings)
    func `tokens become text`(pieces: [String], text: String) throws {
        #expect(try final(pieces).text == text)
    }

    @Test func `words have the frames and the least probability of their tokens`() throws {
        var utterance = UtteranceText(vocabulary: small.vocabulary)
        func token(_ piece: String, _ frame: Int, _ probability: Float) throws -> EmittedToken {
            EmittedToken(id: try small.id(piece), frame: frame, logProbability: log(probability))
        }
        utterance.append([
            try token("▁hel", 10, 0.9), try token("lo", 12, 0.5), try token("▁", 20, 0.25), try token("s", 21, 0.75),
        ])
        let words = utterance.finish().words
        #expect(words.map(\.text) == ["hello", "s"])
        #expect(words.map(\.start) == [.milliseconds(800), .milliseconds(1600)])
        #expect(words.map(\.end) == [.milliseconds(1040), .milliseconds(1760)])
        #expect(zip(words, [0.5, 0.25] as [Float]).allSatisfy { abs($0.confidence - $1) < 1e-6 })
    }

    @Test func `punctuation belongs to the word before it and leaves its time and confidence alone`() throws {
        var utterance = try utterance(["▁hel", "lo"])
        utterance.append([EmittedToken(id: try small.id("?"), frame: 40, logProbability: -2)])
        let word = try #require(utterance.finish().words.first)
        #expect(word.text == "hello?")
        #expect(word.end == .milliseconds(240))
        #expect(word.confidence == 1)
    }

    @Test func `in a script without spaces every token is a word`() throws {
        let transcript = try final(["今", "日", "です", "。"])
        #expect(transcript.words.map(\.text) == ["今", "日", "です。"])
        #expect(transcript.words.map(\.start) == [.zero, .milliseconds(160), .milliseconds(320)])
    }

    @Test func `all but the last word is stable, and everything that is final`() throws {
        var utterance = try utterance(["▁hel", "lo"])
        #expect(utterance.next()?.stableLength == 0)
        utterance.append(try small.tokens(["▁world", ","], from: 10))
        #expect(utterance.next()?.stableLength == 5)
        #expect(utterance.finish().stableLength == 12)
    }

    @Test func `a partial transcript comes only when something has changed`() throws {
        var utterance = try utterance(["▁hel"])
        #expect(utterance.next()?.text == "hel")
        #expect(utterance.next() == nil)
        utterance.append(try small.tokens(["<en-US>", "<pad>", "▁", "<0xE2>", "<0x82>"]))
        #expect(utterance.next() == nil)
        utterance.append(try small.tokens(["<0xAC>"]))
        #expect(utterance.next()?.text == "hel €")
    }

    @Test func `the language named last is reported until the stream is reset`() throws {
        var utterance = try utterance(["▁hel", "<en-US>", "▁it", "<de-DE>"])
        #expect(utterance.language == "de-DE")
        utterance.beginUtterance(after: utterance.finish())
        #expect(utterance.language == "de-DE")
        utterance.beginUtterance()
        #expect(utterance.language == nil)
    }

    /// What came before, what comes late, and what of it is owed.
    static let latePunctuation: [(String?, [String], String)] = [
        ("hello", ["?", "▁it"], "?"),
        ("hello", ["▁?", "▁it"], "?"),
        ("hello", ["▁", "?", "▁it"], "?"),
        ("hello,", ["?", "▁it"], "?"),
        ("hello,", [",", "▁it"], ""),
        ("hello.", ["?", "▁it"], ""),
        ("hello.", [",", "▁it"], ""),
        ("he said \"hello.\"", [".", "▁it"], ""),
        ("hello", [",", ".", ".", "▁it"], ",."),
        ("こんにちは", ["。", "▁it"], "。"),
        ("hello", ["<en-US>", ".", "▁it"], "."),
        ("", ["?", "▁it"], ""),
        (nil, ["?", "▁it"], ""),
        ("hello", ["▁it"], ""),
    ]

    @Test(arguments: latePunctuation)
    func `late punctuation belongs to the transcript before`(previous: String?, pieces: [String], owed: String) throws {
        let transcript = try final(pieces, after: previous)
        #expect(transcript.amendment == owed)
        #expect(transcript.text == "it")
    }

    @Test func `an amendment is handed out once`() throws {
        var utterance = try utterance(["?"], after: "hello")
        #expect(utterance.next() == Transcript(text: "", isFinal: false, amendment: "?"))
        #expect(utterance.next() == nil)
        utterance.append(try small.tokens(["?", "▁it"]))
        #expect(utterance.next()?.amendment == "")
        #expect(utterance.finish().amendment == "")
    }

    @Test func `a fork does not touch its original`() throws {
        var live = try utterance(["▁hel"])
        var fork = live
        fork.append(try small.tokens(["lo", "."]))
        #expect(fork.finish().text == "hello.")
        live.append(try small.tokens(["s"]))
        #expect(live.finish().text == "hels")
    }

    @Test(arguments: 1...60)
    func `however the tokens arrive, the transcript is the same, and nothing stable changes`(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let model = try TokenizerGolden.model(["languages", "bytes"][Int(seed % 2)])
        let vocabulary = try model.vocabulary
        let tokens = random.tokens(Int.random(in: 0...120, using: &random), from: Array(0...Int32(model.pieces.count)))
        let previous = Transcript(text: "hello", isFinal: true)

        var whole = UtteranceText(vocabulary: vocabulary)
        whole.beginUtterance(after: previous)
        whole.append(tokens)
        let final = whole.finish()

        var grown = UtteranceText(vocabulary: vocabulary)
        grown.beginUtterance(after: previous)
        var amendment = ""
        for part in random.split(tokens) {
            grown.append(part)
            guard let partial = grown.next() else { continue }
            amendment += partial.amendment
            let text = Array(partial.text.utf8)
            #expect(final.text.utf8.starts(with: text))
            let settled = partial.words.dropLast()
            #expect(final.words.starts(with: settled))
            #expect(settled.allSatisfy { $0.start <= $0.end && (0...1).contains($0.confidence) })
            let stable = try #require(String(validating: text.prefix(partial.stableLength), as: UTF8.self))
            #expect(Self.withoutSpaces(stable) == Self.withoutSpaces(settled.map(\.text).joined()))
        }
        var last = grown.finish()
        amendment += last.amendment
        last.amendment = amendment
        #expect(last == final)
        #expect(Self.withoutSpaces(final.words.map(\.text).joined()) == Self.withoutSpaces(final.text))
    }

    @Test func `an utterance that begins inside a word says so`() throws {
        let vocabulary = try TokenVocabulary(pieces: ["<unk>", "▁hel", "lo", "▁you", "."])
        func transcript(_ ids: [Int32], after previous: Transcript?) -> Transcript {
            var utterance = UtteranceText(vocabulary: vocabulary)
            utterance.beginUtterance(after: previous)
            utterance.append(ids.enumerated().map { EmittedToken(id: $1, frame: $0, logProbability: 0) })
            return utterance.finish()
        }
        let cut = transcript([1], after: nil)
        #expect(cut.text == "hel" && !cut.continuesWord)
        let rest = transcript([2, 3], after: cut)
        #expect(rest.text == "lo you" && rest.continuesWord)
        #expect(!transcript([3, 2], after: cut).continuesWord)
        #expect(!transcript([2], after: Transcript(text: "", isFinal: true)).continuesWord)
    }

    @Test(arguments: ["english", "languages", "bytes"])
    func `an utterance reads as its tokens do, spaces before closing marks aside`(name: String) throws {
        let model = try TokenizerGolden.model(name)
        let vocabulary = try model.vocabulary
        for golden in model.decodings {
            // Marks before the first word belong to the utterance before.
            let first = golden.ids.first { vocabulary.isSpoken($0) || vocabulary.isPunctuation($0) }
            if let first, vocabulary.isPunctuation(first) { continue }
            var utterance = UtteranceText(vocabulary: vocabulary)
            utterance.append(golden.ids.enumerated().map { EmittedToken(id: $1, frame: $0, logProbability: 0) })
            let text = utterance.finish().text
            if golden.ids.contains(where: { vocabulary.isPunctuation($0) }) {
                #expect(Self.withoutSpaces(text) == Self.withoutSpaces(golden.text), "\(golden.text)")
            } else {
                #expect(text == golden.text)
            }
        }
    }

    private static func withoutSpaces(_ text: String) -> [Unicode.Scalar] {
        text.unicodeScalars.filter { $0 != " " }
    }
}
