internal import Synchronization
package import VoiceCore

/// One device, and one quantum on it at a time.
///
///     let token = try await lane.run(QuantumRequest(decode, .firstAudio, owner: session)) { try context.decode(...) }
///
/// **The lane grants, the engine computes.** The body runs where the caller is: on an actor with an ``EngineExecutor`` that
/// is its thread, and the body may touch the actor's state, which it has to read anew, for others may have changed it
/// during the wait. Who waits, waits suspended; where the lane is free nobody suspends. Which request is next is the
/// ``DeadlineScheduler``'s decision.
///
/// Cancelling a task that waits takes its request out of the queue at once; a quantum under way runs to its end.
package final class Lane: Sendable {
    private typealias Ticket = DeadlineScheduler.Ticket

    /// What somebody who waits is told.
    private enum Outcome: Sendable {
        case granted, cancelled, refused
        /// The work was done in a quantum of others.
        case relieved
        /// Keep waiting, but see to it that the lane looks again at this time: nothing else may happen until then.
        case held(until: Duration)
    }

    private enum Entrance: Sendable {
        case granted(Ticket), waits(Ticket), refused
    }

    private typealias Wait = CheckedContinuation<Outcome, Never>
    private typealias Message = (wait: Wait, outcome: Outcome)

    private struct State {
        var scheduler: DeadlineScheduler
        var waits: [Ticket: Wait] = [:]
        /// Told before the wait began.
        var early: [Ticket: Outcome] = [:]
        /// Who looks at the clock while the lane is held for work to come.
        var timekeeper: (ticket: Ticket, until: Duration)?
    }

    /// The device's name, for traces and metrics.
    package let name: String
    private let clock: any SessionClock
    private let observer: (@Sendable (Quantum) -> Void)?
    private let state: Mutex<State>

    /// Makes a lane for a device that nobody else computes on.
    /// - Parameters:
    ///   - name: the device's name.
    ///   - clock: the one that deadlines are on.
    ///   - configuration: how it decides.
    ///   - observer: called after each quantum where that was computed, so it has to be quick.
    package init(
        name: String,
        clock: any SessionClock = SystemClock(),
        configuration: SchedulerConfiguration = SchedulerConfiguration(),
        observer: (@Sendable (Quantum) -> Void)? = nil
    ) {
        self.name = name
        self.clock = clock
        self.observer = observer
        state = Mutex(State(scheduler: DeadlineScheduler(configuration)))
    }

    /// Waits for the device, computes and gives the device back.
    /// - Parameters:
    ///   - request: what is computed, for whom and until when.
    ///   - body: the quantum; runs once, where the caller is, without interruption.
    /// - Throws: what the body throws; ``VoiceError/Code/cancelled`` when the task or the request was cancelled before its
    ///   turn, ``VoiceError/Code/exhausted`` when too many wait. The body does not run then.
    nonisolated(nonsending) package func run<Result>(
        _ request: QuantumRequest,
        _ body: () throws(VoiceError) -> Result
    ) async throws(VoiceError) -> Result {
        let ticket = try await admitAlone(request)
        defer { leave(ticket) }
        return try body()
    }

    /// Waits and computes as ``run(_:_:)`` does, unless another quantum does this work meanwhile.
    ///
    /// Of several that wait for what can be computed together each waits with an urgency of its own; the body of the one
    /// whose turn comes first computes for all, and says so to the others with ``relieve(_:)``.
    /// - Parameters:
    ///   - request: has an errand.
    ///   - body: the quantum; returns how much work it was, too.
    /// - Returns: nil where the work was done in another quantum.
    nonisolated(nonsending) package func share<Result>(
        _ request: QuantumRequest,
        _ body: () throws(VoiceError) -> (Result, units: Int)
    ) async throws(VoiceError) -> Result? {
        guard let ticket = try await admit(request) else { return nil }
        var units: Int?
        defer { leave(ticket, units: units) }
        let (result, count) = try body()
        units = count
        return result
    }

    /// Tells those who wait for these errands that they are done. To be called in a quantum.
    package func relieve(_ errands: Set<QuantumRequest.Errand>) {
        change { state, now in
            state.scheduler.relieve(errands, at: now).compactMap { Self.tell(.relieved, $0, &state) }
        }
    }

    /// Does what ``run(_:_:)`` does for a quantum whose body waits for something, such as a device that is only simulated.
    /// - Parameter body: the quantum; the device is taken until it returns.
    nonisolated(nonsending) package func occupy<Result>(
        _ request: QuantumRequest,
        _ body: () async throws(VoiceError) -> Result
    ) async throws(VoiceError) -> Result {
        let ticket = try await admitAlone(request)
        defer { leave(ticket) }
        return try await body()
    }

    /// Waits until it is the turn of a request that nobody else can do.
    nonisolated(nonsending) private func admitAlone(_ request: QuantumRequest) async throws(VoiceError) -> Ticket {
        guard let ticket = try await admit(request) else {
            throw VoiceError(.fault, "\(request.kind) was lost.")
        }
        return ticket
    }

    /// Waits until it is this request's turn; nil when its work was done in another's.
    nonisolated(nonsending) private func admit(_ request: QuantumRequest) async throws(VoiceError) -> Ticket? {
        guard !Task.isCancelled else { throw Self.error(.cancelled, request) }
        switch enter(request) {
        case .granted(let ticket): return ticket
        case .waits(let ticket): return try await wait(ticket, request) ? ticket : nil
        case .refused: throw Self.error(.refused, request)
        }
    }

    /// Takes an owner's waiting requests of this epoch and of earlier ones out of the queue; who waits for them gets
    /// ``VoiceError/Code/cancelled``.
    package func cancel(owner: Int, through epoch: Int) {
        change { state, _ in
            state.scheduler.cancel(owner: owner, through: epoch).compactMap { Self.tell(.cancelled, $0, &state) }
        }
    }

    /// Says that an owner will ask for a refill; see ``DeadlineScheduler/expect(refillBy:costing:of:)``.
    package func expect(refillBy deadline: Duration?, costing cost: Duration, of owner: Int) {
        change { state, _ in
            state.scheduler.expect(refillBy: deadline, costing: cost, of: owner)
            return []
        }
    }

    /// What became of the quanta so far.
    package var statistics: LaneStatistics { state.withLock { $0.scheduler.statistics } }

    /// The share of the recent time that the device was taken, 0...1, and by which class if one is given.
    package func utilisation(of quantumClass: QuantumClass? = nil) -> Double {
        statistics.utilisation(of: quantumClass, at: clock.now)
    }

    /// What a quantum would cost, as far as is known.
    package func expectedCost(of kind: QuantumKind, units: Int) -> Duration {
        state.withLock { $0.scheduler.expectedCost(of: kind, units: units) }
    }

    /// Requests that wait.
    package var waitingCount: Int { state.withLock { $0.scheduler.waitingCount } }

    // MARK: waiting

    private func enter(_ request: QuantumRequest) -> Entrance {
        let now = clock.now
        let (entrance, messages) = state.withLock { state -> (Entrance, [Message]) in
            var messages: [Message] = []
            let ticket: Ticket
            switch state.scheduler.submit(request, at: now) {
            case .refused: return (.refused, [])
            case .waiting(let submitted): ticket = submitted
            case .displacing(let submitted, let refused):
                ticket = submitted
                if let message = Self.tell(.refused, refused, &state) { messages.append(message) }
            }
            if let next = state.scheduler.next(at: now) {
                if next == ticket { return (.granted(ticket), messages) }
                if let message = Self.tell(.granted, next, &state) { messages.append(message) }
            } else if let message = Self.hold(&state, at: now) {
                messages.append(message)
            }
            return (.waits(ticket), messages)
        }
        Self.deliver(messages)
        return entrance
    }

    /// - Returns: false when the work was done in another quantum.
    nonisolated(nonsending) private func wait(
        _ ticket: Ticket,
        _ request: QuantumRequest
    ) async throws(VoiceError) -> Bool {
        var alarm: Duration?
        while true {
            let outcome = await outcome(for: ticket, lookingAt: alarm)
            switch outcome {
            case .held(let until): alarm = until
            case .relieved: return false
            case .granted where !Task.isCancelled: return true
            case .granted:
                change { state, _ in
                    state.scheduler.withdrawn(ticket)
                    return []
                }
                throw Self.error(.cancelled, request)
            case .cancelled, .refused: throw Self.error(outcome, request)
            }
        }
    }

    nonisolated(nonsending) private func outcome(for ticket: Ticket) async -> Outcome {
        await withTaskCancellationHandler {
            await withCheckedContinuation { wait in
                let early = state.withLock { state -> Outcome? in
                    if let outcome = state.early.removeValue(forKey: ticket) { return outcome }
                    state.waits[ticket] = wait
                    return nil
                }
                if let early { wait.resume(returning: early) }
            }
        } onCancel: {
            change { state, _ in
                // Otherwise its turn has come; then it finds out by itself.
                guard state.scheduler.cancel(ticket) else { return [] }
                return Self.tell(.cancelled, ticket, &state).map { [$0] } ?? []
            }
        }
    }

    /// Waits, and looks after the lane at a time if one is given.
    nonisolated(nonsending) private func outcome(for ticket: Ticket, lookingAt time: Duration?) async -> Outcome {
        guard let time else { return await outcome(for: ticket) }
        return await withTaskGroup(of: Void.self) { group in
            group.addTask { [clock] in
                do { try await clock.sleep(until: time) } catch { return }
                self.look(for: ticket)
            }
            defer { group.cancelAll() }
            return await outcome(for: ticket)
        }
    }

    private func look(for ticket: Ticket) {
        change { state, _ in
            if state.timekeeper?.ticket == ticket { state.timekeeper = nil }
            return []
        }
    }

    private func leave(_ ticket: Ticket, units: Int? = nil) {
        let now = clock.now
        let (quantum, messages) = state.withLock { state in
            let quantum = state.scheduler.finished(ticket, units: units, at: now)
            return (quantum, Self.turn(&state, at: now).map { [$0] } ?? [])
        }
        Self.deliver(messages)
        observer?(quantum)
    }

    /// Changes what waits, and gives the device to whoever may have it now.
    private func change(_ body: (inout State, Duration) -> [Message]) {
        let now = clock.now
        let messages = state.withLock { state in
            var messages = body(&state, now)
            if let message = Self.turn(&state, at: now) { messages.append(message) }
            return messages
        }
        Self.deliver(messages)
    }

    // MARK: with the lock held

    private static func turn(_ state: inout State, at now: Duration) -> Message? {
        guard let next = state.scheduler.next(at: now) else { return hold(&state, at: now) }
        return tell(.granted, next, &state)
    }

    /// Makes somebody look at the clock if the device is idle for the sake of work to come.
    private static func hold(_ state: inout State, at now: Duration) -> Message? {
        guard let until = state.scheduler.heldUntil(at: now) else { return nil }
        if let timekeeper = state.timekeeper, timekeeper.until <= until { return nil }
        guard let ticket = state.timekeeper?.ticket ?? state.scheduler.firstWaiting else { return nil }
        let message = tell(.held(until: until), ticket, &state)
        state.timekeeper = (ticket, until)
        return message
    }

    private static func tell(_ outcome: Outcome, _ ticket: Ticket, _ state: inout State) -> Message? {
        if state.timekeeper?.ticket == ticket { state.timekeeper = nil }
        guard let wait = state.waits.removeValue(forKey: ticket) else {
            state.early[ticket] = outcome
            return nil
        }
        return (wait, outcome)
    }

    private static func deliver(_ messages: [Message]) {
        for message in messages { message.wait.resume(returning: message.outcome) }
    }

    private static func error(_ outcome: Outcome, _ request: QuantumRequest) -> VoiceError {
        if case .refused = outcome {
            return VoiceError(
                .exhausted,
                "Too much work waits for the device: \(request.kind) was refused. Allow fewer sessions."
            )
        }
        return VoiceError(.cancelled, "\(request.kind) was cancelled before its turn.")
    }
}

extension Lane? {
    /// Runs a quantum on the lane, or at once where there is none. See ``Lane/run(_:_:)``.
    nonisolated(nonsending) package func run<Result>(
        _ request: QuantumRequest,
        _ body: () throws(VoiceError) -> Result
    ) async throws(VoiceError) -> Result {
        guard let self else { return try body() }
        return try await self.run(request, body)
    }
}
