internal import Testing
internal import VoiceCore

@testable internal import Cluster

struct EdgePlannerTests {
    private func worker(_ name: String, _ port: Int, isDraining: Bool = false, weight: Int = 100) -> EdgeWorker {
        EdgeWorker(
            name: name,
            endpoint: EdgeEndpoint(address: "10.0.0.1", port: port),
            isDraining: isDraining,
            weight: weight
        )
    }

    private func slot(
        _ number: Int,
        _ port: Int = 9,
        _ mode: EdgeSlot.Mode = .maint,
        isUp: Bool = false,
        weight: Int = 100
    ) -> EdgeSlot {
        EdgeSlot(
            name: "slot\(number)",
            endpoint: EdgeEndpoint(address: "10.0.0.1", port: port),
            mode: mode,
            isUp: isUp,
            weight: weight
        )
    }

    private func state(_ slots: [EdgeSlot], _ map: [(String, String)] = []) -> EdgeState {
        EdgeState(slots: slots, entries: map.map { EdgeState.Entry(worker: $0.0, slot: $0.1) })
    }

    private func plan(_ workers: [EdgeWorker], _ state: EdgeState) -> [ProxyCommand] {
        var planner = EdgePlanner()
        return planner.plan(workers, state, at: .zero).commands
    }

    @Test func `a new worker gets a free slot, which is opened last`() {
        #expect(
            plan([worker("a", 1, weight: 7)], state([slot(1), slot(2)])) == [
                .setEndpoint(slot: "slot1", EdgeEndpoint(address: "10.0.0.1", port: 1)), .setWeight(slot: "slot1", 7),
                .addEntry(worker: "a", slot: "slot1"), .setMode(slot: "slot1", .ready),
            ]
        )
    }

    @Test func `what is right is not touched`() {
        let known = state(
            [slot(1, 1, .ready, isUp: true), slot(2, 2, .drain, isUp: true), slot(3)],
            [("a", "slot1"), ("b", "slot2")]
        )
        #expect(plan([worker("b", 2, isDraining: true), worker("a", 1)], known) == [])
    }

    @Test func `only what differs is changed`() {
        let known = state([slot(1, 1, .ready, isUp: true)], [("a", "slot1")])
        #expect(plan([worker("a", 1, weight: 3)], known) == [.setWeight(slot: "slot1", 3)])
        #expect(plan([worker("a", 1, isDraining: true)], known) == [.setMode(slot: "slot1", .drain)])
        #expect(
            plan([worker("a", 5)], known) == [.setEndpoint(slot: "slot1", EdgeEndpoint(address: "10.0.0.1", port: 5))]
        )
    }

    @Test func `a worker that is back under its name is opened again`() {
        let known = state([slot(1, 1, .drain)], [("a", "slot1")])
        #expect(plan([worker("a", 1)], known) == [.setMode(slot: "slot1", .ready)])
    }

    @Test func `a worker that only the directory misses keeps its slot`() {
        let known = state([slot(1, 1, .ready, isUp: true)], [("a", "slot1")])
        var planner = EdgePlanner()
        for second in 0..<100 { #expect(planner.plan([], known, at: .seconds(second)).commands == []) }
    }

    @Test func `a worker that nobody reaches any more loses its slot after a while`() {
        let known = state([slot(1, 1, .ready, isUp: false)], [("a", "slot1")])
        var planner = EdgePlanner()
        #expect(planner.plan([], known, at: .seconds(50)).commands == [])
        #expect(planner.plan([], known, at: .seconds(50) + EdgePlanner.patience - .milliseconds(1)).commands == [])
        #expect(
            planner.plan([], known, at: .seconds(50) + EdgePlanner.patience).commands == [
                .setMode(slot: "slot1", .maint), .removeEntry(worker: "a"),
            ]
        )
    }

    @Test func `a worker that was back in between is waited for anew`() {
        let down = state([slot(1, 1, .ready, isUp: false)], [("a", "slot1")])
        var planner = EdgePlanner()
        #expect(planner.plan([], down, at: .zero).commands == [])
        #expect(planner.plan([worker("a", 1)], down, at: .seconds(5)).commands == [])
        #expect(planner.plan([], down, at: .seconds(11)).commands == [])
    }

    @Test func `a slot is not kept for a worker whose address another one has`() {
        let known = state([slot(1, 1, .ready, isUp: true), slot(2)], [("a", "slot1")])
        #expect(
            plan([worker("b", 1)], known) == [
                .setMode(slot: "slot1", .maint), .removeEntry(worker: "a"),
                .setEndpoint(slot: "slot2", EdgeEndpoint(address: "10.0.0.1", port: 1)),
                .addEntry(worker: "b", slot: "slot2"), .setMode(slot: "slot2", .ready),
            ]
        )
    }

    @Test func `a departure that stopped half-way is completed`() {
        let known = state([slot(1, 1, .maint)], [("a", "slot1")])
        #expect(plan([], known) == [.removeEntry(worker: "a")])
    }

    @Test func `a slot that already leads to the worker is taken as it is`() {
        let known = state([slot(1), slot(2, 1, .ready, isUp: true)])
        #expect(plan([worker("a", 1)], known) == [.addEntry(worker: "a", slot: "slot2")])
    }

    @Test func `a slot that is open for nobody is closed`() {
        #expect(plan([], state([slot(1, 1, .ready, isUp: true)])) == [.setMode(slot: "slot1", .maint)])
    }

    @Test func `lines of the map that contradict each other are replaced`() {
        let known = state(
            [slot(1, 1, .ready, isUp: true), slot(2, 2, .ready, isUp: true)],
            [("a", "slot1"), ("a", "slot1"), ("b", "slot2"), ("c", "slot2"), ("d", "slot9")]
        )
        #expect(
            plan([worker("a", 1), worker("b", 2)], known) == [
                .removeEntry(worker: "a"), .removeEntry(worker: "c"), .removeEntry(worker: "d"),
                .addEntry(worker: "a", slot: "slot1"),
            ]
        )
    }

    @Test func `workers beyond the last slot are named`() {
        var planner = EdgePlanner()
        let plan = planner.plan([worker("a", 1), worker("b", 2)], state([slot(1)]), at: .zero)
        #expect(plan.homeless == ["b"])
        #expect(plan.commands.contains(.addEntry(worker: "a", slot: "slot1")))
    }

    @Test func `making a plan come true leaves nothing to do, whatever was there`() throws {
        var generator = SplitMix64(seed: 9)
        for _ in 0..<2_000 {
            var known = state(
                (1...4).map { number in
                    slot(
                        number,
                        Int.random(in: 1...5, using: &generator),
                        [.ready, .drain, .maint].randomElement(using: &generator) ?? .maint,
                        isUp: Bool.random(using: &generator),
                        weight: Int.random(in: 1...2, using: &generator)
                    )
                },
                (0..<Int.random(in: 0...5, using: &generator)).map { _ in
                    (
                        ["a", "b", "c", "d", "e"].randomElement(using: &generator) ?? "a",
                        "slot\(Int.random(in: 1...5, using: &generator))"
                    )
                }
            )
            let workers = ["a", "b", "c"].shuffled(using: &generator).prefix(Int.random(in: 0...3, using: &generator))
                .enumerated().map { worker($0.element, $0.offset + 1, isDraining: $0.offset == 1) }
            var planner = EdgePlanner()
            let first = planner.plan(workers, known, at: .zero)
            known = known.after(first.commands)
            let second = planner.plan(workers, known, at: .seconds(1))
            known = known.after(second.commands)
            // A slot that a leaver gave up in the first look may be taken in the second.
            let last = planner.plan(workers, known, at: .seconds(2))
            #expect(last.commands == [])
            for worker in workers where !last.homeless.contains(worker.name) {
                let home = known.entries.filter { $0.worker == worker.name }
                try #require(home.count == 1)
                let slot = try #require(known.slots.first { $0.name == home[0].slot })
                #expect(slot.endpoint == worker.endpoint && slot.weight == worker.weight)
                #expect(slot.mode == (worker.isDraining ? .drain : .ready))
            }
        }
    }
}

extension EdgeState {
    /// The state once HAProxy has followed commands.
    fileprivate func after(_ commands: [ProxyCommand]) -> EdgeState {
        var state = self
        for command in commands {
            switch command {
            case .setEndpoint(let slot, let endpoint): state.change(slot) { $0.endpoint = endpoint }
            case .setWeight(let slot, let weight): state.change(slot) { $0.weight = weight }
            case .setMode(let slot, let mode): state.change(slot) { $0.mode = mode }
            case .addEntry(let worker, let slot): state.entries.append(Entry(worker: worker, slot: slot))
            case .removeEntry(let worker): state.entries.removeAll { $0.worker == worker }
            }
        }
        return state
    }

    private mutating func change(_ name: String, _ change: (inout EdgeSlot) -> Void) {
        for index in slots.indices where slots[index].name == name { change(&slots[index]) }
    }
}
