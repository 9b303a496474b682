/// Whose quantum a device computes next: a value that is told what is wanted and what time it is.
///
/// **Submit, then ask.** ``next(at:)`` names one quantum, which then runs until ``finished(_:at:)``; at most one runs at a
/// time. The order is that of the classes, and inside a class of slack: the time left until the deadline after the
/// expected cost. A refill with little slack goes as a first audio. Work that fills gaps begins only if no refill, waiting
/// or announced, loses its comfort by it. The numbers are in ``SchedulerConfiguration``. Requests that have an urgency are as
/// pressing as that says when the choice is made: a draft whose turn is over goes as a first audio, however long it waited.
///
/// Whoever calls it brings the time, which should not run backwards. Nothing here is allocated per quantum after the
/// queue has had its longest.
package struct DeadlineScheduler: Sendable {
    /// One submission. Later ones are greater.
    package struct Ticket: Sendable, Hashable, Comparable {
        let number: UInt64

        package static func < (first: Ticket, second: Ticket) -> Bool { first.number < second.number }
    }

    /// What became of a request at the door.
    package enum Submission: Sendable, Equatable {
        /// It waits.
        case waiting(Ticket)
        /// It waits in the place of a less pressing one, which is gone.
        case displacing(Ticket, refused: Ticket)
        /// The queue is full of requests that are as pressing or more.
        case refused
    }

    struct Entry: Sendable {
        let ticket: Ticket
        var request: QuantumRequest
        /// Where its kind's cost is.
        let cost: Int
        let submitted: Duration
    }

    /// The promise of an owner whose quantum has ended to come back soon.
    private struct Reservation: Sendable {
        var owner: Int
        var end: Duration
    }

    /// A refill that is to come.
    private struct Forecast: Sendable {
        var owner: Int
        var deadline: Duration
        var cost: Duration

        var latestStart: Duration { deadline - cost }
    }

    /// In which order waiting requests are taken.
    private enum Rank: Int, Comparable {
        case recognition, firstAudio, standingBack, rescued, refill, speculation, background

        static func < (first: Rank, second: Rank) -> Bool { first.rawValue < second.rawValue }
    }

    /// What every request's rank depends on.
    private struct Circumstances {
        var now: Duration
        /// False while an owner is expected back.
        var gapsAreOpen: Bool
        /// False when first audios have waited long enough for promoted refills.
        var mayPromote: Bool
        /// False when gap-filling work has lately gone before refills.
        var mayRescue: Bool
        /// By how much a quantum may hold up the refills without one of them becoming uncomfortable, once that was worked
        /// out; it matters only where gaps can be filled.
        var room: Room?
    }

    private enum Room {
        case unlimited
        case limited(Duration)

        func holds(_ cost: Duration) -> Bool {
            if case .limited(let room) = self { cost <= room } else { true }
        }
    }

    /// The numbers that it decides by.
    package let configuration: SchedulerConfiguration
    /// What became of the quanta so far.
    package private(set) var statistics: LaneStatistics

    private var waiting: [Entry] = []
    private var running: (entry: Entry, started: Duration)?
    private var reservations: [Reservation] = []
    private var forecasts: [Forecast] = []
    private var costs: [MovingCost] = []
    private var costPlaces: [QuantumKind: Int] = [:]
    private var lastTicket: UInt64 = 0
    private var promotedInARow = 0
    private var lastRescue: Duration?
    /// Latest starts and costs of refills; empty between calls.
    private var demands: [(latestStart: Duration, cost: Duration)] = []

    /// Makes a scheduler without work.
    package init(_ configuration: SchedulerConfiguration = SchedulerConfiguration()) {
        self.configuration = configuration
        statistics = LaneStatistics(window: configuration.window)
    }

    /// Requests that wait.
    package var waitingCount: Int { waiting.count }
    /// True while a quantum runs.
    package var isBusy: Bool { running != nil }
    /// The request that waits longest.
    var firstWaiting: Ticket? { waiting.lazy.map(\.ticket).min() }

    /// What a quantum would cost.
    package func expectedCost(of kind: QuantumKind, units: Int) -> Duration {
        costPlaces[kind].map { costs[$0].expected(units: units) } ?? configuration.costGuess
    }

    // MARK: the queue

    /// Puts a request into the queue. It ends what was expected of its owner, but for a promise that something more pressing than a
    /// refill comes soon: more of a reply is asked for at the moment at which the voice gets its first sentence.
    package mutating func submit(_ request: QuantumRequest, at now: Duration) -> Submission {
        let quantumClass = request.quantumClass
        var refused: Ticket?
        if waiting.count >= configuration.capacity {
            guard let index = displaceable(by: quantumClass) else {
                statistics[quantumClass].refused += 1
                return .refused
            }
            refused = waiting[index].ticket
            statistics[waiting[index].request.quantumClass].refused += 1
            waiting.swapAt(index, waiting.count - 1)
            waiting.removeLast()
        }
        if quantumClass <= .firstAudio { reservations.removeAll { $0.owner == request.owner } }
        if !quantumClass.fillsGaps { forecasts.removeAll { $0.owner == request.owner } }
        lastTicket += 1
        let ticket = Ticket(number: lastTicket)
        waiting.append(Entry(ticket: ticket, request: request, cost: place(of: request.kind), submitted: now))
        statistics[quantumClass].submitted += 1
        return refused.map { .displacing(ticket, refused: $0) } ?? .waiting(ticket)
    }

    /// Takes a waiting request out of the queue.
    /// - Returns: false when it does not wait: it runs, is over, or was refused.
    @discardableResult
    package mutating func cancel(_ ticket: Ticket) -> Bool {
        guard let index = waiting.firstIndex(where: { $0.ticket == ticket }) else { return false }
        statistics[waiting[index].request.quantumClass].cancelled += 1
        waiting.swapAt(index, waiting.count - 1)
        waiting.removeLast()
        return true
    }

    /// Takes an owner's waiting requests of this epoch and of earlier ones out of the queue, and expects nothing of it.
    /// - Returns: their tickets.
    package mutating func cancel(owner: Int, through epoch: Int) -> [Ticket] {
        let tickets = waiting.lazy.filter { $0.request.owner == owner && $0.request.epoch <= epoch }.map(\.ticket)
        let gone = Array(tickets)
        for ticket in gone { cancel(ticket) }
        reservations.removeAll { $0.owner == owner }
        forecasts.removeAll { $0.owner == owner }
        return gone
    }

    /// Takes waiting requests whose work is done in the quantum that runs out of the queue. Their owners are expected back as if it
    /// had been theirs.
    /// - Returns: their tickets.
    package mutating func relieve(_ errands: Set<QuantumRequest.Errand>, at now: Duration) -> [Ticket] {
        let relieved = waiting.filter { $0.request.errand.map(errands.contains) ?? false }
        for entry in relieved {
            waiting.removeAll { $0.ticket == entry.ticket }
            statistics[entry.request.quantumClass].shared += 1
            reserve(for: entry.request, at: now)
        }
        return relieved.map(\.ticket)
    }

    /// Says that an owner will ask for a refill, or for more of one, though nothing of it waits: gaps are then filled with
    /// short work only when the deadline is near. Holds until the owner's next refill is submitted, and at most until the
    /// deadline.
    /// - Parameters:
    ///   - deadline: when its audio runs dry, less a guard; nil when nothing is expected any more.
    ///   - cost: what is to be computed until then.
    ///   - owner: a session's number; not 0.
    package mutating func expect(refillBy deadline: Duration?, costing cost: Duration, of owner: Int) {
        forecasts.removeAll { $0.owner == owner }
        guard let deadline, forecasts.count < configuration.capacity else { return }
        forecasts.append(Forecast(owner: owner, deadline: deadline, cost: cost))
    }

    // MARK: the device

    /// Chooses the quantum that runs now; nil while one runs, when nothing waits, and when what waits has to leave the
    /// device to work that is about to come: then ask again at ``heldUntil(at:)``.
    package mutating func next(at now: Duration) -> Ticket? {
        guard running == nil, !waiting.isEmpty else { return nil }
        for index in waiting.indices { waiting[index].request.renew() }
        reservations.removeAll { $0.end <= now }
        forecasts.removeAll { $0.deadline <= now }
        guard let (index, rank) = choice(at: now) else { return nil }
        note(rank, of: waiting[index].request.quantumClass, at: now)
        waiting.swapAt(index, waiting.count - 1)
        let entry = waiting.removeLast()
        running = (entry, now)
        return entry.ticket
    }

    /// When to ask again if ``next(at:)`` left the device idle though something waits and nothing new has happened; nil
    /// when there is no such time.
    package func heldUntil(at now: Duration) -> Duration? {
        guard running == nil, !waiting.isEmpty else { return nil }
        let ends = reservations.lazy.map(\.end).filter { $0 > now }.min()
        let deadlines = forecasts.lazy.map(\.deadline).filter { $0 > now }.min()
        return [ends, deadlines].compactMap { $0 }.min()
    }

    /// Says that the running quantum is over.
    /// - Parameter units: how much work it was, where that is another number than was asked for.
    package mutating func finished(_ ticket: Ticket, units: Int? = nil, at now: Duration) -> Quantum {
        var (entry, started) = take(ticket)
        if let units { entry.request.units = units }
        let quantum = Quantum(request: entry.request, submitted: entry.submitted, started: started, ended: now)
        costs[entry.cost].learn(quantum.cost, units: entry.request.units)
        statistics.note(quantum)
        reserve(for: entry.request, at: now)
        return quantum
    }

    /// Says that the quantum whose turn came was not computed, because it was cancelled at that moment.
    package mutating func withdrawn(_ ticket: Ticket) {
        let (entry, _) = take(ticket)
        statistics[entry.request.quantumClass].cancelled += 1
    }

    private mutating func take(_ ticket: Ticket) -> (entry: Entry, started: Duration) {
        guard let running, running.entry.ticket == ticket else {
            preconditionFailure("only the quantum whose turn it is can end")
        }
        self.running = nil
        return running
    }

    // MARK: the choice

    private mutating func choice(at now: Duration) -> (index: Int, rank: Rank)? {
        var best: (index: Int, rank: Rank, key: Duration)?
        var circumstances = circumstances(at: now)
        // The newest first: what is pressing mostly has not waited long, and spares a look at what fills gaps.
        for index in waiting.indices.reversed() {
            let entry = waiting[index]
            if let best, best.rank < .rescued, entry.request.quantumClass.fillsGaps { continue }
            guard let rank = rank(of: entry, &circumstances) else { continue }
            let key = rank == .rescued ? entry.submitted : latestStart(of: entry)
            if let best, (best.rank, best.key, waiting[best.index].ticket) < (rank, key, entry.ticket) { continue }
            best = (index, rank, key)
        }
        return best.map { ($0.index, $0.rank) }
    }

    private func circumstances(at now: Duration) -> Circumstances {
        let hasPromotedEnough = promotedInARow >= configuration.promotedInARow
        return Circumstances(
            now: now,
            gapsAreOpen: reservations.isEmpty,
            mayPromote: !(hasPromotedEnough && waiting.contains { $0.request.quantumClass == .firstAudio }),
            mayRescue: lastRescue.map { now - $0 >= configuration.starvation } ?? true
        )
    }

    /// nil when it must not begin now.
    private mutating func rank(of entry: Entry, _ circumstances: inout Circumstances) -> Rank? {
        switch entry.request.quantumClass {
        case .recognition: return .recognition
        case .firstAudio: return .firstAudio
        case .refill:
            if latestStart(of: entry) - circumstances.now < configuration.promotionSlack {
                return circumstances.mayPromote ? .firstAudio : .standingBack
            }
            return circumstances.gapsAreOpen ? .refill : nil
        case .speculation, .background:
            guard circumstances.gapsAreOpen else { return nil }
            let room = circumstances.room ?? room(at: circumstances.now)
            circumstances.room = room
            guard room.holds(cautiousCost(of: entry)) else { return nil }
            let hasStarved = circumstances.now - entry.submitted >= configuration.starvation
            if circumstances.mayRescue, hasStarved { return .rescued }
            return entry.request.quantumClass == .speculation ? .speculation : .background
        }
    }

    /// How long the device can do something else before a refill, waiting or announced, has less than comfortable slack;
    /// each is preceded by those that have to start earlier.
    private mutating func room(at now: Duration) -> Room {
        defer { demands.removeAll(keepingCapacity: true) }
        for forecast in forecasts { demands.append((forecast.latestStart, forecast.cost)) }
        for entry in waiting where entry.request.quantumClass == .refill {
            demands.append((latestStart(of: entry), expectedCost(of: entry)))
        }
        demands.sort { $0.latestStart < $1.latestStart }
        guard !demands.isEmpty else { return .unlimited }
        var (before, room) = (Duration.zero, Duration.seconds(1 << 32))
        for demand in demands {
            let slack = demand.latestStart - before - now - configuration.comfortableSlack
            room = min(room, slack)
            before += demand.cost
        }
        return .limited(room)
    }

    private mutating func note(_ rank: Rank, of quantumClass: QuantumClass, at now: Duration) {
        if rank == .rescued { lastRescue = now }
        if quantumClass == .firstAudio { promotedInARow = 0 }
        guard quantumClass == .refill, rank == .firstAudio else { return }
        let firstAudioWaits = waiting.contains { $0.request.quantumClass == .firstAudio }
        promotedInARow = firstAudioWaits ? promotedInARow + 1 : 0
    }

    private func latestStart(of entry: Entry) -> Duration {
        (entry.request.deadline ?? entry.submitted + configuration.patience) - expectedCost(of: entry)
    }

    private func expectedCost(of entry: Entry) -> Duration { costs[entry.cost].expected(units: entry.request.units) }

    private func cautiousCost(of entry: Entry) -> Duration {
        expectedCost(of: entry) + costs[entry.cost].spread * configuration.caution
    }

    // MARK: bookkeeping

    private mutating func place(of kind: QuantumKind) -> Int {
        if let place = costPlaces[kind] { return place }
        costs.append(MovingCost(guess: configuration.costGuess))
        costPlaces[kind] = costs.count - 1
        return costs.count - 1
    }

    private mutating func reserve(for request: QuantumRequest, at now: Duration) {
        guard request.followUp > .zero, request.quantumClass <= .firstAudio else { return }
        guard reservations.count < configuration.capacity else { return }
        reservations.append(Reservation(owner: request.owner, end: now + request.followUp))
    }

    /// The newest of the least pressing class that waits, if that class is less pressing.
    private func displaceable(by quantumClass: QuantumClass) -> Int? {
        guard let least = waiting.lazy.map(\.request.quantumClass).max(), least > quantumClass else { return nil }
        return waiting.indices.filter { waiting[$0].request.quantumClass == least }.max {
            waiting[$0].ticket < waiting[$1].ticket
        }
    }
}
