internal import Testing
internal import VoiceCore

@testable internal import Evaluation

/// What scenario files mean, and what is said of those that mean nothing.
struct ScriptGrammarTests {
    private func scripts(_ yaml: String) throws -> [ScriptScenario] {
        try ScriptFile.parse(yaml, file: "test.yaml").entries.compactMap {
            if case .script(let scenario) = $0 { scenario } else { nil }
        }
    }

    private func problem(_ yaml: String) throws -> String {
        try #require(throws: VoiceError.self) { try ScriptFile.parse(yaml, file: "test.yaml") }.message
    }

    @Test func `a scenario's own keys replace those of the file`() throws {
        let scenarios = try scripts(
            """
            name: file
            stop_on_failure: false
            context: [{role: system, content: "one"}]
            scenarios:
              - name: first
                turns: [{user: "hello", expect: [{event: response}]}]
              - name: second
                context: [{role: system, content: "two"}]
                stop_on_failure: true
                turns: [{user: "hello"}]
            """
        )
        #expect(scenarios.map(\.name) == ["file/first", "file/second"])
        #expect(scenarios.map { $0.context[0]["content"] } == ["one", "two"])
        #expect(scenarios.map(\.stopsOnFailure) == [false, true])
        // Who only writes says with its model's text what it says.
        #expect(scenarios[0].turns[0].expect[0].event == .llmResponse)
    }

    @Test func `keys of a telephone keep their zeros`() throws {
        let turns = try scripts("{name: a, turns: [{dtmf: 012}, {dtmf: 123}, {dtmf: \"1#\"}]}")[0].turns
        #expect(turns.map(\.keys) == ["012", "123", "1#"])
    }

    @Test func `calls are a list, a name, or any`() throws {
        let expect = try scripts(
            """
            name: a
            turns:
              - user: "hello"
                expect:
                  - event: function_call
                    calls: [weather, {name: book, args: {people: 2}}]
                  - {event: function_call, name: weather, args: {city: Rome}}
                  - event: function_call_stopped
            """
        )[0].turns[0].expect
        #expect(expect[0].calls == [.init(name: "weather"), .init(name: "book", arguments: ["people": 2])])
        #expect(expect[1].calls == [.init(name: "weather", arguments: ["city": "Rome"])])
        #expect(expect[2].calls == [.init()])
    }

    @Test func `a person who speaks may pause`() throws {
        let scenario = try scripts(
            """
            name: a
            user: {modality: audio, speech: {voice: slt}}
            judge: {modality: audio, transcription: {service: own}}
            turns:
              - user: ["I went to", {pause_ms: 2000}, "Spain."]
                send_after: {event: bot_started_speaking, delay_ms: 300}
                expect: [{event: response}]
            """
        )[0]
        #expect(scenario.turns[0].user == "I went to Spain.")
        #expect(scenario.turns[0].parts == [.speech("I went to"), .pause(milliseconds: 2000), .speech("Spain.")])
        #expect(scenario.turns[0].sendAfter == .init(event: .botStartedSpeaking, delay: 300))
        #expect(scenario.turns[0].expect[0].event == .response)
    }

    @Test func `a simulation is named, not read`() throws {
        let file = try ScriptFile.parse(
            "{name: a, scenarios: [{name: b, persona: Jamie, goal: book}]}",
            file: "test.yaml"
        )
        guard case .simulation("a/b") = file.entries[0] else { return #expect(Bool(false), "\(file.entries)") }
    }

    @Test(
        arguments: [
            ("name: a\nturns:\n  - usr: hi", "test.yaml, line 3: 'usr' is no key of a turn; did you mean 'user'?"),
            ("name: a\nturnz: []", "test.yaml, line 2: 'turnz' is no key of a scenario file; did you mean 'turns'?"),
            (
                "name: a\nturns:\n- expect:\n  - evnt: response",
                "line 4: 'evnt' is no key of an expectation; did you mean 'event'?"
            ),
            (
                "name: a\nturns:\n- expect:\n  - event: responce",
                "line 4: 'responce' is no event; did you mean 'response'?"
            ),
            ("{name: a, turns: [{user: a, dtmf: 1}]}", "not both"),
            ("{name: a, turns: [{dtmf: 12x}]}", "keys of a telephone"),
            ("{name: a, turns: [{user: 42}]}", "must be a text"),
            ("{name: a, turns: [{user: [{pause_ms: 10}]}]}", "pauses but no text"),
            ("{name: a, turns: [{send_after: {delay_ms: 5}}]}", "needs a 'user' or 'dtmf'"),
            ("{name: a, turns: [{user: a, send_after: {}}]}", "needs an 'event' or a 'delay_ms'"),
            ("{name: a, turns: [{user: a, audio: a.wav}]}", "set 'user.modality: audio'"),
            ("{name: a, user: {modality: audio}, turns: [{user: a}]}", "needs a 'user.speech'"),
            ("{name: a, judge: {modality: audio}, turns: []}", "'transcription'"),
            ("{name: a, judge: {modality: loud}, turns: []}", "one of text, audio"),
            ("{name: a, turns: [{expect: [{event: tts_response}]}]}", "an agent that speaks"),
            ("{name: a, turns: [{expect: [{event: response, within_ms: soon}]}]}", "whole number"),
            ("{name: a, turns: [{expect: [{event: response, absent: true, eval: x}]}]}", "remove 'eval'"),
            ("{name: a, turns: [{expect: [{event: response, marker: short}]}]}", "'llm_marker' only"),
            ("{name: a, turns: [{expect: [{event: function_call_stopped, eval: x}]}]}", "no arguments to judge"),
            ("{name: a, turns: [{expect: [{event: function_call, calls: []}]}]}", "at least one call"),
            ("{name: a, turns: [{expect: [{event: response, check_from: there}]}]}", "one of previous, turn_start"),
            ("{name: a, scenarios: []}", "at least one scenario"),
            ("{name: a, turns: [], scenarios: [{name: b}, {name: b}]}", "two scenarios 'b'"),
            ("{name: a, scenarios: [{name: b, turns: [], persona: c}]}", "not both"),
            ("{name: a}", "needs 'turns'"),
            ("{turns: []}", "needs a 'name'"),
            ("name: [", "is not YAML"),
            ("", "must be a mapping"),
            ("{name: a, turns: !include none.yaml}", "none.yaml cannot be read"),
        ]
    )
    func `a file that means nothing is refused in words`(yaml: String, words: String) throws {
        #expect(try problem(yaml).contains(words))
    }
}
