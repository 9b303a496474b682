package import CoreMetrics
internal import Synchronization
package import VoiceCore

/// Several equal servers of one engine, any of which may do what is asked.
///
/// **Lease a server for each request or session, say what became of it, and let ``run()`` watch them all the while.** Without ``run()`` a server
/// that failed is tried again after its pause. Shared by all conversations of a process.
package final class ServerPool: Sendable {
    /// One of the servers.
    package struct Server: Sendable, Equatable {
        /// What people and metrics call it: its address without what may be secret.
        package var name: String
        /// The address that tells of its health.
        package var health: String

        /// Makes a server.
        package init(name: String, health: String) {
            self.name = name
            self.health = health
        }
    }

    private struct State {
        var machine: PoolMachine
        /// The leases, by number.
        var leases: [Int: (server: Int, alarm: LeaseAlarm)] = [:]
        var number = 0
    }

    /// `asr`, `llm` or `tts`.
    package let engine: String
    /// All servers, in the order in which they were given.
    package let servers: [Server]
    private let state: Mutex<State>
    private let clock: any SessionClock
    private let metrics: PoolMetrics
    private let check: @Sendable (Server) async -> HealthFinding
    private let report: @Sendable (Server, PoolMachine.Change) -> Void
    /// Raised when a check may be due earlier than was known.
    private let hurry: Signal

    /// Makes a pool whose servers count as well.
    /// - Parameters:
    ///   - engine: `asr`, `llm` or `tts`.
    ///   - limits: how they are watched.
    ///   - clock: for all pauses.
    ///   - seed: of what is left to chance.
    ///   - factory: keeps the numbers.
    ///   - report: told of every change of a server.
    package convenience init(
        _ engine: String,
        _ servers: [Server],
        limits: PoolLimits = PoolLimits(),
        clock: any SessionClock = SystemClock(),
        seed: UInt64 = .random(in: .min ... .max),
        factory: any MetricsFactory = MetricsSystem.factory,
        report: @escaping @Sendable (Server, PoolMachine.Change) -> Void = { _, _ in }
    ) {
        let check = HealthCheck(patience: limits.patience)
        self.init(engine, servers, limits: limits, clock: clock, seed: seed, factory: factory, report: report) {
            await check.finding(at: $0.health)
        }
    }

    /// The same with a way to look after a server.
    init(
        _ engine: String,
        _ servers: [Server],
        limits: PoolLimits,
        clock: any SessionClock,
        seed: UInt64,
        factory: any MetricsFactory,
        report: @escaping @Sendable (Server, PoolMachine.Change) -> Void,
        check: @escaping @Sendable (Server) async -> HealthFinding
    ) {
        self.engine = engine
        self.servers = servers
        self.clock = clock
        self.report = report
        self.check = check
        state = Mutex(State(machine: PoolMachine(servers: servers.count, limits: limits, seed: seed)))
        metrics = PoolMetrics(engine, servers: servers.map(\.name), factory: factory)
        hurry = Signal(clock: clock)
        metrics.show(servers.map { _ in .healthy })
    }

    /// Checks the servers until cancelled. One task.
    package func run() async {
        await withDiscardingTaskGroup { group in
            while !Task.isCancelled {
                for server in state.withLock({ $0.machine.beginChecks(at: clock.now) }) {
                    group.addTask { [self] in
                        let finding = await check(servers[server])
                        guard !Task.isCancelled else { return }
                        change { $0.checked(server, finding, at: clock.now) }
                        hurry.raise()
                    }
                }
                await wait(until: state.withLock { $0.machine.nextCheck })
            }
            group.cancelAll()
        }
    }

    private func wait(until deadline: Duration?) async {
        await withTaskGroup(of: Void.self) { [hurry, clock] group in
            group.addTask { await hurry.wait() }
            if let deadline { group.addTask { try? await clock.sleep(until: deadline) } }
            await group.next()
            group.cancelAll()
        }
    }

    // MARK: - Leases

    /// Takes a server for a request or a session; it counts until the lease's last reference goes.
    /// - Parameters:
    ///   - home: the server that is preferred, because it remembers.
    ///   - others: servers that it must not be.
    /// - Returns: nil when there is none; ``trouble`` says why.
    package func lease(preferring home: Int? = nil, except others: Set<Int> = []) -> ServerLease? {
        let alarm = LeaseAlarm(clock: clock)
        let taken = state.withLock { state -> (server: Int, number: Int)? in
            guard let server = state.machine.choose(preferring: home, except: others, at: clock.now) else { return nil }
            state.number += 1
            state.leases[state.number] = (server, alarm)
            return (server, state.number)
        }
        guard let taken else { return nil }
        metrics.asked(taken.server)
        return ServerLease(taken.server, of: self, number: taken.number, alarm: alarm)
    }

    /// What is wrong with all the servers, for an error: `ws://a:8080 is down, ws://b:8080 is full`.
    package var trouble: String {
        let states = state.withLock { state in servers.indices.map { state.machine.state(of: $0, at: clock.now) } }
        return zip(servers, states).map { "\($0.name) \(Self.words(for: $1))" }.joined(separator: ", ")
    }

    private static func words(for state: ServerState) -> String {
        switch state {
        case .healthy: "did not do it"
        case .suspect: "failed"
        case .full: "is full"
        case .down: "is down"
        }
    }

    /// What the pool thinks of each server now.
    package var states: [ServerState] {
        state.withLock { state in servers.indices.map { state.machine.state(of: $0, at: clock.now) } }
    }

    /// A conversation is at home on another server now; nil for none.
    package func move(from old: Int?, to new: Int?) {
        guard old != new else { return }
        state.withLock { $0.machine.move(from: old, to: new) }
    }

    /// Notes that something went on on another server than that on which it began.
    package func failedOver() { metrics.failedOver() }

    func note(_ verdict: PoolVerdict, of server: Int) {
        change { $0.note(verdict, of: server, at: clock.now) }
        if verdict == .failed || verdict == .slow { hurry.raise() }
    }

    func giveBack(_ number: Int) {
        state.withLock { state in
            guard let lease = state.leases.removeValue(forKey: number) else { return }
            state.machine.giveBack(lease.server)
        }
    }

    /// Changes what is known, and tells whom it concerns.
    private func change(_ body: (inout PoolMachine) -> Void) {
        let (changes, alarms, all) = state.withLock { state in
            body(&state.machine)
            let changes = state.machine.takeChanges()
            let dead = Set(changes.filter(\.isDead).map(\.server))
            let alarms = dead.isEmpty ? [] : state.leases.values.filter { dead.contains($0.server) }.map(\.alarm)
            let all = changes.isEmpty ? [] : servers.indices.map { state.machine.state(of: $0, at: clock.now) }
            return (changes, alarms, all)
        }
        guard !changes.isEmpty else { return }
        alarms.forEach { $0.raise() }
        metrics.show(all)
        for change in changes { report(servers[change.server], change) }
    }
}
