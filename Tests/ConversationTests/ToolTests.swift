internal import Conversation
internal import Logging
internal import Synchronization
internal import Testing
internal import VoiceCore
internal import VoiceTesting

/// Conversations whose agent does things, with scripted engines and tools, in simulated time.
@Suite(.timeLimit(.minutes(5))) struct ToolTests {
    /// What a tool was called with, and when.
    private final class Calls: Sendable {
        private let made = Mutex<[(arguments: JSONObject, at: Duration)]>([])
        var all: [JSONObject] { made.withLock { $0.map(\.arguments) } }
        var times: [Duration] { made.withLock { $0.map(\.at) } }
        func add(_ arguments: JSONObject, _ at: Duration) { made.withLock { $0.append((arguments, at)) } }
    }

    private struct Outcome {
        var report: ConversationReport
        var transport: LoopbackTransport
        var model: ScriptedLanguageModel

        /// What the agent said in the end, turn by turn.
        var said: [String] { report.turns.map { String($0.agent.trimmingPrefix(" ")) } }
    }

    private static let quick = ToolPolicy(hasEffects: false)

    private func converse(
        _ steps: [LoopbackTransport.Step] = [.speech(.seconds(1)), .silence(.seconds(15))],
        verdicts: [Float] = [],
        drafts: [String]? = nil,
        tools: (ManualClock, Calls) throws -> [any Tool],
        calls: Calls = Calls(),
        script: @escaping ScriptedLanguageModel.EventScript
    ) async throws -> Outcome {
        let clock = ManualClock(isSelfDriving: true)
        let model = ScriptedLanguageModel(clock: clock, events: script)
        let engines = Engines(
            voiceActivity: AmplitudeDetector(),
            turnDetector: ScriptedTurnDetector(clock: clock, verdicts: verdicts),
            recognizer: ScriptedRecognizer(
                clock: clock,
                utterances: ["book it", "and then", "what else"],
                drafts: drafts
            ),
            languageModel: model,
            synthesizer: ToneSynthesizer(clock: clock)
        )
        let transport = LoopbackTransport(clock: clock, steps: steps)
        var configuration = ConversationConfiguration(systemPrompt: "Be brief.", greeting: "")
        configuration.tools = try tools(clock, calls)
        let conversation = Conversation(
            engines: engines,
            configuration: configuration,
            clock: clock,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        return Outcome(report: try await conversation.run(over: transport), transport: transport, model: model)
    }

    /// A tool that takes its time and answers "done".
    private func tool(
        _ name: String,
        _ clock: ManualClock,
        _ calls: Calls,
        policy: ToolPolicy = ToolPolicy(),
        takes time: Duration = .zero
    ) throws -> ClosureTool {
        let declaration = try ToolDeclaration(
            name: name,
            description: "Books.",
            parameters: [
                "type": "object", "properties": ["day": ["type": "string"]], "required": .array(["day"]),
            ]
        )
        return ClosureTool(declaration, policy: policy) { arguments in
            calls.add(arguments, clock.now)
            if time > .zero { try await clock.sleep(until: clock.now + time) }
            return "done"
        }
    }

    private static func call(_ id: String, _ name: String = "book", day: JSONValue = "Monday") -> ReplyEvent {
        .toolCall(ToolCall(id: id, name: name, arguments: ["day": day]))
    }

    /// Calls once in each turn, then speaks.
    private static func once(_ events: [ReplyEvent], then text: String) -> ScriptedLanguageModel.EventScript {
        { messages, _ in
            guard messages.last?.role != .tool else { return text.split(separator: " ").map { .text(" \($0)") } }
            return events
        }
    }

    @Test func `a call is made once, its result is read, and the answer is spoken`() async throws {
        let calls = Calls()
        let outcome = try await converse(
            tools: { [try tool("book", $0, $1)] },
            calls: calls,
            script: Self.once([.text("One moment."), Self.call("c1")], then: "It is booked.")
        )
        #expect(calls.all == [["day": "Monday"]])
        #expect(outcome.said == ["One moment. It is booked."])
        #expect(outcome.report.turns.first?.llm?.generatedTokens == 5)
        let asked = try #require(outcome.model.conversations.last)
        #expect(asked.map(\.role) == [.system, .user, .assistant, .tool])
        #expect(asked[2].content == "One moment." && asked[2].toolCalls.map(\.id) == ["c1"])
        #expect(asked[3].content == "done" && asked[3].toolCallID == "c1")
        let stages = outcome.transport.news.compactMap { if case .reply(_, let stage) = $0 { stage } else { nil } }
        #expect(stages.contains { if case .toolBegan(let call) = $0 { call.id == "c1" } else { false } })
        #expect(
            stages.contains {
                if case .toolEnded(_, let outcome) = $0 { outcome == ToolOutcome("done") } else { false }
            }
        )
    }

    @Test func `the next turn knows of it`() async throws {
        let outcome = try await converse(
            [.speech(.seconds(1)), .silence(.seconds(12)), .speech(.seconds(1)), .silence(.seconds(10))],
            tools: { [try tool("book", $0, $1)] },
            script: { messages, _ in
                let isNext = messages.contains { $0.content == "and then" }
                if isNext { return [.text("Bye.")] }
                return Self.once([Self.call("c1")], then: "It is booked.")(messages, ChatOptions())
            }
        )
        let asked = try #require(outcome.model.conversations.last)
        #expect(asked.map(\.role) == [.system, .user, .assistant, .tool, .assistant, .user])
        #expect(asked[4].content == "It is booked.")
    }

    @Test func `calls that are made together run together`() async throws {
        let calls = Calls()
        let outcome = try await converse(
            tools: { [try tool("book", $0, $1, takes: .seconds(2)), try tool("look", $0, $1, takes: .seconds(2))] },
            calls: calls,
            script: Self.once([Self.call("a"), Self.call("b", "look", day: "Sunday")], then: "Both done.")
        )
        #expect(outcome.said == ["Both done."])
        #expect(calls.times.count == 2 && calls.times[0] == calls.times[1])
        let asked = try #require(outcome.model.conversations.last)
        #expect(asked.map(\.role) == [.system, .user, .assistant, .tool, .tool])
    }

    @Test func `what is wrong with a call is told to the model, which corrects it`() async throws {
        let calls = Calls()
        let outcome = try await converse(
            tools: { [try tool("book", $0, $1)] },
            calls: calls,
            script: { messages, _ in
                switch messages.count(where: { $0.role == .tool }) {
                case 0: [Self.call("c1", day: 7)]
                case 1: [Self.call("c2", "bok")]
                case 2: [.malformedCall(MalformedToolCall(name: "book", text: "{", problem: "It does not end."))]
                case 3: [Self.call("c3")]
                default: [.text("Fine.")]
                }
            }
        )
        #expect(calls.all == [["day": "Monday"]])
        #expect(outcome.said == ["Fine."])
        let results = try #require(outcome.model.conversations.last).filter { $0.role == .tool }.map(\.content)
        #expect(results.count == 4)
        #expect(results[0].hasPrefix("The arguments are wrong."))
        #expect(results[1].contains("no tool 'bok'") && results[1].contains("book"))
        #expect(results[2].contains("It does not end."))
        #expect(results[3] == "done")
    }

    @Test func `a model that calls without end has to answer, and keeps its tools in the prompt`() async throws {
        let calls = Calls()
        let outcome = try await converse(
            tools: { [try tool("book", $0, $1)] },
            calls: calls,
            script: { messages, options in
                #expect(options.tools.count == 1)
                let isTold = messages.last?.content.contains("often enough") == true
                return isTold ? [.text("Enough.")] : [Self.call("c\(messages.count)")]
            }
        )
        #expect(outcome.said == ["Enough."])
        #expect(calls.all.count == 5)
    }

    @Test func `one that does not listen even then is listened to no more`() async throws {
        let calls = Calls()
        let outcome = try await converse(
            tools: { [try tool("book", $0, $1)] },
            calls: calls,
            script: { messages, _ in [.text("Wait."), Self.call("c\(messages.count)")] }
        )
        #expect(calls.all.count == 5)
        #expect(outcome.model.conversations.count >= 7)
        #expect(outcome.said.joined().contains("Wait."))
    }

    @Test func `a tool that is slow is bridged with a sentence`() async throws {
        let policy = ToolPolicy(filler: "Let me look.")
        let outcome = try await converse(
            tools: { [try tool("book", $0, $1, policy: policy, takes: .seconds(3))] },
            script: Self.once([Self.call("c1")], then: "It is booked.")
        )
        #expect(outcome.said == ["Let me look. It is booked."])
        // A quick one is not.
        let quick = try await converse(
            tools: { [try tool("book", $0, $1, policy: policy)] },
            script: Self.once([Self.call("c1")], then: "It is booked.")
        )
        #expect(quick.said == ["It is booked."])
    }

    @Test func `a tool that takes too long has failed`() async throws {
        let policy = ToolPolicy(timeout: .seconds(2))
        let outcome = try await converse(
            tools: { [try tool("book", $0, $1, policy: policy, takes: .seconds(60))] },
            script: Self.once([Self.call("c1")], then: "It failed.")
        )
        #expect(outcome.said == ["It failed."])
        let result = try #require(outcome.model.conversations.last?.last)
        #expect(result.content.contains("longer than 2 seconds"))
    }

    /// The person speaks while a call of 5 s runs; nothing was heard of the answer yet.
    private func interrupted(_ interruption: ToolPolicy.Interruption, _ calls: Calls) async throws -> [ChatMessage] {
        let policy = ToolPolicy(timeout: .seconds(30), interruption: interruption)
        let outcome = try await converse(
            [
                .speech(.seconds(1)), .silence(.seconds(2)), .speech(.seconds(1)), .silence(.seconds(10)),
                .speech(.seconds(1)), .silence(.seconds(10)),
            ],
            tools: { [try tool("book", $0, $1, policy: policy, takes: .seconds(5))] },
            calls: calls,
            script: { messages, _ in
                messages.contains { $0.role == .tool } ? [.text("Well.")] : [Self.call("c1")]
            }
        )
        return try #require(outcome.model.conversations.last)
    }

    @Test func `an interruption cancels a call, and the model learns that it was made`() async throws {
        let calls = Calls()
        let asked = try await interrupted(.cancel, calls)
        #expect(calls.all.count == 1)
        #expect(asked.first { $0.role == .tool }?.content.contains("cancelled") == true)
    }

    @Test func `or keeps it, and the result is there later`() async throws {
        let calls = Calls()
        let asked = try await interrupted(.keep, calls)
        #expect(calls.all.count == 1)
        #expect(asked.first { $0.role == .tool }?.content == "done")
    }

    @Test func `a tool without effects may work for a draft, one with effects waits for the end of the turn`()
        async throws
    {
        func calledAt(_ policy: ToolPolicy) async throws -> [Duration] {
            let calls = Calls()
            _ = try await converse(
                [.speech(.seconds(1)), .silence(.seconds(12))],
                verdicts: [0.5],
                drafts: ["book it"],
                tools: { [try tool("book", $0, $1, policy: policy)] },
                calls: calls,
                script: Self.once([Self.call("c1")], then: "Yes.")
            )
            return calls.times
        }
        let (free, bound) = (try await calledAt(Self.quick), try await calledAt(ToolPolicy()))
        #expect(free.count == 1 && bound.count == 1)
        #expect(free[0] < bound[0])
    }

    @Test func `however calls and interruptions fall, each call is made once and the conversation is well formed`()
        async throws
    {
        for seed in 0..<40 as Range<UInt64> {
            var dice = SplitMix64(seed: seed)
            func pick(_ range: ClosedRange<Int>) -> Int { range.lowerBound + Int(dice.next() % UInt64(range.count)) }
            let steps: [LoopbackTransport.Step] = (0..<5).flatMap { _ in
                [.speech(.milliseconds(pick(300...1500))), .silence(.milliseconds(pick(200...5000)))]
            }
            let policies = (0..<2).map { _ in
                ToolPolicy(
                    hasEffects: pick(0...1) == 0,
                    timeout: .milliseconds(pick(500...4000)),
                    interruption: pick(0...1) == 0 ? .cancel : .keep,
                    filler: pick(0...1) == 0 ? "One moment." : nil
                )
            }
            let (times, salt) = ((0..<2).map { _ in Duration.milliseconds(pick(0...5000)) }, pick(0...1000))
            let calls = Calls()
            let number = Mutex(0)
            let outcome = try await converse(
                steps + [.silence(.seconds(20))],
                tools: {
                    [
                        try tool("book", $0, $1, policy: policies[0], takes: times[0]),
                        try tool("look", $0, $1, policy: policies[1], takes: times[1]),
                    ]
                },
                calls: calls,
                script: { messages, _ in
                    let first = number.withLock { count in
                        count += 3
                        return count
                    }
                    // Every call has a day of its own.
                    func call(_ offset: Int, _ name: String) -> ReplyEvent {
                        Self.call("c\(first + offset)", name, day: .string("\(first + offset)"))
                    }
                    switch (messages.count + salt) % 4 {
                    case 0: return [.text("Hm."), call(0, "book")]
                    case 1: return [call(0, "look"), call(1, "book")]
                    default: return [.text(" All is said."), .text(" Good bye.")]
                    }
                }
            )
            let days = calls.all.compactMap { $0["day"]?.text }
            #expect(Set(days).count == days.count, "seed \(seed): a call was made twice")
            for messages in outcome.model.conversations { check(messages, seed) }
        }
    }

    /// Results follow the calls that they are of, one each, and nothing else stands between.
    private func check(_ messages: [ChatMessage], _ seed: UInt64) {
        var open: [String] = []
        for message in messages {
            if message.role == .tool {
                #expect(open.first == message.toolCallID, "seed \(seed)")
                open = Array(open.dropFirst())
            } else {
                #expect(open.isEmpty, "seed \(seed)")
                open = message.toolCalls.map(\.id)
            }
        }
        #expect(open.isEmpty, "seed \(seed)")
    }
}
