internal import Inference
internal import Testing
internal import VoiceCore

extension QuantumKind {
    /// The kind that tests take where it does not matter.
    static let step = QuantumKind(engine: "test", step: "step")
}

/// A scheduler whose quanta cost 10 ms as long as none was measured.
func tenMillisecondScheduler(_ change: (inout SchedulerConfiguration) -> Void = { _ in }) -> DeadlineScheduler {
    var configuration = SchedulerConfiguration(costGuess: .milliseconds(10), caution: 0)
    change(&configuration)
    return DeadlineScheduler(configuration)
}

extension DeadlineScheduler {
    /// Submits a request that must find room, its deadline in milliseconds.
    mutating func enter(
        _ quantumClass: QuantumClass,
        _ kind: QuantumKind = .step,
        by deadline: Int? = nil,
        owner: Int = 0,
        epoch: Int = 0,
        units: Int = 1,
        followUp: Duration = .zero,
        at now: Duration = .zero
    ) throws -> Ticket {
        let request = QuantumRequest(
            kind,
            quantumClass,
            deadline: deadline.map { .milliseconds($0) },
            owner: owner,
            epoch: epoch,
            units: units,
            followUp: followUp
        )
        guard case .waiting(let ticket) = submit(request, at: now) else {
            throw VoiceError(.exhausted, "the queue was to have room")
        }
        return ticket
    }

    /// Runs what waits, each quantum in no time.
    /// - Returns: the tickets in the order in which they ran.
    mutating func drain(at now: Duration = .zero) -> [Ticket] {
        var order: [Ticket] = []
        while let ticket = next(at: now) {
            order.append(ticket)
            _ = finished(ticket, at: now)
        }
        return order
    }

    /// Measures a quantum, so that its kind costs that much.
    mutating func measure(_ kind: QuantumKind, units: Int = 1, at now: Duration = .zero, cost: Duration) throws {
        let ticket = try enter(.recognition, kind, units: units, at: now)
        let isNext = next(at: now) == ticket
        try #require(isNext)
        _ = finished(ticket, at: now + cost)
    }
}
