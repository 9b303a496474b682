internal import Inference
internal import Testing
internal import VoiceCore

@testable internal import LanguageModels

@Suite struct TextAssemblerTests {
    @Test func `text split at any bytes comes out whole`() {
        let text = "naïve 東京 👩‍👩‍👧 ß€𝄞"
        for size in 1...5 {
            var assembler = TextAssembler()
            var out = ""
            var bytes = Array(text.utf8)[...]
            while !bytes.isEmpty {
                let piece = assembler.append(Array(bytes.prefix(size)))
                #expect(!piece.contains("\u{FFFD}"))
                out += piece
                bytes = bytes.dropFirst(size)
            }
            #expect(out == text && assembler.isAtBoundary)
        }
    }

    @Test func `bytes that are no text are replaced, not held for ever`() {
        var assembler = TextAssembler()
        #expect(assembler.append([0xFF, 0x80, 0x61]) == "\u{FFFD}\u{FFFD}a")
        #expect(assembler.append([0xE2, 0x82]) == "")
        #expect(!assembler.isAtBoundary)
        #expect(assembler.append([0x61]).hasSuffix("a"))
        #expect(assembler.append([0x80, 0x80, 0x80, 0x80, 0x80]).count == 5)
    }
}

@Suite struct GeneratedReplyTests {
    private var reply: GeneratedReply {
        var reply = GeneratedReply()
        for (token, piece) in ["Hel", "lo", " wo", "rld", "", "é!"].enumerated() {
            reply.append(TokenID(token), [.text(piece)], text: piece, isAtBoundary: token != 4)
        }
        return reply
    }

    @Test(arguments: [
        ("Hello worldé!", 6, ""), ("Hello world", 4, ""), ("Hello wor", 3, "r"), ("Hello", 2, ""), ("He", 0, "He"),
        ("", 0, ""),
    ])
    func `what was heard keeps the tokens that lie inside it`(content: String, kept: Int, rest: String) throws {
        let (said, left) = try #require(reply.tokens(of: ChatMessage(.assistant, content), showsReasoning: false))
        #expect(Array(said) == (0..<TokenID(kept)).map { $0 })
        #expect(left == rest)
    }

    @Test(arguments: ["hello", "Hello world!", "Hello worldé! And more"])
    func `another text is not taken for it`(content: String) {
        #expect(reply.tokens(of: ChatMessage(.assistant, content), showsReasoning: false) == nil)
    }
}

@Suite struct TokenSamplerTests {
    private func draw(_ logits: [Float], _ options: SamplingOptions, times: Int = 1) -> [TokenID?] {
        var sampler = TokenSampler(options)
        return (0..<times).map { _ in sampler.next(logits.span) }
    }

    @Test func `temperature 0 takes the best token`() {
        #expect(draw([0, 3, -1, 2.9], .greedy(), times: 3) == [1, 1, 1])
    }

    @Test func `the same seed gives the same tokens and another seed others`() {
        let logits = (0..<200).map { Float($0 % 7) }
        func options(_ seed: UInt32) -> SamplingOptions {
            SamplingOptions(temperature: 1, repeatPenalty: 1, seed: seed)
        }
        #expect(draw(logits, options(1), times: 50) == draw(logits, options(1), times: 50))
        #expect(draw(logits, options(1), times: 50) != draw(logits, options(2), times: 50))
    }

    @Test func `frequencies follow the probabilities`() {
        let options = SamplingOptions(temperature: 2, topK: 0, topP: 1, repeatPenalty: 1)
        // Probabilities 0.8 and 0.2 at temperature 2.
        let tokens = draw([2 * Float.log4, 0, -.infinity], options, times: 4000)
        let share = Double(tokens.filter { $0 == 0 }.count) / 4000
        #expect(abs(share - 0.8) < 0.03)
        #expect(!tokens.contains(2))
    }

    @Test func `top k, top p and min p leave out what they should`() {
        let logits: [Float] = [5, 4.5, 4, 3.5, 3]
        func tokens(_ options: SamplingOptions) -> Set<TokenID?> { Set(draw(logits, options, times: 500)) }
        #expect(tokens(SamplingOptions(temperature: 5, topK: 2, topP: 1, repeatPenalty: 1)) == [0, 1])
        #expect(tokens(SamplingOptions(temperature: 5, topK: 0, topP: 0.6, repeatPenalty: 1)) == [0, 1])
        #expect(tokens(SamplingOptions(temperature: 5, topK: 0, topP: 1, minP: 0.3, repeatPenalty: 1)) == [0, 1, 2])
        #expect(tokens(SamplingOptions(temperature: 5, topK: 0, topP: 0, repeatPenalty: 1)) == [0])
    }

    @Test func `a token that was just said becomes less probable`() {
        let options = SamplingOptions(temperature: 0, repeatPenalty: 2)
        #expect(draw([4, 3, 1, -1], options, times: 3) == [0, 1, 0])
        #expect(draw([-1, -1.5, -9, -9], options, times: 3) == [0, 1, 0])
    }

    @Test func `scores that are no numbers are not chosen`() {
        #expect(draw([.nan, 1, .nan], .greedy()) == [1])
        #expect(draw([.nan, .nan], .greedy()) == [nil])
        #expect(draw([], SamplingOptions()) == [nil])
        #expect(draw([.infinity, 1], SamplingOptions()) == [0])
    }
}

@Suite struct SnapshotsTests {
    @Test func `the longest copy of the same past is used`() throws {
        var snapshots = Snapshots(sequences: 4..<6)
        #expect(snapshots.best(upTo: 100) == nil)
        #expect(snapshots.slot(for: .turn, 10) == 4)
        #expect(snapshots.slot(for: .prompt, 20) == 5)
        #expect(snapshots.slot(for: .prompt, 20) == nil)
        #expect(try #require(snapshots.best(upTo: 19)) == (4, 10))
        #expect(snapshots.slot(for: .turn, 30) == 4)
        #expect(snapshots.forget(beyond: 20) == [4])
        #expect(try #require(snapshots.best(upTo: 100)) == (5, 20))
    }
}

extension Float {
    fileprivate static let log4: Float = 1.386_294_4
}
