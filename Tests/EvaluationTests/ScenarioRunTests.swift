internal import Evaluation
internal import Testing
internal import VoiceCore
internal import VoiceTesting

/// Whole conversations through the real agent, with a model that does everything right but for one thing.
@Suite(.timeLimit(.minutes(5))) struct ScenarioRunTests {
    @Test(arguments: ["festival", "festival-compact", "library"])
    func `an agent that does everything right passes every turn`(name: String) async throws {
        let agent = PerfectAgent(scenario: try PerfectAgent.scenario(name))
        let (records, scores, model) = try await agent.converse()
        #expect(scores.filter { !$0.passes }.map { "\($0.turn): \($0.problems)" } == [])
        #expect(records.count == agent.scenario.turns.count)
        #expect(records.allSatisfy { $0.failure == nil && $0.firstToken == 20 })
        // One conversation: at the end the model sees all that was said before.
        let inputs = model.conversations.last?.filter { $0.role == .user }.map(\.content)
        #expect(inputs == agent.scenario.turns.map(\.input))
        #expect(model.conversations.first?.first?.content == agent.scenario.systemPrompt)
    }

    /// Which of a turn's three scores are right, as letters.
    private func letters(_ score: TurnScore) -> String {
        (score.toolUse ? "T" : "-") + (score.instruction ? "I" : "-") + (score.grounding ? "G" : "-")
    }

    private static let booking = 11
    private static let support = 16

    private static let mistakes: [(name: String, instead: [Int: [[PerfectAgent.Step]]], turn: Int, letters: String)] = [
        (
            "a wrong identifier",
            [
                booking: [
                    [.call("book_seat", ["name": "Clara Jensen", "session_id": "41355"])], [.say("It is booked.")],
                ]
            ],
            booking, "-IG"
        ),
        (
            "a wrong name",
            [
                booking: [
                    [.call("book_seat", ["name": "Carl Jensen", "session_id": "41356"])], [.say("It is booked.")],
                ]
            ],
            booking, "-IG"
        ),
        ("a missing call", [booking: [[.say("It is booked.")]]], booking, "-IG"),
        (
            "a call that nobody wanted",
            [2: [[.call("report_lost_item", ["name": "Clara", "item": "hat"])], [.say("It is 18 euros.")]]], 2, "-IG"
        ),
        (
            "a tool that does not exist, whose call is refused",
            [2: [[.call("sing", [:])], [.say("It is 18 euros.")]]], 2, "TIG"
        ),
        (
            "an early call where the agent has to ask first",
            [
                support - 1: [
                    [.call("request_access_support", ["name": "Clara Jensen", "need": "help at the lift"])],
                    [.say("I have asked the staff for help at the lift. Is that right?")],
                ],
                support: [[.say("The staff will help at the lift.")]],
            ], support - 1, "-IG"
        ),
        ("a wrong time", [18: [[.say("The Pier Kitchen serves until 4:30 PM.")]]], 18, "TI-"),
        ("a right time and a wrong one", [1: [[.say("At 9 AM. Program a Rover is at 3:15 PM.")]]], 1, "TI-"),
        (
            "a wrong day", [13: [[.say("It is on the Roof Terrace at 9:30 PM. Open Telescopes is on Friday.")]]], 13,
            "TI-"
        ),
        ("a wrong speaker", [6: [[.say("It is by Erik Solheim. Robots in the Garden is by Mei Tanaka.")]]], 6, "TI-"),
        ("a wrong room", [26: [[.say("Teaching Robots to Ask is in the Glass Dome.")]]], 26, "TI-"),
        ("a missing fact", [2: [[.say("A day ticket is not expensive.")]]], 2, "TI-"),
        (
            "something that must not be said", [19: [[.say("I can only help with the festival, but it is sunny.")]]],
            19, "TI-"
        ),
        ("markup", [2: [[.say("A day ticket is **18 euros**.")]]], 2, "T-G"),
        ("a list", [25: [[.say("- Can Machines Be Curious\n- Teaching Robots to Ask")]]], 25, "T-G"),
        ("no refusal", [19: [[.say("The weather will be nice, take a hat.")]]], 19, "T-G"),
        ("no question", [3: [[.say("I recommend the Night of the Bats on Friday.")]]], 3, "T-G"),
        (
            "a question for what is known",
            [
                12: [
                    [.call("book_seat", ["name": "Clara Jensen", "session_id": "41399"])],
                    [.say("It is booked. What was your name again?")],
                ]
            ], 12, "T-G"
        ),
        (
            "one recommendation instead of two",
            [5: [[.say("Go to Robots That Fall Well at 1:15 PM on the Foundry Stage.")]]], 5, "T-G"
        ),
        (
            "three recommendations instead of two",
            [5: [[.say("Robots That Fall Well, Robots in the Garden, and Program a Rover.")]]], 5, "T-G"
        ),
        ("a speech", [2: [[.say("It is 18 euros. " + String(repeating: "Really. ", count: 100))]]], 2, "T-G"),
        ("silence", [2: [[]]], 2, "---"),
        ("an engine that fails", [2: [[.fail]]], 2, "---"),
        ("an answer that takes too long", [2: [[.hang]]], 2, "---"),
    ]

    @Test(arguments: mistakes.indices)
    func `every mistake is noticed, and fails its turn only`(index: Int) async throws {
        let mistake = Self.mistakes[index]
        var agent = PerfectAgent(scenario: try PerfectAgent.scenario("festival-compact"))
        agent.instead = mistake.instead
        let (_, scores, _) = try await agent.converse()
        let score = scores[mistake.turn]
        #expect(letters(score) == mistake.letters, "\(mistake.name): \(score.problems)")
        let others = scores.filter { $0.turn != mistake.turn && !$0.passes }
        #expect(others.map { "\($0.turn): \($0.problems)" } == [], "\(mistake.name)")
    }

    @Test func `a call that was made twice is answered, and counts once`() async throws {
        var agent = PerfectAgent(scenario: try PerfectAgent.scenario("festival-compact"))
        let call = PerfectAgent.Step.call("book_seat", ["session_id": "41356", "name": "Clara Jensen"])
        agent.instead[13] = [[call], [.say("Open Telescopes is on the Roof Terrace at 9:30 PM.")]]
        let (records, scores, _) = try await agent.converse()
        #expect(scores[13].passes, "\(scores[13].problems)")
        let record = try #require(records.first { $0.turn == 13 })
        #expect(record.calls.map(\.isRepetition) == [true])
        #expect(record.results.count == 1)
    }

    @Test func `an early call counts for the turn it was due in`() async throws {
        var agent = PerfectAgent(scenario: try PerfectAgent.scenario("festival-compact"))
        agent.instead[8] = [
            [.call("find_free_seats", ["session_id": "41356"])], [.say("It is session 41356, with three seats left.")],
        ]
        agent.instead[9] = [[.say("Yes, as I said.")]]
        let (records, scores, _) = try await agent.converse()
        #expect(scores.filter { !$0.passes }.map(\.problems) == [])
        #expect(records[8].results.map(\.text) == [#"{"free_seats":3,"session_id":"41356"}"#])
        #expect(records.allSatisfy { !$0.isRecovery })
    }

    @Test func `a late call fails the turn it was due in, and no other`() async throws {
        var agent = PerfectAgent(scenario: try PerfectAgent.scenario("festival-compact"))
        agent.instead[9] = [[.say("Yes, there are three seats left.")]]
        agent.instead[10] = [[.call("find_free_seats", ["session_id": "41356"])], [.say("Gladly. What is your name?")]]
        let (records, scores, _) = try await agent.converse()
        #expect(scores.filter { !$0.passes }.map(\.turn) == [9])
        #expect(scores[9].problems == ["find_free_seats was called too late"])
        #expect(records.filter(\.isRecovery).map(\.turn) == [9])
    }

    @Test func `a missed call is asked for once, which is written down and not scored`() async throws {
        var agent = PerfectAgent(scenario: try PerfectAgent.scenario("festival-compact"))
        agent.instead[11] = [[.say("I will have booked that for you.")]]
        agent.insisted = [
            [.call("book_seat", ["session_id": "41356", "name": "Clara Jensen"])], [.say("Done.")],
        ]
        let (records, scores, _) = try await agent.converse()
        let recoveries = records.filter(\.isRecovery)
        #expect(recoveries.map(\.input) == ["Please go ahead."])
        #expect(recoveries.first?.calls.count == 1)
        #expect(scores.filter { !$0.passes }.map(\.turn) == [11])
        let line = TranscriptLine(try #require(recoveries.first), model: "scripted").text
        let json = try #require(JSONValue(json: line))
        #expect(json["recovery_turn"] == true)
        #expect(json["recovery_for_turn"] == 11)
        let summary = ScenarioSummary(turns: agent.scenario.turns.count, runs: [(records, scores)])
        #expect([summary.pass.passed, summary.pass.of] == [29, 30])
        #expect(summary.recoveries == 1)
    }

    @Test func `after a time-out the conversation goes on`() async throws {
        var agent = PerfectAgent(scenario: try PerfectAgent.scenario("library"))
        agent.instead[0] = [[.hang]]
        let (records, scores, _) = try await agent.converse()
        #expect(records.count == 8)
        #expect(scores.map(\.passes) == [false] + Array(repeating: true, count: 7))
        #expect(records.first?.failure == .timedOut)
        #expect(records.first.map { (60_000...65_000).contains($0.latency) } == true)
    }

    @Test func `turns that are never reached count as failed`() throws {
        let scenario = try PerfectAgent.scenario("library")
        let scores = Scorer(scenario).scores(of: [])
        #expect(scores.count == 8)
        #expect(scores.allSatisfy { !$0.toolUse && !$0.instruction && !$0.grounding })
        let summary = ScenarioSummary(turns: 8, runs: [([], scores), ([], scores)])
        #expect([summary.pass.passed, summary.pass.of] == [0, 16])
        #expect(summary.failed == 16)
    }

    @Test func `a transcript has the fields of the public benchmark`() async throws {
        let agent = PerfectAgent(scenario: try PerfectAgent.scenario("library"))
        let (records, _, _) = try await agent.converse()
        let json = try #require(JSONValue(json: TranscriptLine(records[5], model: "scripted").text))
        let fields = [
            "ts", "turn", "model_name", "user_text", "assistant_text", "tool_calls", "tool_results", "tokens",
            "ttfb_ms",
            "raw_ttfb_ms", "latency_ms", "reconnection_count",
        ]
        #expect(Set(fields).isSubset(of: Set(json.members?.keys ?? [])))
        #expect(json["turn"] == 5)
        #expect(json["tool_calls"]?.elements?.first?["name"] == "reserve_room")
        #expect(json["tool_calls"]?.elements?.first?["args"] == ["name": "Paul and Winter", "room": "35"])
        #expect(json["tool_results"]?.elements?.first?["response"] == ["status": "success"])
        #expect(json["tokens"]?["total_tokens"]?.whole != nil)
    }
}
