internal import Testing
internal import VoiceCore

@testable internal import Evaluation

/// How a scenario is played: when the person acts, what meets an expectation, and what does not.
struct ScriptMachineTests {
    private static let speaking = "judge: {modality: audio, transcription: {service: own}}"

    // MARK: - Events

    @Test(
        arguments: [
            ("user_started_speaking", "user-started-speaking", [:]),
            ("user_stopped_speaking", "user-stopped-speaking", [:]),
            ("vad_user_started_speaking", "vad-user-started-speaking", [:]),
            ("vad_user_stopped_speaking", "vad-user-stopped-speaking", [:]),
            ("user_transcription", "user-input", ["input_type": "transcription", "final": true, "text": "hello"]),
            ("user_backchannel", "user-input", ["input_type": "backchannel", "text": "mhm"]),
            ("bot_started_speaking", "bot-started-speaking", [:]),
            ("bot_stopped_speaking", "bot-stopped-speaking", [:]),
            ("bot_interrupted", "bot-interrupted", [:]),
            ("llm_started", "bot-llm-started", [:]),
            ("tts_response", "bot-tts-text", ["text": "hello"]),
            ("function_call", "llm-function-call-in-progress", ["function_name": "f", "arguments": [:]]),
            ("function_call_stopped", "llm-function-call-stopped", ["function_name": "f", "cancelled": true]),
        ] as [(String, String, JSONValue)]
    )
    func `a message is its event, and in time or not`(event: String, message: String, data: JSONValue) throws {
        let yaml = "{name: a, \(Self.speaking), turns: [{user: hi, expect: [{event: \(event), within_ms: 500}]}]}"
        var played = try PlayedScript(yaml)
        played.wait(300)
        #expect(!played.isOver)
        played.tell(message, data)
        #expect(played.isOver)
        #expect(played.result.status == .passed)
        #expect(played.result.turns[0].checks[0].milliseconds == 300)

        var late = try PlayedScript(yaml)
        late.wait(510)
        late.tell(message, data)
        #expect(late.result.status == .failed)
        #expect(late.kinds == [event.hasPrefix("function") ? .missingFunctionCall : .timeout])
        #expect(late.machine.failures[0].reason.contains("no \(event)"))
    }

    @Test func `an interim transcript is none`() throws {
        var played = try PlayedScript(
            "{name: a, turns: [{user: hi, expect: [{event: user_transcription, within_ms: 50}]}]}"
        )
        played.tell("user-input", ["input_type": "transcription", "final": false, "text": "hel"])
        #expect(!played.isOver)
        played.wait(60)
        #expect(played.kinds == [.timeout])
    }

