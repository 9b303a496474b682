package import VoiceCore

/// What the person says in one turn, and what is right.
package struct ScenarioTurn: Sendable, Equatable {
    /// What the person says.
    package var input: String
    /// The calls that the answer must make.
    package var calls: [RequiredCall] = []
    /// Whether a call that is due in the next turn must not be made yet: the agent has to ask first.
    package var asksFirst = false
    /// What must be said: of each list one.
    package var facts: [[String]] = []
    /// What must not be said.
    package var mustNot: [String] = []
    /// What may be said although it is in none of the other texts of the turn.
    package var allowed: [String] = []
    /// How it must be said.
    package var rules = InstructionRules()
    /// A right answer, in words.
    package var golden: String
}

/// A call that must be made.
package struct RequiredCall: Sendable, Equatable {
    /// The tool.
    package var name: String
    /// Its arguments, in order.
    package var arguments: [RequiredArgument]
    /// What the call gives; nil for what its tool always gives.
    package var result: JSONValue?
}

/// What an argument of a call must be.
package struct RequiredArgument: Sendable, Equatable {
    /// How it is compared.
    package enum Match: Sendable, Equatable {
        /// The same text, for identifiers.
        case exact(String)
        /// The same words, however they are written.
        case normalised(String)
        /// Words that must be in it, of each list one.
        case keywords([[String]])
        /// Anything.
        case any
    }

    /// The argument.
    package var name: String
    /// What it must be.
    package var match: Match
}

/// How an answer must be, besides being right.
package struct InstructionRules: Sendable, Equatable {
    /// It asks for something: in one of its questions is one of these words.
    package var asks: [String] = []
    /// It asks for nothing that is known: in none of its questions is any of these words.
    package var doesNotAsk: [String] = []
    /// It declines.
    package var deflects = false
    /// It names exactly so many members of the first group of names.
    package var recommends: Int?
}
