internal import Testing
internal import VoiceCore

@testable internal import SpeechRecognition

@Suite struct BlankRunEndpointerTests {
    private let small: SmallVocabulary

    init() throws { small = try SmallVocabulary() }

    private func endpointer(_ milliseconds: Int?) -> BlankRunEndpointer {
        BlankRunEndpointer(vocabulary: small.vocabulary, silence: milliseconds.map { .milliseconds($0) })
    }

    /// The frames at which an end is found, one frame a step.
    private func ends(_ endpointer: BlankRunEndpointer, frames: Int, _ pieces: [Int: String]) throws -> [Int] {
        var endpointer = endpointer
        return try (0..<frames).filter { frame in
            let id = try pieces[frame].map { try small.id($0) }
            return endpointer.advance(frames: 1, tokens: id.map { [token($0, frame)] } ?? [])
        }
    }

    private func token(_ id: Int32, _ frame: Int) -> EmittedToken {
        EmittedToken(id: id, frame: frame, logProbability: 0)
    }

    @Test func `an utterance ends once when the silence after a word is reached`() throws {
        #expect(try ends(endpointer(400), frames: 40, [3: "▁hel"]) == [8])
        #expect(try ends(endpointer(401), frames: 40, [3: "▁hel"]) == [9])
        #expect(try ends(endpointer(400), frames: 40, [3: "▁hel", 7: "lo"]) == [12])
    }

    @Test func `another word arms it again`() throws {
        #expect(try ends(endpointer(400), frames: 40, [3: "▁hel", 20: "▁it"]) == [8, 25])
    }

    @Test func `without words there is no end`() throws {
        #expect(try ends(endpointer(400), frames: 100, [:]) == [])
        #expect(try ends(endpointer(400), frames: 100, [3: ".", 20: "<en-US>", 40: "▁"]) == [])
    }

    @Test func `punctuation neither prolongs an utterance nor begins one`() throws {
        #expect(try ends(endpointer(400), frames: 40, [3: "▁hel", 6: "."]) == [8])
        #expect(try ends(endpointer(400), frames: 40, [3: "▁hel", 10: "?"]) == [8])
        #expect(try ends(endpointer(400), frames: 40, [3: "▁hel", 10: "▁?", 12: "<en-US>"]) == [8])
    }

    @Test func `switched off it says nothing`() throws {
        #expect(try ends(endpointer(nil), frames: 100, [3: "▁hel"]) == [])
    }

    @Test func `no silence at all is one frame`() throws {
        #expect(try ends(endpointer(0), frames: 10, [3: "▁hel"]) == [4])
    }

    @Test func `a gap within a step is no end, the silence after it is`() throws {
        var endpointer = endpointer(400)
        let tokens = [token(try small.id("▁hel"), 0), token(try small.id("▁it"), 10)]
        let ends = [tokens, []].map { endpointer.advance(frames: 14, tokens: $0) }
        #expect(ends == [false, true])
    }

    @Test func `an utterance that was ended by other means is forgotten`() throws {
        var endpointer = endpointer(400)
        _ = endpointer.advance(frames: 1, tokens: [token(try small.id("▁hel"), 0)])
        endpointer.reset()
        let isEnd = endpointer.advance(frames: 20, tokens: [])
        #expect(!isEnd)
    }

    @Test(arguments: 1...40)
    func `in steps of any size there is an end exactly where a step ends in enough silence after a word`(
        seed: UInt64
    ) throws {
        var random = SplitMix64(seed: seed)
        let required = Int.random(in: 1...8, using: &random)
        var endpointer = endpointer(80 * required)
        let ids = try small.ids(["▁hel", "lo", ".", "?", "<en-US>"])
        var frame = 0
        var sinceWord: Int?
        for _ in 0..<200 {
            let count = Int.random(in: 0...4, using: &random)
            var tokens: [EmittedToken] = []
            for _ in 0..<count {
                if let passed = sinceWord { sinceWord = passed + 1 }
                if Int.random(in: 0..<6, using: &random) == 0, let id = ids.randomElement(using: &random) {
                    tokens.append(token(id, frame))
                    if id == ids[0] || id == ids[1] { sinceWord = 0 }
                }
                frame += 1
            }
            let isEnd = sinceWord.map { $0 >= required } ?? false
            let saysSo = endpointer.advance(frames: count, tokens: tokens)
            #expect(saysSo == isEnd)
            if isEnd { sinceWord = nil }
        }
    }
}
