internal import Testing
internal import VoiceCore

@testable internal import Evaluation

@Suite struct ScenarioFileTests {
    private static let head = "name: small\ninstructions: Be brief.\n"

    @Test func `a scenario has defaults for all but its name, its instructions and its turns`() throws {
        let scenario = try ScenarioFile.parse(
            Self.head + "turns:\n  - {input: Hi, golden: Hello.}\n",
            name: "small.yaml"
        )
        #expect(scenario.turns.map(\.input) == ["Hi"])
        #expect(scenario.recovery == "Please go ahead.")
        #expect(scenario.systemPrompt == "Be brief.")
    }

    @Test func `arguments are compared as their rule says`() throws {
        let text =
            Self.head
                + """
                tools:
                  - name: book
                    parameters: {type: object, properties: {id: {type: string}, count: {type: integer, minimum: 1}}}
                turns:
                  - input: Book it
                    golden: Done.
                    calls:
                      - name: book
                        args:
                          id: {exact: "12"}
                          name: Ann Lee
                          note: {keywords: [lift, [help, hand]]}
                          rest: {any: true}
                        result: {seat: 3, tags: [a, 2, true, null]}
                """
        let scenario = try ScenarioFile.parse(text, name: "x")
        let call = try #require(scenario.turns.first?.calls.first)
        #expect(
            call.arguments.map(\.match) == [
                .exact("12"), .normalised("Ann Lee"), .keywords([["lift"], ["help", "hand"]]), .any,
            ]
        )
        #expect(call.result?.json == #"{"seat":3,"tags":["a",2,true,null]}"#)
    }

    @Test(arguments: [
        ("turns: [", "is not YAML"),
        ("", "is empty"),
        ("- a", "must be a mapping"),
        ("name: a\ninstructions: b\nturns: []", "at least one turn"),
        ("name: a\ninstructions: b\nturn: []", "did you mean 'turns'"),
        ("name: a\nturns:\n  - {input: a, golden: b}", "has a name, instructions and turns"),
        ("name: a\ninstructions: b\nturns:\n  - {input: a}", "'turns[0]' must be a mapping with input and golden"),
        ("name: a\ninstructions: b\nturns:\n  - {input: a, golden: b, fact: [c]}", "did you mean 'facts'"),
        ("name: a\ninstructions: b\nturns:\n  - {input: a, golden: b, calls: [{name: c}]}", "one of the tools"),
        ("name: a\ninstructions: b\nturns:\n  - {input: a, golden: b, recommends: 2}", "must have 'entities'"),
        ("name: a\ninstructions: b\ntools: [{name: 'a b'}]\nturns:\n  - {input: a, golden: b}", "cannot be called"),
        (
            "name: a\ninstructions: b\ncontext_length: much\nturns:\n  - {input: a, golden: b}",
            "a whole number from 256"
        ),
    ])
    func `a file that is no scenario is refused with its place`(text: String, words: String) throws {
        let error = #expect(throws: VoiceError.self) { try ScenarioFile.parse(text, name: "bad.yaml") }
        #expect(error?.code == .malformedInput)
        #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
        #expect(error?.message.contains("bad.yaml") == true)
    }

    @Test(arguments: ["festival", "festival-compact", "library"])
    func `what must be said is in the knowledge, in a result or in what the person said`(name: String) throws {
        let scenario = try PerfectAgent.scenario(name)
        let results = scenario.turns.flatMap(\.calls).compactMap { $0.result?.json }
        let known = SpokenText(([scenario.systemPrompt] + results).joined(separator: "\n"))
        let outcomes = ["booked", "reserved", "requested", "reported"]
        for turn in scenario.turns {
            for fact in turn.facts where !fact.contains(where: { outcomes.contains($0) }) {
                #expect(fact.contains { known.says(SpokenText($0)) }, "\(turn.input): \(fact)")
            }
        }
    }

    @Test func `the large scenario has thirty turns, the small one fits into a small context`() throws {
        let (large, small) = (try PerfectAgent.scenario("festival"), try PerfectAgent.scenario("library"))
        #expect(large.turns.count == 30)
        #expect(large.tools.count == 5)
        #expect(small.turns.count == 8)
        // Four bytes are about a token.
        #expect((36_000...56_000).contains(large.systemPrompt.utf8.count))
        #expect(small.systemPrompt.utf8.count < 3000)
    }
}
