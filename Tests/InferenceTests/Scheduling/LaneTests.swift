internal import Inference
internal import Synchronization
internal import Testing
internal import VoiceCore

/// Waits until something has come about; the suite's own limit ends a wait for what never does.
private func until(_ condition: @Sendable () async -> Bool) async {
    while await !condition() { await Task.yield() }
}

/// How a piece of work fails; nil when it does not.
private func failure(of work: @Sendable () async throws -> Void) async -> VoiceError.Code? {
    do { try await work() } catch { return (error as? VoiceError)?.code }
    return nil
}

/// A number that many tasks change.
private final class Counter: Sendable {
    private let count = Atomic(0)

    var value: Int { count.load(ordering: .relaxed) }

    @discardableResult
    func add(_ step: Int) -> Int { count.add(step, ordering: .relaxed).newValue }
}

struct LaneTests {
    /// An engine whose quanta can be held open by another that waits for the lane.
    private actor Engine {
        let lane: Lane
        private(set) var order: [Int] = []

        init(_ lane: Lane) { self.lane = lane }

        func step(_ number: Int, _ quantumClass: QuantumClass, owner: Int = 0, epoch: Int = 0) async throws {
            try await lane.run(QuantumRequest(.step, quantumClass, owner: owner, epoch: epoch)) { order.append(number) }
        }
    }

    /// Takes a lane's device until it is told to give it back.
    private final class Plug: Sendable {
        private let isOut = Mutex(false)
        private let isIn = Mutex(false)

        func pull() { isOut.withLock { $0 = true } }

        func sit(on lane: Lane) async throws {
            try await EngineExecutor(name: "plug").run(lane) {
                self.isIn.withLock { $0 = true }
                while !self.isOut.withLock({ $0 }) {}
            }
        }

        func hasSat() async { await until { self.isIn.withLock { $0 } } }
    }

    /// An engine whose step does the work of all who wait.
    private actor SharingEngine {
        let lane: Lane
        private(set) var steps: [[UInt64]] = []
        private var wanted: [UInt64] = []

        init(_ lane: Lane) { self.lane = lane }

        /// Whether it was done in a quantum of its own.
        func step(_ number: UInt64, _ quantumClass: QuantumClass) async throws -> Bool {
            wanted.append(number)
            var request = QuantumRequest(.step, quantumClass, owner: Int(number))
            request.errand = QuantumRequest.Errand(of: self, number: number)
            defer { wanted.removeAll { $0 == number } }
            let own: Bool? = try await lane.share(request) {
                steps.append(wanted.sorted())
                lane.relieve(Set(wanted.filter { $0 != number }.map { QuantumRequest.Errand(of: self, number: $0) }))
                return (true, units: wanted.count)
            }
            return own ?? false
        }
    }

    @Test func `the one whose turn comes first does the work of all who wait for the same`() async throws {
        let lane = Lane(name: "test")
        let engine = SharingEngine(lane)
        let plug = Plug()
        try await withThrowingTaskGroup(of: Bool?.self) { group in
            group.addTask {
                try await plug.sit(on: lane)
                return nil
            }
            await plug.hasSat()
            for number in 1...4 {
                group.addTask { try await engine.step(UInt64(number), number == 3 ? .firstAudio : .speculation) }
            }
            await until { lane.waitingCount == 4 }
            plug.pull()
            var own = 0
            for try await isOwn in group where isOwn == true { own += 1 }
            #expect(own == 1)
        }
        #expect(await engine.steps == [[1, 2, 3, 4]])
        let counts = lane.statistics
        #expect(counts[.firstAudio].completed == 1 && counts[.speculation].shared == 3)
        #expect(lane.waitingCount == 0)
    }

