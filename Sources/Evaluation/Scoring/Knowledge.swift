internal import VoiceCore

/// Which names and times of day stand together in a line of the knowledge.
struct Knowledge: Sendable {
    /// A name: its group and its place there.
    struct Name: Sendable, Hashable {
        var group: Int
        var member: Int
    }

    /// What a text names.
    struct Mentions: Sendable {
        var names: Set<Name>
        var times: [TimeOfDay]
    }

    private let names: [(name: Name, forms: [SpokenText])]
    private let groups: [EntityGroup]
    private let lines: [Mentions]

    init(_ scenario: Scenario) {
        groups = scenario.entities
        let names = scenario.entities.enumerated().flatMap { group, entities in
            entities.members.enumerated().map { member, forms in
                (name: Name(group: group, member: member), forms: forms.map { SpokenText($0) })
            }
        }
        self.names = names
        lines = scenario.knowledge.split(separator: "\n").map { Self.mentions(in: SpokenText(String($0)), names) }
    }

    /// What a text names.
    func mentions(in text: SpokenText) -> Mentions { Self.mentions(in: text, names) }

    /// Whether one line has both names.
    func joins(_ one: Name, _ other: Name) -> Bool {
        lines.contains { $0.names.contains(one) && $0.names.contains(other) }
    }

    /// Whether one line has the time and the name.
    func joins(_ time: TimeOfDay, _ name: Name) -> Bool {
        lines.contains { line in line.names.contains(name) && line.times.contains { $0.agrees(with: time) } }
    }

    /// A name in words.
    func text(of name: Name) -> String { groups[name.group].members[name.member].first ?? "" }

    private static func mentions(in text: SpokenText, _ names: [(name: Name, forms: [SpokenText])]) -> Mentions {
        let found = names.filter { $0.forms.contains { text.firstIndex(of: $0.tokens) != nil } }
        return Mentions(names: Set(found.map(\.name)), times: text.times)
    }
}
