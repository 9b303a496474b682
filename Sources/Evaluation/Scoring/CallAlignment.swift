internal import VoiceCore

/// Which calls were made for which turn.
///
/// A call that comes a turn early counts for the later turn, one that comes late, or only after the person insisted, fails the turn
/// that it was due in and is no mistake of the turn that it was made in. What was called without being wanted fails its turn.
struct CallAlignment {
    /// Of each turn, what is wrong with its calls; nothing if all is right.
    private(set) var problems: [[String]]
    /// Turns whose call was made in the turn before.
    private(set) var early: Set<Int> = []
    /// Turns whose call was made too late.
    private(set) var late: Set<Int> = []

    /// - Parameters:
    ///   - made: the calls of each turn, repetitions left out.
    ///   - recovered: those that were made after the person insisted, by turn.
    init(_ scenario: Scenario, made: [[ToolCall]], recovered: [[ToolCall]]) {
        problems = Array(repeating: [], count: scenario.turns.count)
        var made = made
        var recovered = recovered
        func take(_ wanted: RequiredCall, from calls: inout [ToolCall]) -> Bool {
            let index = calls.firstIndex { $0.name == wanted.name && wanted.problems(with: $0).isEmpty }
            guard let index else { return false }
            calls.remove(at: index)
            return true
        }
        // First what came when it was due: it is not to be taken for another turn's.
        var missing: [(turn: Int, call: RequiredCall)] = []
        for (index, turn) in scenario.turns.enumerated() {
            for call in turn.calls where !take(call, from: &made[index]) { missing.append((index, call)) }
        }
        for (index, call) in missing {
            if index > 0, take(call, from: &made[index - 1]) {
                early.insert(index)
                if scenario.turns[index - 1].asksFirst {
                    problems[index - 1].append("\(call.name) was called before the person had agreed")
                }
            } else if take(call, from: &recovered[index])
                || index + 1 < made.count && take(call, from: &made[index + 1])
            {
                late.insert(index)
                problems[index].append("\(call.name) was called too late")
            } else if let wrong = made[index].firstIndex(where: { $0.name == call.name }) {
                problems[index] += call.problems(with: made[index].remove(at: wrong))
            } else {
                problems[index].append("\(call.name) was not called")
            }
        }
        let readOnly = Set(scenario.tools.filter(\.isReadOnly).map(\.declaration.name))
        for (index, calls) in made.enumerated() {
            for call in calls where !readOnly.contains(call.name) {
                problems[index].append("\(call.name.prefix(80)) was called without being asked for")
            }
        }
    }
}
