internal import Redis
internal import VoiceCore

/// The workers that were heard of, as of the last time the store answered. A value.
struct WorkerList: Sendable {
    /// A worker is forgotten so long after it spoke last. Its key in the store goes a little earlier.
    static let patience = Duration.milliseconds(3500)

    private var heard: [(status: WorkerStatus, at: Duration)] = []
    /// What could not be read the last time: said once.
    private var malformed: Set<String> = []

    /// Takes the store's list.
    /// - Parameters:
    ///   - rows: name, age in milliseconds, fields and values of each.
    ///   - now: when it was asked for.
    /// - Returns: names of workers that say something unreadable, and did not when it was asked for last.
    mutating func replace(with rows: [RESPValue], at now: Duration) -> [String] {
        var unreadable: Set<String> = []
        heard = rows.compactMap { row in
            guard let parts = row.elements, parts.count == 3, let name = parts[0].string, let age = parts[1].whole,
                let fields = parts[2].elements
            else {
                unreadable.insert("?")
                return nil
            }
            // Its key is gone already.
            if fields.isEmpty { return nil }
            guard let status = WorkerStatus(name, fields: fields), (0...3_600_000).contains(age) else {
                unreadable.insert(name)
                return nil
            }
            return (status, now - .milliseconds(age))
        }
        defer { malformed = unreadable }
        return unreadable.subtracting(malformed).sorted()
    }

    /// The workers that spoke lately, by name.
    func current(at now: Duration) -> [WorkerStatus] {
        heard.filter { $0.at + Self.patience > now }.map(\.status).sorted { $0.worker < $1.worker }
    }
}

extension WorkerStatus {
    /// The status as fields and values of a hash.
    var fields: [String] {
        [
            "addr", address, "state", state.rawValue, "cap", "\(capacity)", "used", "\(used)", "load", "\(load)",
            "version", version,
        ]
    }

    /// Reads a status; nil if it is none.
    init?(_ name: String, fields: [RESPValue]) {
        var values: [String: String] = [:]
        for index in stride(from: 0, to: fields.count - 1, by: 2) {
            if let field = fields[index].string, let value = fields[index + 1].string { values[field] = value }
        }
        let letters = name.utf8.allSatisfy {
            (0x30...0x39).contains($0) || (0x41...0x5a).contains($0 & 0xdf) || $0 == 0x2d || $0 == 0x5f
        }
        guard letters, (1...63).contains(name.utf8.count), let address = values["addr"], Self.isPlain(address),
            let state = values["state"].flatMap(State.init), let capacity = values["cap"].flatMap({ Int($0) }),
            let used = values["used"].flatMap({ Int($0) }), let load = values["load"].flatMap({ Double($0) }),
            let version = values["version"], Self.isPlain(version),
            capacity >= 0, used >= 0, load.isFinite, load >= 0
        else { return nil }
        self.init(
            worker: name,
            address: address,
            state: state,
            capacity: capacity,
            used: used,
            load: min(load, 1),
            version: version
        )
    }

    /// Whether a text may become part of what others read: signs that are seen, and not many.
    private static func isPlain(_ text: String) -> Bool {
        (1...255).contains(text.utf8.count) && text.utf8.allSatisfy { (0x21...0x7e).contains($0) }
    }
}
