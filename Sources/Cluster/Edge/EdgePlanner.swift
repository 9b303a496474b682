/// Says what is to change in HAProxy so that it knows the workers as they are: a pure value.
///
/// **What is right is never touched**, so that it can be asked at any time, by several bridges too, and after any of them or
/// HAProxy began anew. What it needs to remember it reads from HAProxy, but for how long a worker has been missing.
struct EdgePlanner: Sendable {
    /// What is to change.
    struct Plan: Sendable, Equatable {
        /// In the order in which they must be made.
        var commands: [ProxyCommand] = []
        /// Workers for which there is no slot.
        var homeless: [String] = []
    }

    /// How long a slot is kept for a worker that neither its own word nor HAProxy's check knows any more.
    static let patience = Duration.seconds(10)

    private var missingSince: [String: Duration] = [:]

    /// What is to change now.
    ///
    /// - Parameters:
    ///   - workers: all that are there, none twice.
    ///   - state: what HAProxy knows.
    ///   - now: the time.
    mutating func plan(_ workers: [EdgeWorker], _ state: EdgeState, at now: Duration) -> Plan {
        var plan = Plan()
        var slots = Dictionary(state.slots.map { ($0.name, $0) }) { first, _ in first }
        var homes = Self.homes(state.entries, slots, &plan)
        for slot in homes.values { slots[slot.name] = nil }
        // From here on `slots` are those that nobody has.
        depart(workers, &homes, &plan, at: now)
        let free = state.slots.filter { slots[$0.name] != nil }
        let opened = Self.settle(workers, homes, free, &plan)
        for slot in free where slot.mode != .maint && !opened.contains(slot.name) {
            plan.commands.append(.setMode(slot: slot.name, .maint))
        }
        return plan
    }

    /// Who has which slot. Lines of the map that contradict each other, or lead nowhere, go.
    private static func homes(
        _ entries: [EdgeState.Entry],
        _ slots: [String: EdgeSlot],
        _ plan: inout Plan
    ) -> [String: EdgeSlot] {
        var homes: [String: EdgeSlot] = [:]
        var taken: Set<String> = []
        for (worker, lines) in Dictionary(grouping: entries, by: \.worker).sorted(by: { $0.key < $1.key }) {
            if lines.count == 1, let slot = slots[lines[0].slot], taken.insert(slot.name).inserted {
                homes[worker] = slot
            } else {
                plan.commands.append(.removeEntry(worker: worker))
            }
        }
        return homes
    }

    /// Frees the slots of workers that are gone.
    ///
    /// One that only the directory does not know keeps its slot as long as HAProxy reaches it: then it is the directory that
    /// failed.
    private mutating func depart(
        _ workers: [EdgeWorker],
        _ homes: inout [String: EdgeSlot],
        _ plan: inout Plan,
        at now: Duration
    ) {
        let present = Set(workers.map(\.name))
        let endpoints = Set(workers.map(\.endpoint))
        var missing: [String: Duration] = [:]
        for (worker, slot) in homes.sorted(by: { $0.key < $1.key }) where !present.contains(worker) {
            if !endpoints.contains(slot.endpoint), slot.mode != .maint {
                if slot.isUp { continue }
                let since = missingSince[worker] ?? now
                if now - since < Self.patience {
                    missing[worker] = since
                    continue
                }
            }
            if slot.mode != .maint { plan.commands.append(.setMode(slot: slot.name, .maint)) }
            plan.commands.append(.removeEntry(worker: worker))
            homes[worker] = nil
        }
        missingSince = missing
    }

    /// Gives every worker its slot, and slots what is true of their workers.
    ///
    /// - Returns: the slots that were free before.
    private static func settle(
        _ workers: [EdgeWorker],
        _ homes: [String: EdgeSlot],
        _ free: [EdgeSlot],
        _ plan: inout Plan
    ) -> Set<String> {
        var free = free
        var opened: Set<String> = []
        for worker in workers.sorted(by: { $0.name < $1.name }) {
            if let slot = homes[worker.name] {
                plan.commands += corrections(of: slot, for: worker)
                continue
            }
            // One that leads there already, perhaps with conversations, before one that is closed.
            let choice =
                free.firstIndex { $0.endpoint == worker.endpoint && $0.mode != .maint }
                ?? free.firstIndex { $0.mode == .maint } ?? free.indices.first
            guard let choice else {
                plan.homeless.append(worker.name)
                continue
            }
            let slot = free.remove(at: choice)
            opened.insert(slot.name)
            plan.commands += corrections(of: slot, for: worker, entry: .addEntry(worker: worker.name, slot: slot.name))
        }
        return opened
    }

    /// The mode comes last: a slot is opened when all else is right.
    private static func corrections(
        of slot: EdgeSlot,
        for worker: EdgeWorker,
        entry: ProxyCommand? = nil
    ) -> [ProxyCommand] {
        let mode: EdgeSlot.Mode = worker.isDraining ? .drain : .ready
        var commands: [ProxyCommand] = []
        if slot.endpoint != worker.endpoint { commands.append(.setEndpoint(slot: slot.name, worker.endpoint)) }
        if slot.weight != worker.weight { commands.append(.setWeight(slot: slot.name, worker.weight)) }
        if let entry { commands.append(entry) }
        if slot.mode != mode { commands.append(.setMode(slot: slot.name, mode)) }
        return commands
    }
}
