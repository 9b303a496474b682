internal import VoiceCore

/// Turns a session's changes of state into spans of a trace: a row for the person, the agent, and the gate that holds drafts.
///
/// Costs nothing without a sink.
struct SessionTrace: Sendable {
    private let group: String
    private let sink: TraceSink?
    /// What each row shows, and since when.
    private var rows: [String: (name: String, since: Duration)] = [:]

    init(group: String, sink: TraceSink?) {
        self.group = group
        self.sink = sink
    }

    /// Notes what the machine and the gate are at now.
    /// - Parameter heldEpoch: the draft that is held.
    mutating func note(_ machine: TurnMachine, heldEpoch: Int?, at now: Duration) {
        guard sink != nil else { return }
        change("person", to: Self.name(of: machine.person), now, machine.turn)
        change("agent", to: Self.name(of: machine.agent), now, machine.turn)
        change("gate", to: heldEpoch.map { "draft \($0) held" }, now, machine.turn)
    }

    /// Notes something that took from `start` to `end`.
    func span(
        _ row: String,
        _ name: String,
        from start: Duration,
        to end: Duration,
        _ details: [String: String] = [:]
    ) {
        sink?(TraceSpan(group: group, row: row, name: name, start: start, end: end, details: details))
    }

    /// Ends all rows.
    mutating func end(at now: Duration) {
        for row in rows.keys.sorted() { change(row, to: nil, now, 0) }
    }

    private mutating func change(_ row: String, to name: String?, _ now: Duration, _ turn: Int) {
        guard rows[row]?.name != name else { return }
        if let old = rows[row] { span(row, old.name, from: old.since, to: now, ["turn": "\(turn)"]) }
        rows[row] = name.map { ($0, now) }
    }

    private static func name(of person: TurnMachine.Person) -> String? {
        switch person {
        case .quiet: nil
        case .speaking: "speaking"
        case .pausing: "pausing"
        case .finalising: "finalising"
        case .interjecting: "interjecting"
        }
    }

    private static func name(of agent: TurnMachine.Agent) -> String? {
        switch agent {
        case .silent: nil
        case .preparing: "preparing"
        case .speaking: "speaking"
        }
    }
}
