package import VoiceCore

/// A scenario file: scripts to run, and simulations, which are named and skipped.
package struct ScriptFile: Sendable {
    /// A scenario of either kind.
    package enum Entry: Sendable {
        case script(ScriptScenario)
        /// A person played by a language model, under its name.
        case simulation(String)
    }

    /// Its name.
    package var name: String
    /// Its path.
    package var path: String
    /// Its scenarios, in order.
    package var entries: [Entry]

    private static let simulationKeys = [
        "persona", "goal", "success", "metrics", "max_turns", "max_duration_s", "max_silence_s", "simulator", "runs",
    ]
    private static let keys = ScriptScenario.keys + simulationKeys

    /// Loads a file.
    /// - Throws: `missingInput` when it, or what it includes, cannot be read; `malformedInput`, with file and line, when it is no
    ///   scenario file.
    package static func load(path: String) throws(VoiceError) -> ScriptFile {
        try ScriptFile(ScriptNode.load(path: path))
    }

    /// Reads a text; `file` is used for errors and included files.
    package static func parse(_ yaml: String, file: String) throws(VoiceError) -> ScriptFile {
        try ScriptFile(ScriptNode.parse(yaml, file: file))
    }

    /// Whether a file is one of scenarios, not a piece that others include; those have no name. A file that cannot be read counts as
    /// one, so that loading it says why.
    package static func isScenarios(path: String) -> Bool {
        guard let root = try? ScriptNode.load(path: path) else { return true }
        return root.members?.contains { $0.key == "name" } ?? false
    }

    private init(_ root: ScriptNode) throws(VoiceError) {
        try root.allow(only: Self.keys + ["scenarios"], in: "a scenario file")
        guard let name = try root.text(of: "name"), !name.isEmpty else { throw root.refusal("the file needs a 'name'") }
        self.name = name
        path = root.file
        let isList = root.members?.contains { $0.key == "scenarios" && !$0.value.isNull } ?? false
        // Before Pipecat 1.11 a file was one scenario.
        guard isList, let list = root["scenarios"] else {
            entries = [try Self.entry(root, name: name)]
            return
        }
        guard let scenarios = list.list, !scenarios.isEmpty else {
            throw list.refusal("'scenarios' must be a list of at least one scenario")
        }
        let defaults = (root.members ?? []).filter { $0.key != "scenarios" }
        var entries: [Entry] = []
        var names: Set<String> = []
        for scenario in scenarios {
            try scenario.allow(only: Self.keys, in: "a scenario")
            guard let own = try scenario.text(of: "name"), !own.isEmpty else {
                throw scenario.refusal("a scenario needs a 'name'")
            }
            guard names.insert(own).inserted else { throw scenario.refusal("there are two scenarios '\(own)'") }
            // A scenario's own value replaces the file's as a whole.
            let mine = scenario.members ?? []
            let rest = defaults.filter { member in !mine.contains { $0.key == member.key } }
            let merged = ScriptNode(content: .mapping(mine + rest), file: scenario.file, line: scenario.line)
            entries.append(try Self.entry(merged, name: "\(name)/\(own)"))
        }
        self.entries = entries
    }

    private static func entry(_ node: ScriptNode, name: String) throws(VoiceError) -> Entry {
        switch (node.members?.contains { $0.key == "persona" }, node.members?.contains { $0.key == "turns" }) {
        case (true, true):
            throw node.refusal("a scenario is a script ('turns') or a simulation ('persona'), not both")
        case (true, _): return .simulation(name)
        case (_, true): return .script(try ScriptScenario(node, name: name))
        default: throw node.refusal("a scenario needs 'turns', or 'persona' for a simulation")
        }
    }
}
