package import VoiceCore

/// A language model that judges. It is asked for one word and then a reason; any other answer is asked for once more and then an
/// error, never a pass.
package struct LanguageModelJudge: ScriptJudge {
    private static let patience = Duration.seconds(60)

    private let model: any LanguageModel
    private let clock: any SessionClock

    /// - Parameter clock: bounds how long an answer may take: a minute.
    package init(_ model: any LanguageModel, clock: any SessionClock) {
        self.model = model
        self.clock = clock
    }

    package func decide(_ question: JudgeQuestion) async throws(VoiceError) -> JudgeVerdict {
        var answer = ""
        for _ in 0..<2 {
            answer = try await ask(question)
            if let verdict = Self.verdict(answer, of: question.answers) { return verdict }
        }
        let wanted = question.answers.map(\.rawValue).joined(separator: ", ")
        throw VoiceError(
            .malformedInput,
            "the judge \(model.name) answered '\(answer.prefix(80))' instead of one of \(wanted)"
        )
    }

    private func ask(_ question: JudgeQuestion) async throws(VoiceError) -> String {
        let messages = [ChatMessage(.system, question.instructions), ChatMessage(.user, question.text)]
        let sampling = SamplingOptions(temperature: 0, repeatPenalty: 1, maxTokens: 120)
        do {
            return try await withThrowingTaskGroup(of: String.self) { group in
                // This task's unit of work and one more go to the children; each hands its own back when it ends.
                clock.workBegan()
                group.addTask { [model] in
                    var text = ""
                    for try await event in try await model.openChat().reply(to: messages, sampling: sampling) {
                        if case .text(let piece) = event { text += piece }
                    }
                    return text
                }
                group.addTask { [clock, model] in
                    try await clock.sleep(until: clock.now + Self.patience)
                    throw VoiceError(.unavailable, "the judge \(model.name) gave no answer within a minute")
                }
                let first = await group.nextResult()
                group.cancelAll()
                _ = await group.nextResult()
                clock.workEnded()
                return try first?.get() ?? ""
            }
        } catch { throw VoiceError.wrapping(error, doing: "the judge \(model.name) could not answer") }
    }

    /// The verdict in an answer: its first word, and what follows it.
    static func verdict(_ text: String, of answers: [JudgeVerdict.Answer]) -> JudgeVerdict? {
        let text = text.trimmed
        let word = text.prefix { $0.isLetter }.lowercased()
        guard let answer = answers.first(where: { $0.rawValue == word }) else { return nil }
        let reason = text.dropFirst(word.count).drop { !$0.isLetter && !$0.isNumber && $0 != "\"" }
        return JudgeVerdict(answer, String(reason))
    }
}

extension JudgeQuestion {
    /// The answers it has: a call is never unfinished.
    var answers: [JudgeVerdict.Answer] { if case .reply = subject { [.yes, .no, .goOn] } else { [.yes, .no] } }

    var instructions: String {
        let unfinished = """

            continue: the agent has not answered yet. It only greets, says that it is looking something up, or its reply breaks off.
            """
        return """
            You check what a voice agent did against one criterion. The agent's words may come from speech recognition: judge what \
            was meant, never the spelling. Answer with one word, then a line with the reason in one short sentence.
            yes: it meets the criterion.
            no: it does not meet the criterion. To ask the person to wait or go on, instead of giving what is asked for, is a no.\
            \(answers.contains(.goOn) ? unfinished : "")
            """
    }

    var text: String {
        let said = conversation.map { "\($0.role == .user ? "Person" : "Agent"): \($0.content)" }
        let judged =
            switch subject {
            case .reply(let words): "The agent's latest reply:\n\(words)"
            case .call(let name, let arguments):
                "The agent calls the function \(name) with \(JSONValue.object(arguments).json)."
            }
        return """
            The conversation before:
            \(said.isEmpty ? "(nothing)" : said.joined(separator: "\n"))

            \(judged)

            The criterion: \(criterion)

            One word: \(answers.map(\.rawValue).joined(separator: ", "))?
            """
    }
}
