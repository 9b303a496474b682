internal import Conversation
internal import Logging
internal import Testing
internal import VoiceCore
internal import VoiceTesting

@testable internal import Repartee

/// Engines that compute nothing, in simulated time.
@Suite(.timeLimit(.minutes(5))) struct ScriptedEngineTests {
    @Test func `a conversation with them takes the time that their costs say`() async throws {
        let clock = ManualClock(isSelfDriving: true)
        var configuration = ConversationConfiguration(greeting: "")
        configuration.cancelsEcho = false
        configuration.policy = .interleaved
        let conversation = Conversation(
            engines: .scripted(clock: clock),
            configuration: configuration,
            clock: clock,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        let steps: [LoopbackTransport.Step] = [
            .silence(.milliseconds(500)), .speech(.seconds(2)), .silence(.seconds(12)),
        ]
        let report = try await conversation.run(over: LoopbackTransport(clock: clock, steps: steps))
        let turn = try #require(report.turns.first)
        #expect(report.turns.count == 1)
        // A word for 400 ms of sound.
        #expect(turn.user == "could you please tell me")
        #expect(turn.agent.hasSuffix("tell me a little more."))
        let (tiles, costs) = (try #require(turn.tiles), ScriptedCosts())
        #expect(abs(tiles.asrFinal - costs.finalTranscript.milliseconds) < 1)
        #expect(abs(tiles.llmFirstToken - costs.firstToken.milliseconds) < 1)
        #expect(abs(tiles.ttsFirstAudio - costs.firstSound.milliseconds) < 1)
        #expect(turn.llm?.generatedTokens == 23)
    }

    @Test func `what is drafted is what is said in the end`() async throws {
        let clock = ManualClock(isSelfDriving: true)
        let conversation = Conversation(
            engines: .scripted(clock: clock),
            configuration: ConversationConfiguration(greeting: ""),
            clock: clock,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        let steps: [LoopbackTransport.Step] = [
            .silence(.milliseconds(500)), .speech(.seconds(2)), .silence(.seconds(12)),
        ]
        let report = try await conversation.run(over: LoopbackTransport(clock: clock, steps: steps))
        #expect(report.turns.map(\.speculation) == [.hit])
    }

    @Test func `the voice is audible from its first sample and knows where words end`() async throws {
        let clock = ManualClock(isSelfDriving: true)
        // Time passes while nobody who is at work has anything to do.
        clock.workBegan()
        defer { clock.workEnded() }
        let voice = ScriptedSpeaking(clock: clock, costs: ScriptedCosts())
        var (samples, words): ([Float], [SpokenWord]) = ([], [])
        for try await chunk in voice.speak("Good morning.") {
            samples += chunk.samples
            words += chunk.words
        }
        let letter = voice.sampleRate.samples(in: .milliseconds(66))
        #expect(samples.count == 13 * letter)
        #expect(
            words == [SpokenWord(textEnd: 4, sampleEnd: 4 * letter), SpokenWord(textEnd: 13, sampleEnd: 13 * letter)]
        )
        #expect(samples.prefix(200).contains { abs($0) > 0.1 })
    }

    @Test func `voice activity notices the end of speech as late as Silero does`() async throws {
        let stream = try await ScriptedActivity().openStream()
        let probabilities = try await stream.feed(
            [Float](repeating: 0.5, count: 1024) + [Float](repeating: 0, count: 512 * 5)
        )
        #expect(probabilities.map { $0 > 0.5 } == [true, true, true, true, true, false, false])
    }
}
