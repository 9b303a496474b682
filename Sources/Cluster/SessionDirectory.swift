package import VoiceCore

/// Where it is known who holds which conversation, and what was said in it: in this process, or in a store that several
/// workers share.
///
/// A session has one owner at a time. Whoever claims it becomes the owner, and every earlier owner is fenced: what it writes
/// with its old lease is refused, so that it finds out and stops. All methods return or throw within a second or two, whatever
/// the store does; cancellation ends them at once.
package protocol SessionDirectory: Sendable {
    /// Becomes the owner of a session, of a new one too. The latest claim wins.
    ///
    /// - Parameter isNew: whether the session was made up just now by this worker. Such a claim succeeds without the store: the
    ///   session is then known to this worker only, until the store is back.
    /// - Throws: ``VoiceError/Code/unavailable`` if the store does not answer.
    func claim(_ session: String, isNew: Bool) async throws(VoiceError) -> SessionLease

    /// Adds to what was said in a session, in order.
    ///
    /// - Returns: false if somebody else has the session by now: it must end here. True otherwise, also while the store does not
    ///   answer: what is to be added is then kept, up to a bound, and added later.
    func append(_ messages: [ChatMessage], to lease: SessionLease) async -> Bool

    /// Gives a session up. What was said in it is kept for a while if the person may come back.
    func release(_ lease: SessionLease, mayComeBack: Bool) async

    /// Returns once somebody else has claimed the session, about a second later at most, or when the task is cancelled. At once for a
    /// lease that was given up.
    func waitForLoss(of lease: SessionLease) async

    /// Notes that a one-time token was used.
    ///
    /// - Parameters:
    ///   - token: its identifier.
    ///   - lifetime: how long it would have been valid; afterwards it is forgotten.
    /// - Returns: false if it was used before.
    /// - Throws: ``VoiceError/Code/unavailable`` if the store does not answer.
    func spend(_ token: String, for lifetime: Duration) async throws(VoiceError) -> Bool

    /// The workers that were heard of in the last seconds, this one too, as they said of themselves.
    func workers() async -> [WorkerStatus]

    /// Tells the others how this worker is. Called about once a second, and at once when `state` changes.
    func publish(_ status: WorkerStatus) async
}

/// The right to hold a session.
package struct SessionLease: Sendable, Equatable {
    /// The session's name.
    package var session: String
    /// The number of the claim, from 1; 0 while only this worker knows of it.
    package var epoch: Int
    /// What was said in it before, without instructions; empty for a new session.
    package var history: [ChatMessage]
    /// Tells the claim from all others of the directory that gave it.
    package var claim: UInt64

    /// Makes a lease. Only directories do.
    package init(session: String, epoch: Int, history: [ChatMessage] = [], claim: UInt64 = 0) {
        self.session = session
        self.epoch = epoch
        self.history = history
        self.claim = claim
    }
}

/// How a worker is.
package struct WorkerStatus: Sendable, Equatable {
    /// What it does with new sessions.
    package enum State: String, Sendable {
        /// Takes them, as far as there is room.
        case ready
        /// Takes none: it ends when the last of its own is over.
        case draining
    }

    /// Its name: 1 to 63 letters, digits, `-` and `_`; sessions that it began carry it before a dot.
    package var worker: String
    /// Host and port by which the edge and other workers reach it.
    package var address: String
    /// What it does with new sessions.
    package var state: State
    /// Conversations that it may hold.
    package var capacity: Int
    /// Conversations that it holds, and places that are reserved.
    package var used: Int
    /// The larger of `used` / `capacity` and how busy its engines are, in [0, 1].
    package var load: Double
    /// The program's version.
    package var version: String

    /// Makes a status.
    package init(
        worker: String,
        address: String,
        state: State,
        capacity: Int,
        used: Int,
        load: Double,
        version: String
    ) {
        self.worker = worker
        self.address = address
        self.state = state
        self.capacity = capacity
        self.used = used
        self.load = load
        self.version = version
    }
}
