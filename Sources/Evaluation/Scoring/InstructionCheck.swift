internal import VoiceCore

/// Whether an answer keeps to the instructions.
struct InstructionCheck {
    let scenario: Scenario

    /// What is wrong; nothing if all is right.
    func problems(of answer: String, in turn: ScenarioTurn) -> [String] {
        guard answer.contains(where: { !$0.isWhitespace }) else { return ["says nothing"] }
        let (spoken, questions) = (SpokenText(answer), Sentence.all(of: answer).filter(\.isQuestion).map(\.text))
        var problems: [String] = []
        if let markup = Self.markup(in: answer) { problems.append("writes \(markup), which cannot be spoken") }
        if let most = scenario.mostWords {
            let words = answer.split(whereSeparator: \.isWhitespace).count
            if words > most { problems.append("has \(words) words, \(most) are allowed") }
        }
        let rules = turn.rules
        if !rules.asks.isEmpty, !asks(questions, rules.asks) {
            problems.append("does not ask for '\(rules.asks.joined(separator: "' or '"))'")
        }
        for known in rules.doesNotAsk where asks(questions, [known]) { problems.append("asks for '\(known)'") }
        if rules.deflects, !scenario.deflection.contains(where: { spoken.says(SpokenText($0)) }) {
            problems.append("does not decline")
        }
        if let wanted = rules.recommends {
            let named = recommendations(in: spoken)
            if named != wanted { problems.append("names \(named) instead of \(wanted)") }
        }
        return problems
    }

    private func asks(_ questions: [SpokenText], _ words: [String]) -> Bool {
        questions.contains { question in words.contains { question.says(SpokenText($0)) } }
    }

    private func recommendations(in spoken: SpokenText) -> Int {
        (scenario.entities.first?.members ?? []).count { names in names.contains { spoken.says(SpokenText($0)) } }
    }

    /// What in a text is to be looked at instead of being spoken; nil for nothing.
    static func markup(in text: String) -> String? {
        let signs: [(String, Regex<Substring>)] = [
            ("bold or italic text", /\*\*?\S|__\S/), ("a heading", /(?m)^\s*#{1,6}\s/), ("a list", /(?m)^\s*[-*•]\s/),
            ("a numbered list", /(?m)^\s*\d{1,2}[.)]\s/), ("code", /`/), ("a link", /\]\(/),
            ("a table", /(?m)^\s*\|.*\|/),
        ]
        return signs.first { text.contains($0.1) }?.0
    }
}
