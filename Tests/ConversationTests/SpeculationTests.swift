internal import Logging
internal import Testing
internal import VoiceCore
internal import VoiceTesting

@testable internal import Conversation

/// Conversations in which answers are drafted before turns are over; scripted engines, simulated time.
@Suite(.timeLimit(.minutes(5))) struct SpeculationTests {
    private struct Outcome {
        var report: ConversationReport
        var transport: LoopbackTransport
        var model: ScriptedLanguageModel
        var draftsTakenBack: Int

        var spokenEpochs: Set<Int> {
            Set(
                transport.sent.compactMap {
                    if case .audio(let frame) = $0.message { frame.epoch } else { nil }
                }
            )
        }
    }

    private static let answer = "Certainly, I can help. The answer is long and it goes on for quite a while."

    private func converse(
        _ steps: [LoopbackTransport.Step],
        hearing utterances: [String],
        drafts: [String]?,
        verdicts: [Float] = [],
        policy: ReplyPolicy = .speculative,
        completeness: (@Sendable (String) -> Float)? = nil
    ) async throws -> Outcome {
        let clock = ManualClock(isSelfDriving: true)
        let model = ScriptedLanguageModel(clock: clock, completeness: completeness) { _ in
            Self.answer.split(separator: " ").map { " \($0)" }
        }
        let recognizer = ScriptedRecognizer(clock: clock, utterances: utterances, drafts: drafts)
        let engines = Engines(
            voiceActivity: AmplitudeDetector(),
            turnDetector: ScriptedTurnDetector(clock: clock, verdicts: verdicts),
            recognizer: recognizer,
            languageModel: model,
            synthesizer: ToneSynthesizer(clock: clock)
        )
        let transport = LoopbackTransport(clock: clock, steps: steps)
        var configuration = ConversationConfiguration(systemPrompt: "Be brief.", greeting: "")
        configuration.policy = policy
        let conversation = Conversation(
            engines: engines,
            configuration: configuration,
            clock: clock,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        let report = try await conversation.run(over: transport)
        return Outcome(
            report: report,
            transport: transport,
            model: model,
            draftsTakenBack: recognizer.draftsTakenBack
        )
    }

    @Test func `a draft that was right is heard sooner, and asked for once`() async throws {
        let steps: [LoopbackTransport.Step] = [.speech(.seconds(1)), .silence(.seconds(10))]
        let drafted = try await converse(steps, hearing: ["What is it?"], drafts: ["what is it"])
        let plain = try await converse(steps, hearing: ["What is it?"], drafts: nil)
        let (turn, other) = try (#require(drafted.report.turns.first), #require(plain.report.turns.first))
        #expect(turn.speculation == .hit)
        #expect(other.speculation == .none)
        #expect(turn.user == "What is it?")
        #expect(turn.agent == other.agent)
        #expect(drafted.model.conversations.count == 1)
        // The model goes on from what it has read.
        #expect(drafted.model.conversations.first?.last == ChatMessage(.user, "what is it"))
        let (soon, late) = try (#require(turn.voiceToVoice), #require(other.voiceToVoice))
        // 64 ms of silence more were used for: 20 ms of transcript, 4 tokens of 20 ms, 30 ms of voice.
        #expect(soon < late - 40)
        let tiles = try #require(turn.tiles)
        #expect(abs(tiles.total - soon) < 1)
        #expect(drafted.report.summary.speculation.drafts == 1)
        #expect(drafted.report.summary.speculation.hits == 1)
        #expect(drafted.report.summary.speculation.wastedTokens == 0)
    }

    @Test func `nothing of a draft is heard before the turn is over`() async throws {
        // The end is doubted for two seconds.
        let outcome = try await converse(
            [.speech(.seconds(1)), .silence(.seconds(12))],
            hearing: ["what is it"],
            drafts: ["what is it"],
            verdicts: Array(repeating: 0, count: 20)
        )
        let turn = try #require(outcome.report.turns.first)
        #expect(turn.speculation == .hit)
        #expect(try #require(turn.voiceToVoice) >= 2000)
        #expect(try abs(#require(turn.tiles).total - #require(turn.voiceToVoice)) < 1)
        #expect(turn.agent.trimmingPrefix(" ") == Self.answer)
    }

    @Test func `a draft is thrown away when the person goes on, and leaves no trace`() async throws {
        let outcome = try await converse(
            [.speech(.seconds(1)), .silence(.milliseconds(120)), .speech(.seconds(1)), .silence(.seconds(10))],
            hearing: ["what is it and then"],
            drafts: ["what is it", "what is it and then"],
            verdicts: [0.9]
        )
        let turn = try #require(outcome.report.turns.first)
        #expect(outcome.report.turns.count == 1)
        #expect(turn.user == "what is it and then")
        #expect(turn.speculation == .hit)
        #expect(outcome.spokenEpochs == [2])
        #expect(outcome.model.conversations.last?.map(\.content) == ["Be brief.", "what is it and then"])
        #expect(outcome.report.summary.speculation.drafts == 2)
        #expect(outcome.report.summary.speculation.hits == 1)
        #expect(outcome.draftsTakenBack == 1)
        // The far end is told of no reply that it has never heard of.
        #expect(!outcome.transport.sent.contains { $0.message == .cut(epoch: 1) })
    }

    @Test func `a draft that heard other words is replaced by an answer to the right ones`() async throws {
        let outcome = try await converse(
            [.speech(.seconds(1)), .silence(.seconds(10)), .speech(.seconds(1)), .silence(.seconds(10))],
            hearing: ["what is he", "and then"],
            drafts: ["what is it", "and then"]
        )
        #expect(outcome.report.turns.map(\.user) == ["what is he", "and then"])
        #expect(outcome.report.turns.map(\.speculation) == [.miss, .hit])
        #expect(outcome.spokenEpochs == [2, 3])
        let last = try #require(outcome.model.conversations.last)
        #expect(last.map(\.content).filter { $0.contains("it") && $0.hasPrefix("what") }.isEmpty)
        #expect(outcome.report.summary.speculation.wastedTokens > 0)
    }

    @Test func `an end that is thought unlikely at last keeps the draft of its first silence`() async throws {
        let outcome = try await converse(
            [.speech(.seconds(1)), .silence(.seconds(12))],
            hearing: ["what is it"],
            drafts: ["what is it"],
            verdicts: Array(repeating: 0, count: 20)
        )
        let turn = try #require(outcome.report.turns.first)
        #expect(turn.speculation == .hit)
        #expect(turn.agent.trimmingPrefix(" ") == Self.answer)
        #expect(outcome.report.summary.speculation.drafts == 1)
        // It was ready long before the end was certain.
        #expect(try #require(turn.tiles).llmFirstToken == 0)
    }

    @Test func `words that are complete end a turn that the voice leaves open`() async throws {
        let steps: [LoopbackTransport.Step] = [.speech(.seconds(1)), .silence(.seconds(12))]
        func wait(_ completeness: (@Sendable (String) -> Float)?) async throws -> Double {
            let verdicts = Array(repeating: Float(0.02), count: 20)
            let outcome = try await converse(
                steps,
                hearing: ["what is it"],
                drafts: ["what is it"],
                verdicts: verdicts,
                completeness: completeness
            )
            let turn = try #require(outcome.report.turns.first)
            #expect(turn.speculation == .hit && turn.user == "what is it")
            return try #require(turn.voiceToVoice)
        }
        let voice = try await wait(nil)
        let words = try await wait { $0 == "what is it" ? 0.8 : 0 }
        #expect(voice > 2000)
        #expect(words < 600)
    }

    @Test func `words that are not keep a turn open that the voice ends`() async throws {
        let steps: [LoopbackTransport.Step] = [
            .speech(.seconds(1)), .silence(.milliseconds(900)), .speech(.seconds(1)), .silence(.seconds(12)),
        ]
        func turns(
            hearing utterances: [String],
            drafts: [String],
            _ completeness: (@Sendable (String) -> Float)?
        ) async throws -> [String] {
            try await converse(
                steps,
                hearing: utterances,
                drafts: drafts,
                verdicts: Array(repeating: 0.99, count: 20),
                completeness: completeness
            ).report.turns.map(\.user)
        }
        let whole = "set a timer for ten minutes"
        let read = try await turns(hearing: [whole], drafts: ["set a timer for", whole]) { $0 == whole ? 0.5 : 0.001 }
        #expect(read == [whole])
        let parts = ["set a timer for", "ten minutes"]
        #expect(try await turns(hearing: parts, drafts: parts, nil).count == 2)
    }

    @Test(arguments: [ReplyPolicy.reference, .interleaved])
    func `other policies draft nothing`(policy: ReplyPolicy) async throws {
        let outcome = try await converse(
            [.speech(.seconds(1)), .silence(.seconds(10))],
            hearing: ["what is it"],
            drafts: ["what is it"],
            policy: policy
        )
        let turn = try #require(outcome.report.turns.first)
        #expect(turn.speculation == .none)
        #expect(turn.agent.trimmingPrefix(" ") == Self.answer)
        #expect(outcome.report.summary.speculation.drafts == 0)
    }

    @Test func `an interruption of a released draft keeps only what was heard`() async throws {
        let outcome = try await converse(
            [.speech(.seconds(1)), .silence(.seconds(2)), .speech(.seconds(1)), .silence(.seconds(10))],
            hearing: ["what is it", "and then"],
            drafts: ["what is it", "and then"]
        )
        let first = try #require(outcome.report.turns.first)
        #expect(first.interrupted && first.speculation == .hit)
        let second = try #require(outcome.model.conversations.last)
        #expect(second[1] == ChatMessage(.user, "what is it"))
        #expect(second[2] == ChatMessage(.assistant, first.agent))
    }
}

@Suite struct SpeculationPartsTests {
    @Test(arguments: [
        ("Hello, there!", "hello there", true), ("", "...", true), ("it's", "its", false), ("a b", "ab", false),
        ("one two", "one two three", false), ("Ünlü", "ünlü", true),
    ])
    func `case and punctuation do not make other words`(a: String, b: String, areSame: Bool) {
        #expect(a.hasSameWords(as: b) == areSame)
        #expect(b.hasSameWords(as: a) == areSame)
    }

    @Test func `a prefix is stable once two partial transcripts agree on it`() {
        var prefix = StablePrefix()
        #expect(prefix.advance("tell me a") == nil)
        #expect(prefix.advance("tell me a long") == "tell me a")
        #expect(prefix.advance("tell me a long story about") == nil)
        #expect(prefix.advance("tell me a long story about bread and") == "tell me a long story about")
        // The recogniser changes its mind.
        #expect(prefix.advance("tell him a long story about bread and") == nil)
        #expect(prefix.advance("tell him a long story about bread and wine") == "tell him a long story about bread and")
    }

    @Test func `the reference's segments are counted in tokens`() {
        var segmenter = ReferenceSegmenter()
        let words = (1...60).map { " w\($0)" }
        var segments: [String] = []
        for (index, word) in words.enumerated() { segments += segmenter.feed(index == 9 ? word + "." : word) }
        // A sentence of 10 tokens is spoken when 24 were generated, the rest without an end of sentence at the end.
        #expect(segments == [words[..<9].joined() + " w10. "].map { String($0.dropLast()) + " " })
        #expect(segmenter.finish() == String(words[10...].joined().dropFirst()))
    }

    @Test func `without punctuation the reference's first segment has 24 tokens`() {
        var segmenter = ReferenceSegmenter()
        var segments: [String] = []
        for index in 1...200 { segments += segmenter.feed(" w\(index)") }
        #expect(segments.map { $0.split(separator: " ").count } == [23, 96])
    }
}
