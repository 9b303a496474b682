internal import NIOCore
internal import NIOPosix
internal import VoiceCore

/// Callers on event loops of their own, as other tasks see them.
struct Crowd: Sendable {
    /// How many callers dial in a second.
    private static let pace = 100
    /// How long all of them may take to be connected.
    private static let patience = Duration.seconds(60)
    private static let look = Duration.milliseconds(50)

    private let loops: [any EventLoop]
    private let offices: [NIOLoopBound<CallerOffice>]
    private let clock: any SessionClock

    /// Gathers a crowd for as long as `body` runs; then all hang up.
    ///
    /// - Parameter threads: event loops that the callers share.
    static func with<Result: Sendable>(
        _ plan: CallerPlan,
        threads: Int,
        clock: any SessionClock,
        _ body: @Sendable (Crowd) async throws -> Result
    ) async throws -> Result {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: threads)
        let crowd = await Crowd(plan, group, clock)
        let outcome: Swift.Result<Result, any Error>
        do { outcome = .success(try await body(crowd)) } catch { outcome = .failure(error) }
        await crowd.hangUp()
        try await group.shutdownGracefully()
        return try outcome.get()
    }

    private init(_ plan: CallerPlan, _ group: MultiThreadedEventLoopGroup, _ clock: any SessionClock) async {
        self.clock = clock
        loops = Array(group.makeIterator())
        var offices: [NIOLoopBound<CallerOffice>] = []
        for loop in loops {
            let office = try? await loop.submit {
                NIOLoopBound(CallerOffice(plan, loop: loop, clock: clock), eventLoop: loop)
            }.get()
            if let office { offices.append(office) }
        }
        self.offices = offices
    }

    /// Has so many more callers dial, one after the other, and waits until each is connected or was refused.
    /// - Parameter first: the number of the first.
    /// - Throws: `cancelled`; `unavailable` when it takes too long.
    func dial(_ count: Int, from first: Int = 0) async throws {
        let began = clock.now
        for index in 0..<count {
            let loop = index % loops.count
            loops[loop].execute { [office = offices[loop]] in office.value.add(first + index) }
            try await clock.sleep(until: began + .seconds(1) * (index + 1) / Self.pace)
        }
        while true {
            guard await gather({ $0.arrived }).reduce(0, +) < first + count else { return }
            guard clock.now - began < Self.patience else {
                throw VoiceError(.unavailable, "the server took more than \(Self.patience) for \(count) connections")
            }
            try await clock.sleep(until: clock.now + Self.look)
        }
    }

    /// Waits until nobody has said anything for a while, neither caller nor agent; not longer than the limit.
    func waitForRest(atMost limit: Duration) async throws {
        let end = clock.now + limit
        var restful = clock.now
        while clock.now < end, clock.now - restful < .seconds(2) {
            try await clock.sleep(until: clock.now + Self.look)
            if await gather({ $0.isAtRest }).contains(false) { restful = clock.now }
        }
    }

    /// Has all callers ask from now on.
    func talk() async { _ = await gather { $0.talk() } }

    /// What all noticed since the last time, and how late the crowd's own clock was.
    func takeNotes() async -> (notes: CallerNotes, lag: [Float]) {
        var all = (notes: CallerNotes(), lag: [Float]())
        for (notes, lag) in await gather({ $0.takeNotes() }) {
            all.notes += notes
            all.lag += lag
        }
        return all
    }

    /// Conversations that go on.
    func talking() async -> Int { await gather { $0.talking }.reduce(0, +) }

    private func hangUp() async {
        _ = await gather { $0.stop() }
        // What was said last is to leave before the loops stop.
        try? await clock.sleep(until: clock.now + .milliseconds(300))
    }

    private func gather<Value: Sendable>(_ body: @escaping @Sendable (CallerOffice) -> Value) async -> [Value] {
        var values: [Value] = []
        for (loop, office) in zip(loops, offices) {
            if let value = try? await loop.submit({ body(office.value) }).get() { values.append(value) }
        }
        return values
    }
}
