internal import Synchronization
internal import VoiceCore

/// The one place where a server's conversations are let in. Anyone may ask at any time.
final class Admission: Sendable {
    typealias Ticket = AdmissionMachine.Ticket

    /// For how long a place is kept for somebody who has been promised it.
    static let reservationLifetime = Duration.seconds(5)

    private let machine: Mutex<AdmissionMachine>
    private let clock: any SessionClock
    private let load: @Sendable () -> Double
    private let maximumLoad: Double
    private let metrics: SessionMetrics
    private let worker: String?

    /// - Parameters:
    ///   - load: how busy the engines are, in [0, 1].
    ///   - maximumLoad: from where on they are too busy for another conversation.
    ///   - worker: this worker's name in a cluster, which its sessions carry.
    init(
        capacity: Int,
        limits: [String: AdmissionMachine.KeyLimits],
        load: @escaping @Sendable () -> Double,
        maximumLoad: Double,
        clock: any SessionClock,
        metrics: SessionMetrics,
        worker: String?
    ) {
        machine = Mutex(AdmissionMachine(capacity: capacity, limits: limits))
        self.load = load
        self.maximumLoad = maximumLoad
        self.clock = clock
        self.metrics = metrics
        self.worker = worker
    }

    var counts: AdmissionMachine.Counts {
        machine.withLock { machine in
            machine.expire(at: clock.now)
            return machine.counts
        }
    }

    var isDraining: Bool { machine.withLock { $0.isDraining } }

    var isEmpty: Bool {
        machine.withLock { machine in
            machine.expire(at: clock.now)
            return machine.isEmpty
        }
    }

    /// How busy the server is, in [0, 1]: the larger of its share of places that are taken and of its engines' load.
    var level: Double {
        let counts = counts
        let taken = Double(counts.active + counts.reserved) / Double(max(1, counts.maximum))
        return min(1, max(taken, load()))
    }

    func holds(_ session: String) -> Bool { machine.withLock { $0.holds(session) } }

    func expects(_ session: String) -> Bool {
        machine.withLock { machine in
            machine.expire(at: clock.now)
            return machine.expects(session)
        }
    }

    func drain() { machine.withLock { $0.drain() } }

    /// Reserves a place for a new conversation.
    /// - Parameter session: its name; nil to make one up.
    func reserve(_ session: String? = nil, for key: String?) throws(Refusal) -> String {
        let session = session ?? makeName()
        let (isBusy, now) = (isBusy, clock.now)
        try note { machine throws(Refusal) in
            try machine.reserve(session, for: key, isBusy: isBusy, lifetime: Self.reservationLifetime, at: now)
        }
        return session
    }

    /// Keeps a reservation for as long again: the client is about to connect.
    func extend(_ session: String) {
        machine.withLock { $0.extend(session, by: Self.reservationLifetime, at: clock.now) }
    }

    /// Gives a reservation up.
    func cancel(_ session: String) { machine.withLock { $0.cancel(session) } }

    /// Takes a place, the reserved one if there is one.
    func enter(_ session: String, for key: String?) throws(Refusal) -> Ticket {
        let (isBusy, now) = (isBusy, clock.now)
        return try note { machine throws(Refusal) in try machine.enter(session, for: key, isBusy: isBusy, at: now) }
    }

    func leave(_ ticket: Ticket) { machine.withLock { $0.leave(ticket) } }

    /// Counts somebody who was refused before it came to places.
    func noteRefusal(_ refusal: Refusal) {
        machine.withLock { $0.noteRefusal() }
        metrics.refused(refusal)
    }

    /// The name of a conversation that is about to begin; nobody can guess it.
    func makeName() -> String {
        let random = [UInt64.random(in: .min ... .max), .random(in: .min ... .max)].map { String($0, radix: 36) }
            .joined()
        return worker.map { "\($0).\(random)" } ?? random
    }

    private var isBusy: Bool { load() >= maximumLoad }

    private func note<Result>(
        _ step: (inout AdmissionMachine) throws(Refusal) -> Result
    ) throws(Refusal) -> Result {
        let outcome = machine.withLock { machine -> Swift.Result<Result, Refusal> in
            do throws(Refusal) { return .success(try step(&machine)) } catch { return .failure(error) }
        }
        if case .failure(let refusal) = outcome { metrics.refused(refusal) }
        return try outcome.get()
    }
}
