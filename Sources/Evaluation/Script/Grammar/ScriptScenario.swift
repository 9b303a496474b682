package import VoiceCore

/// A scripted conversation: what the person says, and what is expected of the agent.
///
/// Source of the grammar and its defaults: Pipecat 1.14, `evals/script.py` and `evals/scenario.py`.
package struct ScriptScenario: Sendable, Equatable {
    /// File's name and scenario's name, with a slash between.
    package var name: String
    /// The file it stands in.
    package var file: String
    /// The turns, in order.
    package var turns: [ScriptTurn]
    /// Messages in OpenAI's form with which the conversation begins; empty for those of the agent.
    package var context: [JSONValue] = []
    /// What judges, as the file has it.
    package var judge: JSONValue
    /// Whether the agent speaks (`judge.modality: audio`); otherwise it answers in writing.
    package var agentSpeaks = false
    /// What transcribes the agent's voice, as the file has it.
    package var transcriber: JSONValue?
    /// Whether the person speaks (`user.modality: audio`); otherwise they type.
    package var personSpeaks = false
    /// The person's voice, as the file has it.
    package var voice: JSONValue?
    /// Pipecat's deprecated `trigger_disconnect`; nothing here needs it.
    package var triggersDisconnect = false
    /// Whether the first failed turn ends the scenario.
    package var stopsOnFailure = true

    /// The criteria that a judge has to decide.
    package var criteria: [String] { turns.flatMap(\.expect).compactMap(\.criterion) }
    /// Whether anything depends on what the agent says aloud: a ``ScriptEvent/Kind/response``.
    package var hearsAgent: Bool { agentSpeaks && events.contains(.response) }
    /// Every event that the scenario speaks of.
    package var events: [ScriptEvent.Kind] {
        turns.flatMap { turn in turn.expect.map(\.event) + [turn.sendAfter?.event].compactMap(\.self) }
    }
}

/// What the person does, and what is expected then.
package struct ScriptTurn: Sendable, Equatable {
    /// A piece of what the person says.
    package enum Part: Sendable, Equatable {
        case speech(String)
        case pause(milliseconds: Int)
    }

    /// When the turn begins.
    package struct SendAfter: Sendable, Equatable {
        /// The event after which; nil for the turn before.
        package var event: ScriptEvent.Kind?
        /// How much later, in milliseconds.
        package var delay: Int
    }

    /// What the person says or types; nil for nothing.
    package var user: String?
    /// Speech and pauses, where the person pauses.
    package var parts: [Part]?
    /// The path of a recording that says it.
    package var recording: String?
    /// Keys of a telephone.
    package var keys: String?
    /// The path of a picture.
    package var image: String?
    /// When it begins; nil for once the agent is quiet.
    package var sendAfter: SendAfter?
    /// What is expected, in order.
    package var expect: [ScriptExpectation] = []
    /// The line in the file.
    package var line = 0

    /// Whether the person does anything.
    package var sends: Bool { user != nil || keys != nil }
}

/// An event that is expected, or that must not come.
package struct ScriptExpectation: Sendable, Equatable {
    /// A call of a function.
    package struct Call: Sendable, Equatable {
        /// The function; nil for any.
        package var name: String?
        /// Arguments that the call must have; it may have others.
        package var arguments: JSONObject?
    }

    /// From where the event is looked for.
    package enum Origin: String, Sendable, CaseIterable {
        /// From where the expectation before was met.
        case previous
        /// From the beginning of the turn: what no other expectation used.
        case turnStart = "turn_start"
    }

    /// What is expected of a marker.
    package struct Marker: Sendable, Equatable {
        package var meaning: String?
        package var isFirst: Bool?
        package var count: Int?
        package var hasTextAfter: Bool?
    }

    /// The event.
    package var event: ScriptEvent.Kind
    /// Milliseconds from the person's action, for all expectations of a turn; nil for the runner's default.
    package var within: Int?
    /// What its text contains, whatever the white space.
    package var contains: String?
    /// What its text must not contain.
    package var excludes: String?
    /// The calls, in any order; nil for events that are none.
    package var calls: [Call]?
    /// What a judge has to say yes to.
    package var criterion: String?
    /// For `llm_marker`.
    package var marker = Marker()
    /// From where it is looked for.
    package var origin = Origin.previous
    /// Whether it must not come.
    package var isAbsent = false
    /// The line in the file.
    package var line = 0

    /// Whether several events' texts are checked together.
    package var aggregates: Bool {
        switch event {
        case .response, .llmResponse, .ttsResponse: contains != nil || criterion != nil
        case .userTranscription: contains != nil && criterion == nil
        default: false
        }
    }
}
