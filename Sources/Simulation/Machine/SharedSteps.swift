internal import Inference
internal import VoiceCore

/// Steps of one kind that one run of the device can do for several streams together.
///
/// Whoever's turn comes first takes along those that wait, as `NemotronEngine` does.
actor SharedSteps {
    private struct Member {
        var id: Int
        var owner: Int
    }

    /// What became of a member that somebody else computes for.
    private enum Fate {
        case isComputed
        case isWaitedFor(CheckedContinuation<Void, Never>)
        case isDone
    }

    private let machine: SimulatedMachine
    private let cost: StepCost
    private let threads: Int
    private let largestBatch: Int
    private var waiting: [Member] = []
    private var fates: [Int: Fate] = [:]
    private var lastID = 0

    init(_ machine: SimulatedMachine, cost: StepCost, threads: Int, largestBatch: Int) {
        self.machine = machine
        self.cost = cost
        self.threads = threads
        self.largestBatch = machine.lane == nil ? 1 : largestBatch
    }

    /// Computes a step, alone or with others.
    /// - Parameters:
    ///   - request: its owner has no other request.
    ///   - gathering: waits so long for others first.
    func step(_ request: QuantumRequest, gathering: Duration = .zero) async throws(VoiceError) {
        guard largestBatch > 1 else { return try await machine.compute(request, threads: threads) { cost.alone } }
        lastID += 1
        let id = lastID
        waiting.append(Member(id: id, owner: request.owner))
        if gathering > .zero { await machine.time.pass(gathering) }
        var batch: [Member] = []
        do {
            if fates[id] == nil {
                try await machine.compute(request, threads: threads) {
                    batch = take(with: id)
                    return cost.of(batch.count + 1)
                }
                for member in batch { finish(member.id) }
                return
            }
        } catch {
            // Whoever is computed for is called off the lane.
            guard fates[id] != nil else {
                waiting.removeAll { $0.id == id }
                throw error
            }
        }
        if case .isComputed = fates[id] { await withCheckedContinuation { fates[id] = .isWaitedFor($0) } }
        fates[id] = nil
    }

    /// Takes along those that wait.
    private func take(with id: Int) -> [Member] {
        waiting.removeAll { $0.id == id }
        let batch = Array(waiting.prefix(largestBatch - 1))
        waiting.removeFirst(batch.count)
        for member in batch {
            fates[member.id] = .isComputed
            machine.lane?.cancel(owner: member.owner, through: .max)
        }
        return batch
    }

    private func finish(_ id: Int) {
        if case .isWaitedFor(let continuation) = fates[id] { continuation.resume() }
        fates[id] = .isDone
    }
}
