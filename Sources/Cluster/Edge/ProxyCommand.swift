/// A change of HAProxy at run time.
enum ProxyCommand: Sendable, Equatable {
    /// Gives a slot another address.
    case setEndpoint(slot: String, EdgeEndpoint)
    /// Gives a slot another share of new conversations.
    case setWeight(slot: String, Int)
    /// Opens a slot, drains it or closes it.
    case setMode(slot: String, EdgeSlot.Mode)
    /// Leads the sessions of a worker to a slot.
    case addEntry(worker: String, slot: String)
    /// Leads the sessions of a worker nowhere.
    case removeEntry(worker: String)

    /// The command as the runtime API wants it (section 9.3 of HAProxy 2.6's management guide).
    func text(backend: String, map: String) -> String {
        switch self {
        case .setEndpoint(let slot, let endpoint):
            "set server \(backend)/\(slot) addr \(endpoint.address) port \(endpoint.port)"
        case .setWeight(let slot, let weight): "set server \(backend)/\(slot) weight \(weight)"
        case .setMode(let slot, let mode): "set server \(backend)/\(slot) state \(mode.rawValue)"
        case .addEntry(let worker, let slot): "add map \(map) \(worker) \(slot)"
        case .removeEntry(let worker): "del map \(map) \(worker)"
        }
    }

    /// What HAProxy complains about in its answer; nil if it did it.
    ///
    /// It answers a success with nothing, a changed address with what it changed, a failure with a sentence.
    func complaint(in answer: String) -> String? {
        let words = answer.split(whereSeparator: \.isNewline).joined(separator: " ")
        if words.isEmpty { return nil }
        if case .setEndpoint = self, words.hasPrefix("IP changed") || words.hasPrefix("no need to change") {
            return nil
        }
        return String(words.prefix(200))
    }

    /// Whether it only tunes what is there: such commands come about once a second.
    var isRoutine: Bool {
        if case .setWeight = self { true } else { false }
    }
}