    @Test func `a failure says what came instead`() throws {
        var played = try PlayedScript("{name: a, turns: [{user: hi, expect: [{event: response, within_ms: 100}]}]}")
        played.wait(40)
        played.tell("bot-llm-started")
        played.wait(100)
        #expect(
            played.machine.failures[0].reason == "no llm_response came within 100 ms; there came llm_started at 40 ms"
        )
    }

    @Test func `expectations of a turn share one time`() throws {
        var played = try PlayedScript(
            """
            name: a
            turns:
              - user: hi
                expect: [{event: llm_started, within_ms: 1000}, {event: response, within_ms: 1000}]
            """
        )
        played.wait(900)
        played.tell("bot-llm-started")
        played.wait(200)
        played.tell("bot-llm-stopped")
        #expect(played.kinds == [.timeout])
        #expect(played.result.turns[0].checks.map(\.isMet) == [true, false])
    }

    @Test func `an agent that is never ready fails its first turn`() throws {
        let file = try ScriptFile.parse("{name: a, turns: [{user: hi}]}", file: "test.yaml")
        guard case .script(let scenario) = file.entries[0] else { return #expect(Bool(false)) }
        var machine = ScriptMachine(scenario, at: .zero)
        #expect(machine.tick(at: .seconds(29)).isEmpty)
        #expect(machine.tick(at: .seconds(30)) == [.finish])
        #expect(machine.failures.map(\.kind) == [.handshakeTimeout])
        #expect(machine.result(run: 1, at: .seconds(30)).turns[0].hasPassed == nil)
    }

    // MARK: - Texts

    @Test func `a reply is looked at as it grows`() throws {
        var played = try PlayedScript(
            "{name: a, turns: [{user: hi, expect: [{event: response, text_contains: \"the  capital\"}]}]}"
        )
        played.answer("Let me see. Paris is the")
        #expect(!played.isOver)
        played.answer("capital of France.")
        #expect(played.result.status == .passed)
        #expect(played.result.turns[0].checks[0].match == "Let me see. Paris is the capital of France.")
    }

    @Test func `a reply that never has the words fails with what it said`() throws {
        var played = try PlayedScript(
            "{name: a, turns: [{user: hi, expect: [{event: response, text_contains: Rome, within_ms: 200}]}]}"
        )
        played.answer("Paris.")
        played.wait(210)
        #expect(played.kinds == [.textMismatch])
        #expect(played.machine.failures[0].reason.contains("'Paris.' does not contain 'Rome'"))
    }

    @Test func `words that must not come fail at once`() throws {
        var played = try PlayedScript(
            "{name: a, turns: [{user: hi, expect: [{event: response, text_excludes: \"*\"}]}]}"
        )
        played.answer("* One thing.")
        #expect(played.kinds == [.textPresent])
    }

    // MARK: - Turns

    @Test func `the person waits until the agent has finished speaking`() throws {
        var played = try PlayedScript(
            """
            name: a
            \(Self.speaking)
            turns:
              - expect: [{event: bot_started_speaking}]
              - user: hello
                expect: [{event: response}]
            """
        )
        played.tell("bot-started-speaking")
        played.wait(500)
        #expect(played.acts.isEmpty)
        played.tell("bot-stopped-speaking")
        #expect(played.acts == ["hello"])
        played.wait(100)
        played.tell("bot-llm-started")
        played.say("Yes?")
        #expect(played.result.status == .passed)
        #expect(played.result.turns[1].checks[0].milliseconds == 100)
    }

    @Test func `a barge-in comes so long after its event, and the old reply is not its answer`() throws {
        var played = try PlayedScript(
            """
            name: a
            turns:
              - user: tell me a story
                expect: [{event: llm_started}]
              - user: stop
                send_after: {event: llm_started, delay_ms: 250}
                expect: [{event: bot_interrupted, within_ms: 300}, {event: response, text_contains: fine}]
            """
        )
        played.wait(100)
        played.tell("bot-llm-started")
        played.tell("bot-llm-text", ["text": "It is fine weather"])
        played.wait(240)
        #expect(played.acts == ["tell me a story"])
        played.wait(10)
        #expect(played.acts == ["tell me a story", "stop"])
        // The rest of what was being said.
        played.tell("bot-llm-text", ["text": ", fine"])
        played.tell("bot-interrupted")
        played.tell("bot-llm-stopped")
        #expect(!played.isOver)
        played.answer("Oh, fine.")
        #expect(played.result.status == .passed)
        #expect(played.result.turns[1].checks[1].match == "Oh, fine.")
    }

    @Test func `a barge-in whose event never comes fails`() throws {
        var limits = ScriptMachine.Limits()
        limits.sendAfter = .seconds(1)
        var played = try PlayedScript(
            "{name: a, turns: [{user: stop, send_after: {event: bot_started_speaking}}]}",
            limits: limits
        )
        played.wait(1000)
        #expect(played.kinds == [.sendAfterTimeout])
        #expect(played.acts.isEmpty)
    }

    @Test func `a delay without an event counts from the turn before`() throws {
        var played = try PlayedScript("{name: a, turns: [{dtmf: \"1\"}, {dtmf: \"2\", send_after: {delay_ms: 500}}]}")
        #expect(played.acts == ["1"])
        played.wait(490)
        #expect(played.acts == ["1"])
        played.wait(10)
        #expect(played.acts == ["1", "2"])
        #expect(played.result.status == .passed)
    }

    @Test func `a failed turn ends the scenario, or not`() throws {
        let turns =
            "turns: [{user: a, expect: [{event: response, within_ms: 100}]}, {user: b, expect: [{event: response}]}]"
        var played = try PlayedScript("{name: a, \(turns)}")
        played.wait(110)
        #expect(played.isOver)
        #expect(played.result.turns.map(\.hasPassed) == [false, nil])

        var patient = try PlayedScript("{name: a, stop_on_failure: false, \(turns)}")
        patient.wait(110)
        patient.answer("Yes?")
        #expect(patient.result.turns.map(\.hasPassed) == [false, true])
        #expect(patient.result.status == .failed)
    }

    @Test func `an agent that hangs up fails what is expected and meets what must not come`() throws {
        var played = try PlayedScript("{name: a, turns: [{user: a, expect: [{event: response}]}]}")
        played.hangUp()
        #expect(played.kinds == [.botEnded])
        var absent = try PlayedScript("{name: a, turns: [{user: a, expect: [{event: response, absent: true}]}]}")
        absent.hangUp()
        #expect(absent.result.status == .passed)
    }

    // MARK: - Absence

    @Test func `what must not come fails at once, or passes when its time is over`() throws {
        let yaml =
            "{name: a, turns: [{user: a, expect: [{event: bot_started_speaking, absent: true, within_ms: 500}]}]}"
        var quiet = try PlayedScript(yaml)
        quiet.wait(500)
        #expect(!quiet.isOver)
        quiet.wait(10)
        #expect(quiet.result.status == .passed)
        var loud = try PlayedScript(yaml)
        loud.wait(100)
        loud.tell("bot-started-speaking")
        #expect(loud.kinds == [.unexpectedEvent])
    }

    @Test func `the rest of a reply is no second one`() throws {
        var played = try PlayedScript(
            """
            name: a
            \(Self.speaking)
            turns:
              - user: a
                expect: [{event: response}, {event: response, absent: true, within_ms: 1000}]
            """
        )
        played.tell("bot-llm-started")
        played.tell("bot-started-speaking")
        played.hears("One.")
        played.wait(50)
        played.hears("And two.")
        #expect(!played.isOver)
        played.wait(50)
        played.tell("bot-llm-started")
        played.say("Again.")
        #expect(played.kinds == [.unexpectedEvent])
    }

    // MARK: - Calls

    @Test func `calls come in any order, with more arguments than were asked for`() throws {
        var played = try PlayedScript(
            """
            name: a
            turns:
              - user: a
                expect:
                  - event: function_call
                    calls: [weather, {name: book, args: {people: 2}}]
                  - event: function_call_stopped
                    calls: [{name: book, args: {cancelled: true}}]
            """
        )
        played.call("book", ["people": 2, "time": "six"])
        #expect(!played.isOver)
        played.call("weather", ["city": "Rome"])
        #expect(!played.isOver)
        played.tell("llm-function-call-stopped", ["function_name": "book", "cancelled": true, "tool_call_id": "1"])
        #expect(played.result.status == .passed)
        #expect(played.result.turns[0].checks[0].match == #"weather(city="Rome"), book(people=2, time="six")"#)
    }

    @Test func `a call with other arguments is told apart from none`() throws {
        let yaml =
            "{name: a, turns: [{user: a, expect: [{event: function_call, name: book, args: {people: 2}, within_ms: 100}]}]}"
        var other = try PlayedScript(yaml)
        other.call("book", ["people": 3])
        other.wait(110)
        #expect(other.kinds == [.functionArgsMismatch])
        #expect(other.machine.failures[0].reason.contains("book(people=3)"))
        var none = try PlayedScript(yaml)
        none.call("cancel")
        none.wait(110)
        #expect(none.kinds == [.missingFunctionCall])
    }

    @Test func `an expectation may look back to the beginning of its turn`() throws {
        let expect = "[{event: function_call, name: delegate}, {event: response, within_ms: 200"
        var back = try PlayedScript("{name: a, turns: [{user: a, expect: \(expect), check_from: turn_start}]}]}")
        back.answer("A joke.")
        back.call("delegate")
        #expect(back.result.status == .passed)
        var on = try PlayedScript("{name: a, turns: [{user: a, expect: \(expect)}]}]}")
        on.answer("A joke.")
        on.call("delegate")
        on.wait(210)
        #expect(on.kinds == [.timeout])
    }

    // MARK: - The judge

    private static let judged =
        "{name: a, turns: [{user: 2 + 2?, expect: [{event: response, eval: says four, within_ms: 5000}]}]}"

    @Test func `yes meets a criterion, and the judge knows what was said`() throws {
        var played = try PlayedScript(Self.judged)
        played.answer("Four.")
        #expect(!played.isOver)
        let question = try #require(played.questions.first)
        #expect(question.subject == .reply("Four."))
        #expect(question.criterion == "says four")
        #expect(question.conversation == [ChatMessage(.user, "2 + 2?")])
        played.decide(.yes)
        #expect(played.result.status == .passed)
    }

    @Test func `continue waits for more, and asks about all of it`() throws {
        var played = try PlayedScript(Self.judged)
        played.answer("Let me think.")
        played.decide(.goOn)
        #expect(!played.isOver)
        played.answer("It is four.")
        #expect(played.questions.last?.subject == .reply("Let me think. It is four."))
        played.decide(.yes)
        #expect(played.result.status == .passed)
    }

    @Test func `continue until the time is over fails`() throws {
        var played = try PlayedScript(Self.judged)
        played.answer("Let me think.")
        played.decide(.goOn)
        played.wait(5010)
        #expect(played.kinds == [.judgeContinue])
    }

    @Test func `no waits two seconds for the rest of the reply`() throws {
        var played = try PlayedScript(Self.judged)
        played.answer("Five.")
        played.decide(.no, "it says five")
        played.wait(1900)
        #expect(!played.isOver)
        played.wait(200)
        #expect(played.kinds == [.judgeNo])
        #expect(played.machine.failures[0].reason.contains("it says five"))

        var corrected = try PlayedScript(Self.judged)
        corrected.answer("Five.")
        corrected.decide(.no)
        corrected.wait(1000)
        corrected.answer("No, four.")
        corrected.decide(.yes)
        #expect(corrected.result.status == .passed)
    }

    @Test func `a call is judged by its arguments`() throws {
        var played = try PlayedScript(
            "{name: a, turns: [{user: book, expect: [{event: function_call, name: book, eval: for two}]}]}"
        )
        played.call("book", ["people": 2])
        #expect(played.questions.map(\.subject) == [.call(name: "book", arguments: ["people": 2])])
        played.decide(.no)
        #expect(played.kinds == [.judgeNo])
    }

    @Test func `a judge that cannot decide is a failure`() throws {
        var played = try PlayedScript(Self.judged)
        played.answer("Four.")
        #expect(played.breakDown() == [.finish])
        #expect(played.kinds == [.judgeNoVerdict])
    }
}
