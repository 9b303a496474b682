internal import Conversation
internal import Logging
internal import Testing
internal import VoiceCore
internal import VoiceTesting

/// Whole conversations with scripted engines, in simulated time: the same result every time, and no waiting.
@Suite(.timeLimit(.minutes(5))) struct ConversationTests {
    /// What a conversation did.
    private struct Outcome {
        var report: ConversationReport
        var transport: LoopbackTransport
        var model: ScriptedLanguageModel

        /// The last closed agent message of a turn.
        func closed(_ turn: Int) -> (heard: String, interrupted: Bool)? {
            for case .agentTranscript(turn, let heard, _, true, let interrupted) in transport.news {
                return (heard, interrupted)
            }
            return nil
        }

        /// When audio of this epoch was sent.
        func audioTimes(epoch: Int) -> [Duration] {
            transport.sent.compactMap {
                if case .audio(let frame) = $0.message, frame.epoch == epoch { $0.at } else { nil }
            }
        }
    }

    private static let answer = "Certainly, I can help. The answer is long and it goes on for quite a while."

    private func converse(
        _ steps: [LoopbackTransport.Step],
        hearing utterances: [String] = ["what is it", "and then"],
        verdicts: [Float] = [],
        greeting: String = "",
        configure: (inout ConversationConfiguration) -> Void = { _ in },
        script: @escaping ScriptedLanguageModel.Script = { _ in answer.split(separator: " ").map { " \($0)" } }
    ) async throws -> Outcome {
        let clock = ManualClock(isSelfDriving: true)
        let model = ScriptedLanguageModel(clock: clock, script: script)
        let engines = Engines(
            voiceActivity: AmplitudeDetector(),
            turnDetector: ScriptedTurnDetector(clock: clock, verdicts: verdicts),
            recognizer: ScriptedRecognizer(clock: clock, utterances: utterances),
            languageModel: model,
            synthesizer: ToneSynthesizer(clock: clock)
        )
        let transport = LoopbackTransport(clock: clock, steps: steps)
        var configuration = ConversationConfiguration(systemPrompt: "Be brief.", greeting: greeting)
        configure(&configuration)
        let conversation = Conversation(
            engines: engines,
            configuration: configuration,
            clock: clock,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        let report = try await conversation.run(over: transport)
        return Outcome(report: report, transport: transport, model: model)
    }

    @Test func `a conversation in which nobody speaks rests, until somebody does`() async throws {
        let outcome = try await converse([
            .silence(.seconds(4)), .speech(.seconds(1)), .silence(.seconds(20)), .speech(.seconds(1)),
            .silence(.milliseconds(500)),
        ])
        let rests = outcome.transport.rests
        #expect(rests.map(\.isResting) == [true, false, true, false])
        #expect(rests[0].at == .seconds(3))
        #expect((.seconds(4)...(.milliseconds(4_120))).contains(rests[1].at))
        // The answer is longer than three seconds, and no rest.
        let answered = try #require(outcome.audioTimes(epoch: 1).last)
        #expect(rests[2].at > answered)
        #expect((.seconds(25)...(.milliseconds(25_120))).contains(rests[3].at))
    }

    @Test func `a spoken question is answered, and the tiles sum to the voice-to-voice time`() async throws {
        let outcome = try await converse([.silence(.milliseconds(500)), .speech(.seconds(1)), .silence(.seconds(10))])
        let turn = try #require(outcome.report.turns.first)
        #expect(outcome.report.turns.count == 1)
        #expect(turn.user == "what is it")
        #expect(turn.agent.trimmingPrefix(" ") == Self.answer)
        #expect(!turn.interrupted)
        let voiceToVoice = try #require(turn.voiceToVoice)
        let tiles = try #require(turn.tiles)
        #expect(abs(tiles.total - voiceToVoice) < 1)
        // Speech ended at exactly 1.5 s of the microphone; the first frame of the answer is audible from its start.
        let first = try #require(outcome.audioTimes(epoch: 1).first)
        #expect(abs((first - .milliseconds(1500)).milliseconds - voiceToVoice) < 1)
        // 128 ms of silence, 20 for the transcript, 4 tokens of 20, 30 for the voice; the verdict is there before.
        #expect(voiceToVoice > 240 && voiceToVoice < 320)
        #expect(tiles.turnDetection == 0)
        #expect(abs(tiles.asrFinal - 20) < 1)
        #expect(abs(tiles.llmFirstToken - 20) < 1)
        #expect(abs(tiles.ttsFirstAudio - 30) < 1)
    }

    @Test func `audio is sent in frames of 20 ms, never far ahead of the clock`() async throws {
        let outcome = try await converse([.speech(.seconds(1)), .silence(.seconds(10))])
        let times = outcome.audioTimes(epoch: 1)
        let first = try #require(times.first)
        #expect(times.count > 100)
        for (index, time) in times.enumerated() {
            let due = first + .milliseconds(20 * index)
            #expect(time <= due && time >= due - .milliseconds(60))
        }
    }

    @Test func `the greeting is spoken first and stays in the context`() async throws {
        let outcome = try await converse(
            [.silence(.seconds(3)), .speech(.seconds(1)), .silence(.seconds(10))],
            greeting: "Hello there."
        )
        #expect(outcome.closed(0)?.heard == "Hello there.")
        #expect(
            outcome.model.conversations.first == [
                ChatMessage(.system, "Be brief."), ChatMessage(.assistant, "Hello there."),
                ChatMessage(.user, "what is it"),
            ]
        )
    }

    @Test func `thoughts and calls are neither spoken nor kept as words`() async throws {
        let outcome = try await converse(
            [.speech(.seconds(1)), .silence(.seconds(4)), .speech(.seconds(1)), .silence(.seconds(10))],
            script: { _ in ["!think", "!think", "It", " is", " ten.", "!call", "!call"] }
        )
        #expect(outcome.report.turns.map(\.agent) == ["It is ten.", "It is ten."])
        let second = try #require(outcome.model.conversations.last)
        #expect(second.dropFirst().map(\.content) == ["what is it", "It is ten.", "and then"])
    }

    @Test func `an interruption stops the voice within 40 ms and keeps only what was heard`() async throws {
        let outcome = try await converse([
            .speech(.seconds(1)), .silence(.seconds(2)), .speech(.seconds(1)), .silence(.seconds(10)),
        ])
        let first = try #require(outcome.report.turns.first)
        #expect(first.interrupted)
        #expect(Self.answer.hasPrefix(first.agent.trimmingPrefix(" ")))
        #expect(first.agent.trimmingPrefix(" ").count < Self.answer.count)
        #expect(!first.agent.isEmpty)
        // The second utterance begins at 3 s; its first window silences the agent.
        let pause = try #require(outcome.transport.sent.first { $0.message == .pause(epoch: 1) }?.at)
        #expect(pause >= .milliseconds(3000) && pause <= .milliseconds(3060))
        #expect(outcome.audioTimes(epoch: 1).allSatisfy { $0 <= pause })
        // No word is known before the end, so it is 700 ms of speech that end the reply.
        let cut = try #require(outcome.transport.sent.first { $0.message == .cut(epoch: 1) }?.at)
        #expect(cut >= .milliseconds(3760) && cut <= .milliseconds(3840))
        // The model is told exactly what was heard.
        let second = try #require(outcome.model.conversations.last)
        #expect(second[2] == ChatMessage(.assistant, first.agent))
        #expect(second[3] == ChatMessage(.user, "and then"))
        // And that is what the played audio says: 60 ms a letter of this voice.
        let started = try #require(outcome.audioTimes(epoch: 1).first)
        let letters = Int((pause - started).milliseconds / 60)
        #expect(abs(first.agent.utf8.count - letters) <= 9)
    }

    @Test(arguments: ["", "mhm"])
    func `after a sound that is no interruption the agent goes on where it was`(said: String) async throws {
        let outcome = try await converse(
            [
                .speech(.seconds(1)), .silence(.seconds(2)), .speech(.milliseconds(300)), .silence(.seconds(12)),
                .speech(.seconds(1)), .silence(.seconds(10)),
            ],
            hearing: ["what is it", said, "and then"]
        )
        let first = try #require(outcome.report.turns.first)
        #expect(!first.interrupted)
        #expect(first.agent.trimmingPrefix(" ") == Self.answer)
        #expect(outcome.report.summary.playout.falsePauses == 1)
        #expect(outcome.report.summary.playout.interruptions == 0)
        #expect(outcome.report.summary.playout.underruns == 0)
        let messages = outcome.transport.sent.filter { sent in
            if case .audio(let frame) = sent.message { frame.epoch == 1 } else { sent.message == .pause(epoch: 1) }
        }
        let border = try #require(messages.firstIndex { $0.message == .pause(epoch: 1) })
        // Silent within 60 ms of the sound, which began at 3 s.
        #expect(messages[border].at <= .milliseconds(3060))
        // It goes on with the word in which it stopped, and every sample after that follows.
        let frames = messages.compactMap { if case .audio(let frame) = $0.message { frame } else { nil } }
        let resumed = frames[border].audio.position
        let stopped = frames[border - 1].audio.position
        #expect(resumed <= stopped && resumed > stopped - 16_000)
        for (frame, next) in zip(frames[border...], frames[(border + 1)...]) {
            #expect(next.audio.position == frame.audio.position + frame.audio.samples.count)
        }
        // 300 ms of sound, 64 to 128 of silence, 20 for the transcript, and what windows and frames add.
        let gap = messages[border + 1].at - messages[border].at
        #expect(gap > .milliseconds(300) && gap < .milliseconds(460))
        // The person's "mhm" is no turn and not in the context.
        #expect(outcome.report.turns.map(\.user) == ["what is it", "and then"])
        #expect(outcome.model.conversations.last?.map(\.content).contains("mhm") == false)
    }

    @Test func `speech before the answer is heard becomes one turn with what came before`() async throws {
        let outcome = try await converse([
            .speech(.seconds(1)), .silence(.milliseconds(180)), .speech(.seconds(1)), .silence(.seconds(10)),
        ])
        #expect(outcome.report.turns.map(\.user) == ["what is it and then"])
        #expect(outcome.model.conversations.last?.count == 2)
    }

    /// How long after the last sound a turn ended on which the detector gives these verdicts.
    private func endpoint(_ verdicts: [Float]) async throws -> LatencyTiles {
        let outcome = try await converse([.speech(.seconds(1)), .silence(.seconds(12))], verdicts: verdicts)
        let turn = try #require(outcome.report.turns.first)
        let tiles = try #require(turn.tiles)
        #expect(try abs(tiles.total - #require(turn.voiceToVoice)) < 1)
        return tiles
    }

    @Test func `a turn ends at the very moment its wait is over`() async throws {
        let tiles = try await endpoint([0.5])
        #expect(abs(tiles.endpointWait - 800) < 0.01)
        #expect(tiles.turnDetection < 0.01)
    }

    @Test func `a turn that is judged incomplete waits for two seconds`() async throws {
        let tiles = try await endpoint([0])
        #expect(abs(tiles.endpointWait - 2000) < 0.01)
        #expect(tiles.turnDetection < 0.01)
    }

    @Test func `speech that goes on right after an early end is heard and joined`() async throws {
        // Voice activity hushes at 1056 ms and would be certain of the silence at 1344; the turn ends at 1160.
        let outcome = try await converse(
            [.speech(.seconds(1)), .silence(.milliseconds(170)), .speech(.seconds(1)), .silence(.seconds(10))],
            verdicts: [1, 1],
            configure: { $0.voiceActivity.stop = .milliseconds(320) }
        )
        #expect(outcome.report.turns.map(\.user) == ["what is it and then"])
        let shown = outcome.transport.news.compactMap { if case .userSpeaking(let speaks) = $0 { speaks } else { nil } }
        #expect(shown == [true, false, true, false])
    }

    @Test func `the same conversation takes the same time each time`() async throws {
        let steps: [LoopbackTransport.Step] = [
            .speech(.seconds(1)), .silence(.milliseconds(700)), .speech(.seconds(1)), .silence(.seconds(10)),
        ]
        let first = try await converse(steps, verdicts: [0.2, 0.3, 0.6])
        for _ in 0..<5 {
            let next = try await converse(steps, verdicts: [0.2, 0.3, 0.6])
            #expect(next.report.turns == first.report.turns)
        }
    }

    @Test func `noise without words is dropped with a reason, and the next turn works`() async throws {
        let outcome = try await converse(
            [.speech(.milliseconds(400)), .silence(.seconds(2)), .speech(.seconds(1)), .silence(.seconds(10))],
            hearing: ["", "hello"]
        )
        #expect(outcome.transport.news.contains(.turnDropped(turn: 1, reason: "no words were understood")))
        #expect(outcome.report.turns.map(\.user) == ["hello"])
    }

    @Test func `a typed message is answered aloud`() async throws {
        let outcome = try await converse([.silence(.milliseconds(100)), .text("typed"), .silence(.seconds(10))])
        let turn = try #require(outcome.report.turns.first)
        #expect(turn.user == "typed")
        #expect(turn.voiceToVoice == nil)
        #expect(!outcome.audioTimes(epoch: 1).isEmpty)
    }

    @Test func `words whose answer was stopped before it was heard stay in the context`() async throws {
        let outcome = try await converse([
            .speech(.seconds(1)), .silence(.milliseconds(200)), .interrupt, .silence(.seconds(1)), .text("go on"),
            .silence(.seconds(10)),
        ])
        #expect(outcome.report.turns.map(\.user) == ["go on"])
        #expect(outcome.model.conversations.last?.map(\.content) == ["Be brief.", "what is it", "go on"])
    }

    @Test func `a language model that fails apologises and the session goes on`() async throws {
        let outcome = try await converse(
            [.speech(.seconds(1)), .silence(.seconds(8)), .speech(.seconds(1)), .silence(.seconds(10))],
            script: { $0.count == 2 ? ["!fail"] : [" Fine."] }
        )
        #expect(outcome.report.turns.map(\.user) == ["what is it", "and then"])
        #expect(outcome.report.turns.first?.agent.hasPrefix("Sorry") == true)
        #expect(
            outcome.transport.news.contains {
                if case .error = $0 { true } else { false }
            }
        )
    }

    @Test func `five minutes of silence cost nothing and change nothing`() async throws {
        let outcome = try await converse([.silence(.seconds(300)), .speech(.seconds(1)), .silence(.seconds(10))])
        #expect(outcome.report.turns.map(\.user) == ["what is it"])
    }

    @Test func `a person who leaves in the middle of an answer ends the session`() async throws {
        let outcome = try await converse([.speech(.seconds(1)), .silence(.seconds(1))])
        let turn = try #require(outcome.report.turns.first)
        #expect(turn.interrupted)
        #expect(turn.agent.trimmingPrefix(" ").count < Self.answer.count)
    }

    // MARK: - News of replies

    /// The steps of a turn's reply, in order.
    private func steps(_ outcome: Outcome, turn: Int) -> [ReplyStage] {
        outcome.transport.news.compactMap { if case .reply(turn, let stage) = $0 { stage } else { nil } }
    }

    @Test func `a reply's way through the engines is told, its text and its clauses without gap`() async throws {
        let outcome = try await converse([.speech(.seconds(1)), .silence(.seconds(10))], greeting: "Hello there.")
        #expect(steps(outcome, turn: 0) == [.clause("Hello there.", isSpoken: true), .voiceEnded])
        let told = steps(outcome, turn: 1)
        #expect(told.first == .modelBegan && told.last == .voiceEnded)
        #expect(told.filter { $0 == .modelEnded }.count == 1)
        let text = told.compactMap { if case .text(let text) = $0 { text } else { nil } }.joined()
        let clauses = told.compactMap { if case .clause(let text, true) = $0 { text } else { nil } }
        #expect(text.trimmingPrefix(" ") == Self.answer)
        #expect(clauses.count > 1 && clauses.joined() == text)
    }

    @Test func `a draft is told once its turn is over, and one that was thrown away never`() async throws {
        let outcome = try await converse(
            [
                .speech(.seconds(1)), .silence(.milliseconds(300)), .speech(.seconds(1)), .silence(.seconds(10)),
            ],
            verdicts: [0.4, 0.99],
            script: { messages in [" You", " said", " " + (messages.last?.content ?? ""), "."] }
        )
        let news = outcome.transport.news
        let final = try #require(
            news.firstIndex { if case .userTranscript(1, _, true) = $0 { true } else { false } }
        )
        let first = try #require(news.firstIndex { if case .reply(1, _) = $0 { true } else { false } })
        #expect(final < first)
        #expect(steps(outcome, turn: 1).filter { $0 == .modelBegan }.count == 1)
        let answer = try #require(outcome.closed(1)?.heard)
        let text = steps(outcome, turn: 1).compactMap { if case .text(let text) = $0 { text } else { nil } }.joined()
        #expect(text == answer)
    }

    @Test func `an interrupted reply's engines are told to have ended, once each`() async throws {
        let outcome = try await converse(
            [.speech(.seconds(1)), .silence(.seconds(2)), .speech(.seconds(1)), .silence(.seconds(8))],
            configure: { $0.turnTaking.interruption = .immediate }
        )
        #expect(outcome.closed(1)?.interrupted == true)
        let told = steps(outcome, turn: 1)
        #expect(told.filter { $0 == .modelEnded }.count == 1)
        #expect(told.filter { $0 == .voiceEnded }.count == 1)
    }

    @Test func `a question can be answered in writing`() async throws {
        let outcome = try await converse(
            [
                .silence(.milliseconds(200)), .typed(TypedMessage(text: "what is it?", isSpoken: false)),
                .silence(.seconds(5)), .text("and aloud?"), .silence(.seconds(10)),
            ]
        )
        #expect(outcome.closed(1)?.heard == " " + Self.answer)
        #expect(outcome.audioTimes(epoch: 1).isEmpty)
        #expect(!outcome.audioTimes(epoch: 2).isEmpty)
        let clauses = steps(outcome, turn: 1).compactMap { if case .clause(let text, false) = $0 { text } else { nil } }
        #expect(clauses.joined().trimmingPrefix(" ") == Self.answer)
        #expect(!steps(outcome, turn: 1).contains(.voiceEnded))
        #expect(outcome.report.turns.first?.agent == " " + Self.answer)
        let last = try #require(outcome.model.conversations.last)
        #expect(last.map(\.role) == [.system, .user, .assistant, .user])
    }

    @Test func `a message that wants no answer is remembered, after what is being said`() async throws {
        let outcome = try await converse(
            [
                .silence(.milliseconds(200)), .typed(TypedMessage(text: "my name is Ada", isAnswered: false)),
                .silence(.seconds(2)), .text("hello"), .silence(.seconds(1)),
                .typed(TypedMessage(text: "and I like tea", isAnswered: false)), .silence(.seconds(9)), .text("well?"),
                .silence(.seconds(9)),
            ]
        )
        #expect(outcome.model.conversations.count == 2)
        #expect(outcome.model.conversations.first?.map(\.content) == ["Be brief.", "my name is Ada", "hello"])
        let last = try #require(outcome.model.conversations.last)
        #expect(last.map(\.role) == [.system, .user, .user, .assistant, .user, .user])
        #expect(last.suffix(2).map(\.content) == ["and I like tea", "well?"])
    }
}
