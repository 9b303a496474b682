internal import Logging
internal import Synchronization
internal import Testing
internal import VoiceCore
internal import VoiceTesting

@testable internal import Conversation

/// Conversations whose engines keep people waiting, in simulated time.
@Suite(.timeLimit(.minutes(5))) struct FillerTests {
    /// What a model does next, and after how many milliseconds.
    private typealias Step = (after: Int, event: ReplyEvent?)

    /// A model that takes its time as it is told to; nil for a failure.
    private struct PacedModel: LanguageModel, Chat {
        let name = "paced"
        let contextLength = 2048
        let clock: any SessionClock
        let script: @Sendable ([ChatMessage]) -> [Step]

        func openChat() async throws(VoiceError) -> any Chat { self }

        func prefill(
            _ messages: [ChatMessage],
            options: ChatOptions,
            urgency: Urgency?
        ) async throws(VoiceError) -> ReplyUsage { ReplyUsage(promptTokens: 0, cachedTokens: 0, generatedTokens: 0) }

        func reply(
            to messages: [ChatMessage],
            sampling: SamplingOptions,
            options: ChatOptions,
            urgency: Urgency?
        ) -> AsyncThrowingStream<ReplyEvent, any Error> {
            let end: Step = (
                0, .finished(ReplyUsage(promptTokens: 1, cachedTokens: 0, generatedTokens: 1), truncated: false)
            )
            let steps = script(messages) + [end]
            let position = Position()
            return AsyncThrowingStream {
                let index = position.take()
                guard index < steps.count else { return nil }
                try await clock.sleep(until: clock.now + .milliseconds(steps[index].after))
                guard let event = steps[index].event else { throw VoiceError(.unavailable, "all servers are down") }
                return event
            }
        }
    }

    private final class Position: Sendable {
        private let value = Mutex(0)
        func take() -> Int {
            value.withLock { value in
                defer { value += 1 }
                return value
            }
        }
    }

    private struct Outcome {
        var report: ConversationReport
        var transport: LoopbackTransport

        /// What the agent said, turn by turn.
        var said: [String] { report.turns.map { String($0.agent.trimmingPrefix(" ")) } }

        /// The silence before each sound of more than 20 ms that the agent makes, from the end of the person's speech at `end`.
        func silences(after end: Duration) -> [Duration] {
            var last = end
            var silences: [Duration] = []
            for sent in transport.sent {
                guard case .audio(let frame) = sent.message, frame.audio.samples.contains(where: { abs($0) > 0.1 })
                else {
                    continue
                }
                if sent.at - last > .milliseconds(100) { silences.append(sent.at - last) }
                last = max(last, sent.at + frame.audio.rate.duration(ofSamples: frame.audio.samples.count))
            }
            return silences
        }
    }

    private func converse(
        _ steps: [LoopbackTransport.Step] = [.speech(.seconds(1)), .silence(.seconds(20))],
        filler: String = "One moment.",
        finalLatency: Duration = .milliseconds(20),
        drafts: [String]? = nil,
        tools: (ManualClock) throws -> [any Tool] = { _ in [] },
        utterances: [String] = ["book it", "and then"],
        configure: (inout ConversationConfiguration) -> Void = { _ in },
        script: @escaping @Sendable ([ChatMessage]) -> [Step]
    ) async throws -> Outcome {
        let clock = ManualClock(isSelfDriving: true)
        let engines = Engines(
            voiceActivity: AmplitudeDetector(),
            turnDetector: ScriptedTurnDetector(clock: clock),
            recognizer: ScriptedRecognizer(
                clock: clock,
                finalLatency: finalLatency,
                utterances: utterances,
                drafts: drafts
            ),
            languageModel: PacedModel(clock: clock, script: script),
            synthesizer: ToneSynthesizer(clock: clock)
        )
        let transport = LoopbackTransport(clock: clock, steps: steps)
        var configuration = ConversationConfiguration(systemPrompt: "Be brief.", greeting: "")
        configuration.filler = filler
        configuration.tools = try tools(clock)
        configure(&configuration)
        let conversation = Conversation(
            engines: engines,
            configuration: configuration,
            clock: clock,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        return Outcome(report: try await conversation.run(over: transport), transport: transport)
    }

    @Test func `a quick answer has no filler`() async throws {
        let outcome = try await converse { _ in [(300, .text("It is")), (10, .text(" ten."))] }
        #expect(outcome.said == ["It is ten."])
    }

    @Test func `a failure that is over within 800 ms has none either`() async throws {
        let outcome = try await converse { _ in [(100, .delayed), (600, .text("It is ten."))] }
        #expect(outcome.said == ["It is ten."])
    }

    @Test func `a failure that keeps people waiting is bridged after 800 ms, once`() async throws {
        let outcome = try await converse { _ in
            [(100, .delayed), (2000, .delayed), (2000, .text("It is ten."))]
        }
        #expect(outcome.said == ["One moment. It is ten."])
        // 128 ms of silence and 20 for the transcript, then 800 and 30 for the voice; the answer comes later.
        let silences = outcome.silences(after: .seconds(1))
        #expect(silences.count == 2)
        #expect((.milliseconds(900)...(.milliseconds(1050))).contains(try #require(silences.first)), "\(silences)")
    }

    @Test func `a model that says nothing at all is bridged after a second and a half`() async throws {
        let outcome = try await converse { _ in [(4000, .text("It is ten."))] }
        #expect(outcome.said == ["One moment. It is ten."])
        let first = try #require(outcome.silences(after: .seconds(1)).first)
        #expect((.milliseconds(1600)...(.milliseconds(1750))).contains(first), "\(first)")
    }

    @Test func `without a filler nothing is said, however long it takes`() async throws {
        let outcome = try await converse(filler: "") { _ in [(100, .delayed), (5000, .text("It is ten."))] }
        #expect(outcome.said == ["It is ten."])
    }

    @Test func `in the middle of a reply it is said once all was played`() async throws {
        let outcome = try await converse { _ in
            [(100, .text("It is not now. ")), (50, .delayed), (6000, .text("It is later."))]
        }
        #expect(outcome.said == ["It is not now. One moment. It is later."])
        let silences = outcome.silences(after: .seconds(1))
        // Before the answer, after its first sentence, and after the filler.
        #expect(silences.count == 3)
        #expect(
            (.milliseconds(800)...(.milliseconds(950))).contains(try #require(silences.dropFirst().first)),
            "\(silences)"
        )
    }

    @Test func `in the middle of a reply that goes on in time it is not`() async throws {
        let outcome = try await converse { _ in
            [(100, .text("It is not now. ")), (50, .delayed), (1200, .text("It is later."))]
        }
        #expect(outcome.said == ["It is not now. It is later."])
    }

    @Test func `a draft's wait counts from the end of the turn`() async throws {
        let outcome = try await converse(drafts: ["book it", "book it"]) { _ in [(1500, .text("It is ten."))] }
        // Drafted some 100 ms before the turn is over, its words are there in time.
        #expect(outcome.said == ["It is ten."])
        let late = try await converse(drafts: ["book it", "book it"]) { _ in [(2500, .text("It is ten."))] }
        #expect(late.said == ["One moment. It is ten."])
    }

    @Test func `when everything fails there is an apology behind it`() async throws {
        let outcome = try await converse(configure: { $0.apology = "I am sorry." }) { _ in
            [(100, .delayed), (2000, nil)]
        }
        #expect(outcome.said == ["One moment. I am sorry."])
    }

    @Test func `a tool's filler is enough`() async throws {
        let outcome = try await converse(
            tools: { clock in
                [
                    ClosureTool(
                        try ToolDeclaration(name: "look", description: "Looks."),
                        policy: ToolPolicy(hasEffects: false, filler: "Let me look.")
                    ) { _ in
                        try await clock.sleep(until: clock.now + .seconds(2))
                        return "ten"
                    }
                ]
            }
        ) { messages in
            guard messages.last?.role == .tool else {
                return [(100, .toolCall(ToolCall(id: "1", name: "look", arguments: [:])))]
            }
            return [(50, .delayed), (3000, .text("It is ten."))]
        }
        #expect(outcome.said == ["Let me look. It is ten."])
    }

    @Test func `and a filler is enough for a tool`() async throws {
        let outcome = try await converse(
            tools: { clock in
                [
                    ClosureTool(
                        try ToolDeclaration(name: "look", description: "Looks."),
                        policy: ToolPolicy(hasEffects: false, filler: "Let me look.")
                    ) { _ in
                        try await clock.sleep(until: clock.now + .seconds(2))
                        return "ten"
                    }
                ]
            }
        ) { messages in
            guard messages.last?.role == .tool else {
                return [
                    (100, .delayed), (2000, .toolCall(ToolCall(id: "1", name: "look", arguments: [:]))),
                ]
            }
            return [(50, .text("It is ten."))]
        }
        #expect(outcome.said == ["One moment. It is ten."])
    }

    @Test func `an interruption ends a filler like any words`() async throws {
        let outcome = try await converse(
            [.speech(.seconds(1)), .silence(.milliseconds(1200)), .speech(.seconds(1)), .silence(.seconds(12))],
            filler: "One moment, please, I am looking for it."
        ) { messages in
            messages.last?.content == "and then"
                ? [(100, .text("Then it ends."))] : [(100, .delayed), (9000, .text("It is ten."))]
        }
        #expect(outcome.report.turns.count == 2)
        #expect(outcome.report.turns.first?.interrupted == true)
        #expect(outcome.said.last == "Then it ends.")
    }

    // MARK: - The recogniser

    @Test func `a transcript that is late is bridged, and the answer comes behind it`() async throws {
        let outcome = try await converse(finalLatency: .seconds(3)) { _ in [(100, .text("It is ten."))] }
        #expect(outcome.said == ["One moment. It is ten."])
        #expect(outcome.report.turns.first?.user == "book it")
        let silences = outcome.silences(after: .seconds(1))
        #expect((.milliseconds(1600)...(.milliseconds(1750))).contains(try #require(silences.first)), "\(silences)")
    }

    @Test func `behind it the model may be late without another word`() async throws {
        let outcome = try await converse(finalLatency: .seconds(3)) { _ in
            [(100, .delayed), (4000, .text("It is ten."))]
        }
        #expect(outcome.said == ["One moment. It is ten."])
    }

    @Test func `a transcript that never comes ends it`() async throws {
        let outcome = try await converse(
            [.speech(.seconds(1)), .silence(.seconds(12)), .speech(.seconds(1)), .silence(.seconds(12))],
            finalLatency: .seconds(7)
        ) { _ in [(100, .text("It is ten."))] }
        #expect(outcome.report.turns.isEmpty)
        let dropped = outcome.transport.news.count { if case .turnDropped = $0 { true } else { false } }
        #expect(dropped == 2)
    }

    @Test func `speech while it is said belongs to the same turn`() async throws {
        let outcome = try await converse(
            [.speech(.seconds(1)), .silence(.milliseconds(1800)), .speech(.seconds(1)), .silence(.seconds(12))],
            finalLatency: .seconds(2)
        ) { messages in [(100, .text("You said: \(messages.last?.content ?? "")."))] }
        #expect(outcome.said.last?.hasSuffix("You said: book it and then.") == true, "\(outcome.said)")
    }

    // MARK: - Whatever happens

    @Test(arguments: 0..<60)
    func `nobody waits in silence for long, and nobody is told so twice`(seed: UInt64) async throws {
        var random = SplitMix64(seed: seed)
        var steps: [Step] = []
        for sentence in ["It is ten. ", "Come at nine. ", "Bring a pen. "] {
            let delays = Int.random(in: 0...2, using: &random)
            for _ in 0..<delays { steps.append((Int.random(in: 10...1500, using: &random), .delayed)) }
            steps.append((Int.random(in: 10...3000, using: &random), .text(sentence)))
        }
        let script = steps
        let outcome = try await converse { _ in script }
        let said = try #require(outcome.said.first)
        let fillers = said.components(of: "One moment.")
        #expect(fillers <= 1)
        #expect(said.replacing("One moment. ", with: "").trimmed == "It is ten. Come at nine. Bring a pen.")
        // Until it was said, no silence is longer than a second and a half and the stages around it.
        let silences = outcome.silences(after: .seconds(1))
        if fillers == 0 { #expect(silences.first.map { $0 < .milliseconds(1800) } ?? false, "\(silences)") }
        // Nothing is said about waiting where there was none.
        let first = script.prefix { if case .text? = $0.event { false } else { true } }
        let wait = (first.map(\.after) + [script[first.count].after]).reduce(0, +)
        let fails = script.contains { $0.event == .delayed }
        if !fails, wait < 1500 { #expect(fillers == 0) }
        if first.isEmpty, wait > 1600 { #expect(fillers == 1) }
        if !first.isEmpty, wait > 1700 { #expect(fillers == 1) }
    }
}

extension String {
    /// How often a text is in this one.
    fileprivate func components(of text: String) -> Int { ranges(of: text).count }
}
