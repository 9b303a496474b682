internal import VoiceCore

/// What became of one run of a scenario.
package struct ScriptResult: Sendable {
    /// What became of it.
    package enum Status: Sendable, Equatable {
        case passed
        case failed
        /// It was not run, and why.
        case skipped(String)
    }

    /// An expectation that was looked at.
    package struct Check: Sendable, Equatable {
        /// Its number in the turn, from 0.
        package var index: Int
        /// What was expected.
        package var event: String
        /// Whether it was met.
        package var isMet: Bool
        /// What met it.
        package var match = ""
        /// From the person's action to what met it, in milliseconds; nil if nothing did.
        package var milliseconds: Double?
    }

    /// What became of a turn.
    package struct Turn: Sendable, Equatable {
        /// Its number, from 0.
        package var index: Int
        /// What the person did.
        package var user: String?
        /// Nil if it was never begun.
        package var hasPassed: Bool?
        /// Its expectations, as far as they were looked at.
        package var checks: [Check] = []
        /// When it began, from the call on.
        package var began: Duration?
    }

    /// Its name.
    package var name: String
    /// The file it stands in.
    package var file: String
    /// Which of several runs it is, from 1.
    package var run = 1
    package var status: Status
    package var turns: [Turn] = []
    package var failures: [ScriptFailure] = []
    /// How long it took.
    package var duration = Duration.zero
    /// Everything that the agent did, with times from the call on.
    package var events: [ScriptEvent] = []

    /// A result without a run.
    package static func skipped(_ name: String, file: String, run: Int, _ reason: String) -> ScriptResult {
        ScriptResult(name: name, file: file, run: run, status: .skipped(reason))
    }
}

/// Why a run failed.
package struct ScriptFailure: Sendable, Equatable {
    /// The kinds of Pipecat 1.14, `evals/results.py`.
    package enum Kind: String, Sendable {
        case timeout
        case judgeNo = "judge_no"
        case judgeContinue = "judge_continue"
        case judgeNoVerdict = "judge_no_verdict"
        case noContent = "no_content"
        case textMismatch = "text_mismatch"
        case textPresent = "text_present"
        case missingFunctionCall = "missing_function_call"
        case functionArgsMismatch = "function_args_mismatch"
        case unexpectedEvent = "unexpected_event"
        case sendAfterTimeout = "send_after_timeout"
        case botEnded = "bot_ended"
        case closedBeforeReady = "closed_before_ready"
        case handshakeTimeout = "handshake_timeout"
        case error
    }

    /// The turn, from 0; -1 for none.
    package var turn: Int
    /// The expectation, from 0; -1 for none.
    package var expectation = -1
    /// What was expected.
    package var event: String
    package var kind: Kind
    /// What came instead.
    package var reason: String
}