    @Test func `errands of another engine are not done`() async throws {
        let lane = Lane(name: "test")
        let (one, other) = (SharingEngine(lane), SharingEngine(lane))
        let plug = Plug()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await plug.sit(on: lane) }
            await plug.hasSat()
            group.addTask {
                let isOwn = try await one.step(1, .refill)
                #expect(isOwn)
            }
            group.addTask {
                let isOwn = try await other.step(1, .refill)
                #expect(isOwn)
            }
            await until { lane.waitingCount == 2 }
            plug.pull()
            try await group.waitForAll()
        }
    }

    @Test func `a quantum's result and its errors come back`() async throws {
        let lane = Lane(name: "test")
        let seven = try await lane.run(QuantumRequest(.step, .refill)) { 7 }
        #expect(seven == 7)
        let error = await #expect(throws: VoiceError.self) {
            try await lane.run(QuantumRequest(.step, .refill)) { () throws(VoiceError) in throw VoiceError(.fault, "no")
            }
        }
        #expect(error?.message == "no")
        // And the lane is free again.
        let eight = try await lane.run(QuantumRequest(.step, .refill)) { 8 }
        #expect(eight == 8)
        #expect(lane.statistics[.refill].completed == 3)
    }

    @Test func `without a lane a quantum runs at once`() async throws {
        let lane: Lane? = nil
        let seven = try await lane.run(QuantumRequest(.step, .refill)) { 7 }
        #expect(seven == 7)
    }

    @Test func `many engines take turns, one quantum at a time`() async throws {
        let lane = Lane(name: "test")
        let (running, overlaps) = (Counter(), Counter())
        let engines = (0..<8).map { _ in Engine(lane) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (number, engine) in engines.enumerated() {
                group.addTask { for step in 0..<200 { try await engine.step(step, .refill, owner: number) } }
                group.addTask {
                    for _ in 0..<200 {
                        try await lane.run(QuantumRequest(.step, QuantumClass.allCases[number % 5])) {
                            if running.add(1) != 1 { overlaps.add(1) }
                            running.add(-1)
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(overlaps.value == 0)
        for engine in engines { #expect(await engine.order == Array(0..<200)) }
        #expect(QuantumClass.allCases.reduce(0) { $0 + lane.statistics[$1].completed } == 3200)
        #expect(lane.waitingCount == 0)
    }

    @Test func `the body runs on the engine's own thread, also after a wait`() async throws {
        actor Threaded {
            private let executor: EngineExecutor
            nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

            init(_ executor: EngineExecutor) { self.executor = executor }

            func step(_ lane: Lane) async throws -> Bool {
                try await lane.run(QuantumRequest(.step, .refill)) { executor.isIsolatingCurrentContext() ?? false }
            }
        }
        let lane = Lane(name: "test")
        let engine = Threaded(EngineExecutor(name: "engine"))
        #expect(try await engine.step(lane))
        let plug = Plug()
        async let plugged: Void = plug.sit(on: lane)
        await plug.hasSat()
        async let isThere = engine.step(lane)
        await until { lane.waitingCount == 1 }
        plug.pull()
        #expect(try await isThere)
        try await plugged
    }

    @Test func `who waits is served by class`() async throws {
        // A clock that stands still: a long wait would be starvation, which has its own order.
        let lane = Lane(name: "test", clock: ManualClock())
        let (engine, plug) = (Engine(lane), Plug())
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await plug.sit(on: lane) }
            await plug.hasSat()
            for quantumClass in QuantumClass.allCases.reversed() {
                let waiting = lane.waitingCount
                group.addTask { try await engine.step(quantumClass.rawValue, quantumClass) }
                await until { lane.waitingCount == waiting + 1 }
            }
            plug.pull()
            try await group.waitForAll()
        }
        #expect(await engine.order == [0, 1, 2, 3, 4])
    }

    @Test func `a task that is cancelled while it waits leaves at once and never computes`() async throws {
        let lane = Lane(name: "test")
        let (engine, plug) = (Engine(lane), Plug())
        async let plugged: Void = plug.sit(on: lane)
        await plug.hasSat()
        let error = await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await engine.step(1, .recognition) }
            await until { lane.waitingCount == 1 }
            group.cancelAll()
            return await #expect(throws: VoiceError.self) { try await group.waitForAll() }
        }
        // The device is still taken.
        #expect(error?.code == .cancelled)
        #expect(lane.waitingCount == 0)
        plug.pull()
        try await plugged
        #expect(await engine.order.isEmpty)
        #expect(lane.statistics[.recognition].cancelled == 1)
    }

    @Test func `a dead epoch's requests leave and its successor's stay`() async throws {
        let lane = Lane(name: "test")
        let (engine, plug) = (Engine(lane), Plug())
        async let plugged: Void = plug.sit(on: lane)
        await plug.hasSat()
        async let old = failure { try await engine.step(1, .refill, owner: 3, epoch: 1) }
        async let new: Void = engine.step(2, .refill, owner: 3, epoch: 2)
        await until { lane.waitingCount == 2 }
        lane.cancel(owner: 3, through: 1)
        #expect(await old == .cancelled)
        plug.pull()
        try await new
        try await plugged
        #expect(await engine.order == [2])
    }

    @Test func `a full lane refuses and says so`() async throws {
        let lane = Lane(name: "test", configuration: SchedulerConfiguration(capacity: 1))
        let (engine, plug) = (Engine(lane), Plug())
        async let plugged: Void = plug.sit(on: lane)
        await plug.hasSat()
        async let first = failure { try await engine.step(1, .speculation) }
        await until { lane.waitingCount == 1 }
        let refused = await #expect(throws: VoiceError.self) { try await engine.step(2, .background) }
        #expect(refused?.code == .exhausted)
        async let pressing: Void = engine.step(3, .refill)
        #expect(await first == .exhausted)
        plug.pull()
        try await pressing
        try await plugged
        #expect(await engine.order == [3])
    }

    @Test func `work is held for a first audio that goes on, until that is given up`() async throws {
        let clock = ManualClock()
        let lane = Lane(name: "test", clock: clock)
        let engine = Engine(lane)
        let token = QuantumRequest(.step, .firstAudio, owner: 1, followUp: .milliseconds(2))
        try await lane.run(token) {}
        async let gap: Void = engine.step(1, .background)
        async let refill: Void = engine.step(2, .refill)
        await until { lane.waitingCount == 2 && clock.sleeperCount == 1 }
        try await lane.run(token) {}
        #expect(await engine.order.isEmpty)
        clock.advance(by: .milliseconds(1))
        try await lane.run(token) {}
        await until { clock.sleeperCount == 1 }
        clock.advance(by: .milliseconds(2))
        try await refill
        try await gap
        #expect(await engine.order == [2, 1])
    }

    @Test func `work that is held starts when what was announced is called off`() async throws {
        let clock = ManualClock()
        let lane = Lane(name: "test", clock: clock)
        let engine = Engine(lane)
        lane.expect(refillBy: .milliseconds(50), costing: .milliseconds(10), of: 1)
        async let gap: Void = engine.step(1, .background)
        await until { clock.sleeperCount == 1 }
        lane.expect(refillBy: nil, costing: .zero, of: 1)
        try await gap
        #expect(clock.sleeperCount == 0)
    }

    @Test func `held work can be cancelled`() async throws {
        let clock = ManualClock()
        let lane = Lane(name: "test", clock: clock)
        let engine = Engine(lane)
        lane.expect(refillBy: .milliseconds(50), costing: .milliseconds(10), of: 1)
        await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await engine.step(1, .background) }
            group.addTask { try await engine.step(2, .background) }
            await until { lane.waitingCount == 2 && clock.sleeperCount == 1 }
            group.cancelAll()
            for _ in 0..<2 { _ = await group.nextResult() }
        }
        #expect(lane.waitingCount == 0)
        #expect(await engine.order.isEmpty)
    }

    @Test func `whatever is cancelled when, the lane goes on`() async throws {
        let lane = Lane(name: "test", configuration: SchedulerConfiguration(capacity: 4096))
        let ran = Counter()
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<2000 {
                group.addTask {
                    await withTaskGroup(of: Void.self) { inner in
                        inner.addTask {
                            let quantumClass = QuantumClass.allCases[number % 5]
                            let request = QuantumRequest(
                                .step,
                                quantumClass,
                                owner: number,
                                followUp: .microseconds(50)
                            )
                            try? await lane.run(request) { _ = ran.add(1) }
                        }
                        if number % 3 == 0 { inner.cancelAll() }
                        if number % 7 == 0 { lane.cancel(owner: number, through: 0) }
                    }
                }
            }
        }
        let statistics = lane.statistics
        let completed = QuantumClass.allCases.reduce(0) { $0 + statistics[$1].completed }
        #expect(completed == ran.value)
        #expect(completed >= 1000)
        #expect(lane.waitingCount == 0)
    }

    @Test func `a body that waits keeps the device until it returns`() async throws {
        let clock = ManualClock()
        let seen = Mutex<[Quantum]>([])
        let lane = Lane(name: "test", clock: clock) { quantum in seen.withLock { $0.append(quantum) } }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await lane.occupy(QuantumRequest(.step, .background)) { () async throws(VoiceError) in
                    try? await clock.sleep(until: .milliseconds(10))
                }
            }
            await until { clock.sleeperCount == 1 }
            group.addTask { try await lane.run(QuantumRequest(.step, .recognition)) {} }
            await until { lane.waitingCount == 1 }
            clock.advance(by: .milliseconds(10))
            try await group.waitForAll()
        }
        let quanta = seen.withLock { $0 }
        #expect(quanta.map(\.request.quantumClass) == [.background, .recognition])
        #expect(quanta.map(\.cost) == [.milliseconds(10), .zero])
        #expect(quanta.map(\.wait) == [.zero, .milliseconds(10)])
    }

    @Test func `the observer sees every quantum`() async throws {
        let clock = ManualClock()
        let seen = Mutex<[Quantum]>([])
        let lane = Lane(name: "test", clock: clock) { quantum in seen.withLock { $0.append(quantum) } }
        clock.advance(by: .milliseconds(5))
        try await lane.run(QuantumRequest(.step, .speculation, owner: 4, epoch: 2)) {
            clock.advance(by: .milliseconds(3))
        }
        let quantum = try #require(seen.withLock { $0.first })
        #expect(quantum.request.owner == 4 && quantum.request.epoch == 2 && quantum.request.kind == .step)
        #expect(quantum.started == .milliseconds(5) && quantum.ended == .milliseconds(8))
        #expect(lane.utilisation() == 1)
    }
}

extension EngineExecutor {
    /// Takes the lane on this executor's thread.
    fileprivate func run(_ lane: Lane, _ body: @Sendable () -> Void) async throws {
        try await Seat(executor: self).run(lane, body)
    }

    private actor Seat {
        private let executor: EngineExecutor
        nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

        init(executor: EngineExecutor) { self.executor = executor }

        func run(_ lane: Lane, _ body: @Sendable () -> Void) async throws {
            try await lane.run(QuantumRequest(.step, .background)) { body() }
        }
    }
}
