internal import Synchronization
package import VoiceCore

/// A directory of one process: what it knows ends with it.
package final class LocalDirectory: SessionDirectory {
    /// How much is remembered.
    package struct Limits: Sendable {
        /// Sessions that were given up and may come back; the one that waited longest is forgotten for one more.
        package var sessions: Int
        /// How long such a session is remembered.
        package var memory: Duration
        /// One-time tokens; more are refused until some have expired.
        package var tokens: Int

        /// Makes limits.
        package init(sessions: Int = 1000, memory: Duration = .seconds(600), tokens: Int = 100_000) {
            self.sessions = sessions
            self.memory = memory
            self.tokens = tokens
        }
    }

    fileprivate struct Session {
        var claim: UInt64
        var epoch: Int
        var log: SessionLog
        /// When it was given up; nil while it is held.
        var released: Duration?
    }

    fileprivate struct State {
        var sessions: [String: Session] = [:]
        /// Names of sessions that were given up, in that order; those that came back are in it still.
        var released: [(session: String, at: Duration)] = []
        var claims: UInt64 = 0
        /// Who waits for the loss of a claim.
        var waiters = Waiters()
        /// When a token is forgotten.
        var tokens: [String: Duration] = [:]
        var status: WorkerStatus?
    }

    private let limits: Limits
    private let clock: any SessionClock
    private let state = Mutex(State())

    /// Makes an empty directory.
    package init(limits: Limits = Limits(), clock: any SessionClock) {
        self.limits = limits
        self.clock = clock
    }

    /// See ``SessionDirectory/claim(_:isNew:)``. Never throws.
    package func claim(_ session: String, isNew: Bool) async throws(VoiceError) -> SessionLease {
        let (claimed, fenced) = state.withLock { state in
            forget(&state)
            let before = state.sessions[session]
            state.claims += 1
            let claimed = Session(
                claim: state.claims,
                epoch: (before?.epoch ?? 0) + 1,
                log: before?.log ?? SessionLog()
            )
            state.sessions[session] = claimed
            return (claimed, before.map { state.waiters.take($0.claim) } ?? [])
        }
        for waiter in fenced { waiter.finish() }
        let history = claimed.log.history.messages
        return SessionLease(session: session, epoch: claimed.epoch, history: history, claim: claimed.claim)
    }

    /// See ``SessionDirectory/append(_:to:)``.
    package func append(_ messages: [ChatMessage], to lease: SessionLease) async -> Bool {
        let texts = messages.compactMap { try? SessionLog.text(of: $0) }
        return state.withLock { state in
            guard state.holds(lease) else { return false }
            for text in texts { _ = state.sessions[lease.session]?.log.add(text) }
            return true
        }
    }

    /// See ``SessionDirectory/release(_:mayComeBack:)``.
    package func release(_ lease: SessionLease, mayComeBack: Bool) async {
        let waiters = state.withLock { state -> [Mailbox<Never>] in
            guard state.holds(lease) else { return [] }
            if mayComeBack {
                state.sessions[lease.session]?.released = clock.now
                state.released.append((lease.session, clock.now))
            } else {
                state.sessions[lease.session] = nil
            }
            forget(&state)
            return state.waiters.take(lease.claim)
        }
        for waiter in waiters { waiter.finish() }
    }

    /// See ``SessionDirectory/waitForLoss(of:)``.
    package func waitForLoss(of lease: SessionLease) async {
        let waiter = Mailbox<Never>(capacity: 1, overflow: .dropOldest, clock: clock)
        let isHeld = state.withLock { state in
            guard state.holds(lease) else { return false }
            state.waiters.add(waiter, for: lease.claim)
            return true
        }
        guard isHeld else { return }
        _ = await waiter.next()
        state.withLock { $0.waiters.remove(waiter, for: lease.claim) }
    }

    /// See ``SessionDirectory/spend(_:for:)``.
    /// - Throws: `exhausted` when more tokens are in use than can be remembered.
    package func spend(_ token: String, for lifetime: Duration) async throws(VoiceError) -> Bool {
        let now = clock.now
        let isNew = state.withLock { state -> Bool? in
            if let end = state.tokens[token], end > now { return false }
            if state.tokens.count >= limits.tokens { state.tokens = state.tokens.filter { $0.value > now } }
            guard state.tokens.count < limits.tokens else { return nil }
            state.tokens[token] = now + lifetime
            return true
        }
        guard let isNew else {
            throw VoiceError(.exhausted, "\(limits.tokens) one-time tokens are in use: no more can be remembered")
        }
        return isNew
    }

    /// This worker, once it has said how it is.
    package func workers() async -> [WorkerStatus] { state.withLock { $0.status.map { [$0] } ?? [] } }

    /// See ``SessionDirectory/publish(_:)``.
    package func publish(_ status: WorkerStatus) async { state.withLock { $0.status = status } }

    /// Forgets sessions that did not come back.
    private func forget(_ state: inout State) {
        let now = clock.now
        while let oldest = state.released.first,
            oldest.at + limits.memory <= now || state.released.count > limits.sessions
        {
            state.released.removeFirst()
            if state.sessions[oldest.session]?.released == oldest.at { state.sessions[oldest.session] = nil }
        }
    }
}

extension LocalDirectory.State {
    /// Whether a lease is good.
    fileprivate func holds(_ lease: SessionLease) -> Bool {
        sessions[lease.session].map { $0.claim == lease.claim && $0.released == nil } ?? false
    }
}
