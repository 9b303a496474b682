package import VoiceCore

extension QuantumRequest {
    /// Makes a request that is as pressing as the work that it is a step of, also if that changes while it waits.
    package init(
        _ kind: QuantumKind,
        _ urgency: Urgency,
        owner: Int,
        units: Int = 1,
        followUp: Duration
    ) {
        self.init(kind, .firstAudio, owner: owner, epoch: urgency.epoch, units: units, followUp: followUp)
        self.urgency = urgency
        renew()
    }

    /// Makes class and deadline what the urgency says now, if there is one.
    mutating func renew() {
        guard let urgency else { return }
        deadline = nil
        switch urgency.level {
        case .firstAudio: quantumClass = .firstAudio
        case .refill(let by): (quantumClass, deadline) = (.refill, by)
        case .speculation: quantumClass = .speculation
        case .background: quantumClass = .background
        }
    }
}
