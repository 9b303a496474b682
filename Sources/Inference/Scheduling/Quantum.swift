package import VoiceCore

/// What is computed in a quantum, such as `llm.decode`: quanta of one kind share an estimate of what they cost.
///
/// A program has a handful of kinds, all of them constants.
package struct QuantumKind: Sendable, Hashable, CustomStringConvertible {
    /// The engine and the step, with a dot between them.
    package let description: String

    /// Makes a kind.
    /// - Parameters:
    ///   - engine: the engine's short name, such as `llm`.
    ///   - step: the step's, such as `decode`.
    package init(engine: String, step: String) { description = "\(engine).\(step)" }
}

/// What an engine wants to compute next, without interruption. Times are those of the lane's clock.
package struct QuantumRequest: Sendable {
    /// What is computed.
    package var kind: QuantumKind
    /// How pressing it is.
    package var quantumClass: QuantumClass
    /// When it has to be over; nil where no time is known.
    package var deadline: Duration?
    /// For whom: a session's number, or 0 for work that several share.
    package var owner: Int
    /// The owner's turn; ``DeadlineScheduler/cancel(owner:through:)`` goes by it.
    package var epoch: Int
    /// How much work it is, in what the kind counts: tokens, rows, frames.
    package var units: Int
    /// How soon after this quantum the owner will ask for its next one; zero when this is the last. For that long after a
    /// quantum of recognition or of a first audio nothing less pressing is begun: it would come between any two tokens.
    package var followUp: Duration
    /// What class and deadline follow while the request waits; nil where they stay what they are.
    package var urgency: Urgency?
    /// What others can do along with work of their own; nil where nobody else can. See ``Lane/share(_:_:)``.
    package var errand: Errand?

    /// A piece of work that may be done in somebody else's quantum.
    package struct Errand: Sendable, Hashable {
        private let engine: ObjectIdentifier
        private let number: UInt64

        /// Names a piece of work.
        /// - Parameters:
        ///   - engine: who does such work.
        ///   - number: tells it from all others of that engine.
        package init(of engine: AnyObject, number: UInt64) {
            self.engine = ObjectIdentifier(engine)
            self.number = number
        }
    }

    /// Makes a request.
    package init(
        _ kind: QuantumKind,
        _ quantumClass: QuantumClass,
        deadline: Duration? = nil,
        owner: Int = 0,
        epoch: Int = 0,
        units: Int = 1,
        followUp: Duration = .zero
    ) {
        self.kind = kind
        self.quantumClass = quantumClass
        self.deadline = deadline
        self.owner = owner
        self.epoch = epoch
        self.units = units
        self.followUp = followUp
    }
}

/// A quantum that has been computed, for traces and metrics. Times are those of the lane's clock.
package struct Quantum: Sendable {
    /// What was asked for.
    package let request: QuantumRequest
    /// When it was asked for.
    package let submitted: Duration
    /// When its turn came.
    package let started: Duration
    /// When it was over.
    package let ended: Duration

    /// How long the lane was taken.
    package var cost: Duration { max(.zero, ended - started) }
    /// How long it waited.
    package var wait: Duration { max(.zero, started - submitted) }
    /// True when there was a deadline and it was missed.
    package var isLate: Bool { request.deadline.map { ended > $0 } ?? false }
}
