internal import VoiceCore

/// Whether an answer says what it must, and nothing that the knowledge contradicts.
///
/// A time of day, or a name, is contradicted where it is in none of the turn's own texts and in no line of the knowledge together with
/// what the sentence is about: names of the first group, or, where it has none of them, the others.
struct Grounding {
    let knowledge: Knowledge
    /// The group of the names that lines are about.
    private static let subject = 0

    /// What is wrong; nothing if all is right.
    /// - Parameters:
    ///   - answer: all that was said for the turn.
    ///   - context: what else may be said: results of calls.
    func problems(of answer: String, in turn: ScenarioTurn, context: [String]) -> [String] {
        let spoken = SpokenText(answer)
        var problems: [String] = []
        for alternatives in turn.facts where !alternatives.contains(where: { spoken.says(SpokenText($0)) }) {
            problems.append("does not say '\(alternatives.joined(separator: "' or '"))'")
        }
        for text in turn.mustNot where spoken.says(SpokenText(text)) { problems.append("says '\(text)'") }
        return problems + contradictions(in: answer, turn, context)
    }

    private func contradictions(in answer: String, _ turn: ScenarioTurn, _ context: [String]) -> [String] {
        let own = [turn.golden, turn.input] + turn.facts.flatMap { $0 } + turn.allowed + context
        let allowed = own.map { knowledge.mentions(in: SpokenText($0)) }
        let names = allowed.reduce(into: Set<Knowledge.Name>()) { $0.formUnion($1.names) }
        let times = allowed.flatMap(\.times)
        let wanted = Set(turn.facts.joined().flatMap { knowledge.mentions(in: SpokenText($0)).names.map(\.group) })
        let whole = knowledge.mentions(in: SpokenText(answer)).names
        var problems: [String] = []
        for sentence in Sentence.all(of: answer) {
            let mentions = knowledge.mentions(in: sentence.text)
            for name in mentions.names.subtracting(names).sorted(by: { ($0.group, $0.member) < ($1.group, $1.member) })
            where isContradicted(name, mentions.names, wanted) {
                problems.append("names '\(knowledge.text(of: name))', which does not belong here")
            }
            let about = mentions.names.isEmpty ? whole : mentions.names
            let subjects = about.filter { $0.group == Self.subject }
            for time in mentions.times where !times.contains(where: { $0.agrees(with: time) }) {
                let others = subjects.isEmpty ? about : subjects
                guard !others.contains(where: { knowledge.joins(time, $0) }) else { continue }
                problems.append("says a time, \(time), that does not belong here")
            }
        }
        return problems
    }

    private func isContradicted(_ name: Knowledge.Name, _ others: Set<Knowledge.Name>, _ wanted: Set<Int>) -> Bool {
        var others = others.filter { $0.group != name.group }
        let subjects = others.filter { $0.group == Self.subject }
        if !subjects.isEmpty { others = subjects }
        guard !others.isEmpty else { return wanted.contains(name.group) && name.group != Self.subject }
        return !others.contains { knowledge.joins(name, $0) }
    }
}

extension TimeOfDay: CustomStringConvertible {
    /// The time as it is written: "10:40 AM".
    var description: String {
        let (hour, minute) = ((minutes / 60 + 11) % 12 + 1, minutes % 60)
        let half = isAfterNoon.map { $0 ? " PM" : " AM" } ?? ""
        return "\(hour):\(minute < 10 ? "0" : "")\(minute)\(half)"
    }
}
