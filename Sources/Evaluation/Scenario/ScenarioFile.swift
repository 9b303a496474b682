internal import Foundation
package import VoiceCore
internal import YAMLReading
internal import Yams

/// Reads a scenario from YAML (or from JSON, which is YAML). `docs/eval.md` documents the keys.
package enum ScenarioFile {
    /// A larger file is none of ours.
    private static let largest = 8 << 20

    /// Reads a file.
    /// - Throws: ``VoiceError/Code/missingInput`` when it cannot be read, ``VoiceError/Code/malformedInput`` when it is no scenario:
    ///   the message says in which line what is wrong.
    package static func read(path: String) throws(VoiceError) -> Scenario {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw VoiceError(.missingInput, "the scenario \(path) cannot be read")
        }
        guard data.count <= largest else {
            throw VoiceError(.malformedInput, "\(path) has \(data.count) bytes: a scenario has at most \(largest)")
        }
        return try parse(String(decoding: data, as: UTF8.self), name: path)
    }

    /// Reads YAML text; `name` is used in errors.
    package static func parse(_ text: String, name: String) throws(VoiceError) -> Scenario {
        let root: Node?
        do { root = try Yams.compose(yaml: text) } catch {
            throw VoiceError(.malformedInput, "\(name) is not YAML: \(error)")
        }
        guard let root else { throw VoiceError(.malformedInput, "\(name) is empty: a scenario has turns") }
        return try scenario(YAMLValue(path: "", node: root, file: name))
    }

    private static let keys = [
        "name", "instructions", "knowledge", "closing", "context_length", "reply_tokens", "turn_timeout_s", "recovery",
        "deflection",
        "most_words", "tools", "entities", "turns",
    ]

    private static func scenario(_ root: YAMLValue) throws(VoiceError) -> Scenario {
        let members = try root.members(of: keys)
        guard let turns = members["turns"], let name = members["name"], let instructions = members["instructions"]
        else {
            throw VoiceError(.malformedInput, "\(root.file): a scenario has a name, instructions and turns")
        }
        var scenario = Scenario(
            name: try name.text(),
            instructions: try instructions.text(),
            knowledge: try members["knowledge"]?.text() ?? "",
            closing: try members["closing"]?.text() ?? "",
            contextLength: try members["context_length"]?.count(256...1_048_576) ?? 2048,
            replyTokens: try members["reply_tokens"]?.count(1...100_000) ?? 200,
            turnTimeout: .seconds(try members["turn_timeout_s"]?.count(1...3600) ?? 60),
            recovery: try members["recovery"]?.text() ?? "Please go ahead.",
            deflection: try members["deflection"]?.texts() ?? defaultDeflection,
            mostWords: try members["most_words"]?.count(1...10_000),
            tools: [],
            entities: [],
            turns: []
        )
        if let tools = members["tools"] {
            for tool in try tools.elements() { scenario.tools.append(try self.tool(tool)) }
        }
        if let entities = members["entities"] {
            for (name, group) in try entities.members() {
                scenario.entities.append(EntityGroup(name: name, members: try group.alternatives()))
            }
        }
        for turn in try turns.elements() { scenario.turns.append(try self.turn(turn, scenario)) }
        guard !scenario.turns.isEmpty else { throw turns.refusal("a list of at least one turn") }
        return scenario
    }

    /// What declines in English.
    private static let defaultDeflection = [
        "only help", "can only", "can not help", "unable to", "not able to", "do not have information", "outside",
        "not something i can",
    ]

    private static func tool(_ value: YAMLValue) throws(VoiceError) -> ScenarioTool {
        let members = try value.members(of: ["name", "description", "parameters", "result", "read_only"])
        guard let name = members["name"] else { throw value.refusal("a mapping with a name") }
        let declaration: ToolDeclaration
        do {
            declaration = try ToolDeclaration(
                name: try name.text(),
                description: try members["description"]?.text() ?? "",
                parameters: try members["parameters"]?.json() ?? ["type": "object", "properties": [:]]
            )
        } catch {
            throw VoiceError(.malformedInput, "\(value.file): \(error.message)")
        }
        return ScenarioTool(
            declaration: declaration,
            result: try members["result"]?.json() ?? ["status": "success"],
            isReadOnly: try members["read_only"]?.flag() ?? false
        )
    }

    private static let turnKeys = [
        "input", "calls", "asks_first", "facts", "must_not", "allowed", "asks", "does_not_ask", "deflects",
        "recommends",
        "golden",
    ]

    private static func turn(_ value: YAMLValue, _ scenario: Scenario) throws(VoiceError) -> ScenarioTurn {
        let members = try value.members(of: turnKeys)
        guard let input = members["input"], let golden = members["golden"] else {
            throw value.refusal("a mapping with input and golden")
        }
        var turn = ScenarioTurn(input: try input.text(), golden: try golden.text())
        guard !turn.input.trimmed.isEmpty else { throw input.refusal("what the person says") }
        for call in try members["calls"]?.elements() ?? [] { turn.calls.append(try self.call(call, scenario.tools)) }
        turn.asksFirst = try members["asks_first"]?.flag() ?? false
        turn.facts = try members["facts"]?.alternatives() ?? []
        turn.mustNot = try members["must_not"]?.texts() ?? []
        turn.allowed = try members["allowed"]?.texts() ?? []
        turn.rules.asks = try members["asks"]?.texts() ?? []
        turn.rules.doesNotAsk = try members["does_not_ask"]?.texts() ?? []
        turn.rules.deflects = try members["deflects"]?.flag() ?? false
        turn.rules.recommends = try members["recommends"]?.count(0...100)
        if turn.rules.recommends != nil, scenario.entities.isEmpty {
            throw value.refusal("without 'recommends', or the scenario must have 'entities'")
        }
        return turn
    }

    private static func call(_ value: YAMLValue, _ tools: [ScenarioTool]) throws(VoiceError) -> RequiredCall {
        let members = try value.members(of: ["name", "args", "result"])
        guard let name = members["name"] else { throw value.refusal("a mapping with a name") }
        var call = RequiredCall(name: try name.text(), arguments: [], result: try members["result"]?.json())
        guard tools.contains(where: { $0.declaration.name == call.name }) else {
            throw name.refusal("one of the tools")
        }
        for (argument, rule) in try members["args"]?.members() ?? [] {
            call.arguments.append(RequiredArgument(name: argument, match: try match(rule)))
        }
        return call
    }

    private static func match(_ value: YAMLValue) throws(VoiceError) -> RequiredArgument.Match {
        if value.node.scalar != nil { return .normalised(try value.text()) }
        let members = try value.members(of: ["exact", "normalised", "keywords", "any"])
        guard members.count == 1 else { throw value.refusal("a text, or one of exact, normalised, keywords and any") }
        if let exact = members["exact"] { return .exact(try exact.text()) }
        if let words = members["normalised"] { return .normalised(try words.text()) }
        if let keywords = members["keywords"] { return .keywords(try keywords.alternatives()) }
        return .any
    }
}
