package import VoiceCore

/// What happened in a turn.
package struct TurnRecord: Sendable, Equatable {
    /// Why a turn has no answer.
    package enum Failure: Sendable, Equatable, CustomStringConvertible {
        /// The answer took too long.
        case timedOut
        /// An engine failed.
        case engine(String)

        /// For people.
        package var description: String {
            switch self {
            case .timedOut: "took too long"
            case .engine(let message): "failed: \(message)"
            }
        }
    }

    /// A call that was made.
    package struct Call: Sendable, Equatable {
        /// The call.
        package var call: ToolCall
        /// Whether it was made before with the same arguments.
        package var isRepetition: Bool
        /// Whether it was turned away: there is no such tool, or its arguments have not the declared form.
        package var isRefused = false
    }

    /// How a call ended.
    package struct Result: Sendable, Equatable {
        /// The tool.
        package var name: String
        /// What the model was told.
        package var text: String
    }

    /// The turn of the scenario, from 0.
    package var turn: Int
    /// Whether it is what the person said because a call was missed.
    package var isRecovery: Bool
    /// When it began, in ISO 8601.
    package var timestamp: String
    /// What the person said.
    package var input: String
    /// What the recogniser understood of it, if it was spoken.
    package var heard: String?
    /// What the agent said.
    package var answer = ""
    /// The calls that it made, in order.
    package var calls: [Call] = []
    /// How they ended.
    package var results: [Result] = []
    /// What the language model computed, if the turn was answered.
    package var usage: ReplyUsage?
    /// Until the first token or call, in milliseconds.
    package var firstToken: Double?
    /// Until the end of the answer, in milliseconds.
    package var latency = 0.0
    /// From the person's last sound to the agent's first, in milliseconds, if it was spoken.
    package var voiceToVoice: Double?
    /// Why there is no answer; nil if there is one.
    package var failure: Failure?

    /// The calls that were made, repetitions left out.
    package var newCalls: [ToolCall] { calls.filter { !$0.isRepetition && !$0.isRefused }.map(\.call) }
}
