package import VoiceCore

/// What decides criteria in plain language.
package protocol ScriptJudge: Sendable {
    /// Decides one question.
    /// - Throws: `unavailable` when nothing can decide, `malformedInput` when the answer is none of those that a question has.
    func decide(_ question: JudgeQuestion) async throws(VoiceError) -> JudgeVerdict
}

/// One thing to decide: whether a reply, or a call, is what a criterion asks for.
package struct JudgeQuestion: Sendable, Equatable {
    /// What is judged.
    package enum Subject: Sendable, Equatable {
        /// What the agent said last; it may still go on.
        case reply(String)
        /// A call of a function; never unfinished.
        case call(name: String, arguments: JSONObject)
    }

    /// What is judged.
    package var subject: Subject
    /// The criterion.
    package var criterion: String
    /// What was said before: person and agent.
    package var conversation: [ChatMessage]
}

/// A judge's decision.
package struct JudgeVerdict: Sendable, Equatable {
    /// The answers. Their meaning is that of Pipecat 1.14, `evals/judge.py`.
    package enum Answer: String, Sendable, CaseIterable {
        /// The criterion is met.
        case yes
        /// The agent has answered, and the criterion is not met.
        case no
        /// The agent has not answered yet.
        case goOn = "continue"
    }

    /// The answer.
    package var answer: Answer
    /// Why, if the judge said it.
    package var reason: String

    /// Makes a verdict.
    package init(_ answer: Answer, _ reason: String = "") {
        self.answer = answer
        self.reason = reason
    }
}
