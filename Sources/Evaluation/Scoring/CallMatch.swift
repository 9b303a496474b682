internal import VoiceCore

extension RequiredCall {
    /// What is wrong with a call's arguments; nothing if it is the one that is wanted. Arguments that nobody asked about do not
    /// count.
    func problems(with call: ToolCall) -> [String] {
        arguments.compactMap { wanted in
            let given = call.arguments[wanted.name].map(Self.text(of:)) ?? ""
            guard !wanted.match.accepts(given) else { return nil }
            return "\(name) was called with \(wanted.name) '\(given.prefix(80))'"
        }
    }

    /// An argument as a text: a number that should have been one counts as such.
    private static func text(of value: JSONValue) -> String { value.text ?? value.json }
}

extension RequiredArgument.Match {
    /// Whether an argument is right.
    func accepts(_ given: String) -> Bool {
        switch self {
        case .exact(let wanted): return given.trimmed == wanted.trimmed
        case .normalised(let wanted): return SpokenText(given) == SpokenText(wanted)
        case .keywords(let groups):
            let spoken = SpokenText(given)
            return groups.allSatisfy { group in group.contains { spoken.says(SpokenText($0)) } }
        case .any: return !given.trimmed.isEmpty
        }
    }
}
