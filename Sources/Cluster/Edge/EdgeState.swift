internal import VoiceCore

/// What HAProxy knows of workers: its slots, and which worker has which.
struct EdgeState: Sendable, Equatable {
    /// A line of the map from workers to slots.
    struct Entry: Sendable, Equatable {
        var worker: String
        var slot: String
    }

    /// The slots, in the order of HAProxy's file.
    var slots: [EdgeSlot]
    /// The map. HAProxy lets a worker stand in it more than once, and follows the first line.
    var entries: [Entry]

    /// The same but for weights, which change all the time.
    var withoutWeights: EdgeState {
        var state = self
        for index in state.slots.indices { state.slots[index].weight = 0 }
        return state
    }
}

extension EdgeState {
    /// Reads what HAProxy answered.
    ///
    /// - Parameters:
    ///   - servers: the answer to `show servers state BACKEND`.
    ///   - map: the answer to `show map FILE`.
    /// - Throws: ``VoiceError/Code/malformedInput`` with HAProxy's own words when it is an error, or nothing that we know.
    init(servers: String, map: String) throws(VoiceError) {
        slots = try Self.slots(servers)
        entries = try Self.entries(map)
    }

    // MARK: - `show servers state`, section 9.3 of HAProxy 2.6's management guide

    /// The one version of the format that there is.
    private static let version = "1"
    /// Bits of `srv_admin_state`: maintenance that was asked for, inherited, or for an address that is not resolved. The bit 0x04
    /// only says what the file began with.
    private static let maintenance = 0x01 | 0x02 | 0x20
    /// The same: drain that was asked for, or inherited.
    private static let draining = 0x08 | 0x10
    /// The values of `srv_op_state` of a server that is up: running, and stopping (404 to the check).
    private static let up = [2, 3]

    private static func slots(_ answer: String) throws(VoiceError) -> [EdgeSlot] {
        let lines = answer.split(whereSeparator: \.isNewline)
        guard let first = lines.first, first == version, lines.count >= 2, lines[1].hasPrefix("# ") else {
            throw unknown(answer, "show servers state")
        }
        let columns = lines[1].dropFirst(2).split(separator: " ").map(String.init)
        let places = Dictionary(zip(columns, columns.indices)) { first, _ in first }
        var slots: [EdgeSlot] = []
        for line in lines.dropFirst(2) {
            guard let slot = slot(line.split(separator: " ").map(String.init), places) else {
                throw unknown(String(line), "show servers state")
            }
            slots.append(slot)
        }
        return slots
    }

    private static func slot(_ fields: [String], _ places: [String: Int]) -> EdgeSlot? {
        func text(_ column: String) -> String? { places[column].flatMap { $0 < fields.count ? fields[$0] : nil } }
        func number(_ column: String) -> Int? { text(column).flatMap { Int($0) } }
        guard let name = text("srv_name"), let address = text("srv_addr"), let port = number("srv_port"),
            let state = number("srv_op_state"), let admin = number("srv_admin_state"),
            let weight = number("srv_uweight")
        else { return nil }
        let mode: EdgeSlot.Mode = admin & maintenance != 0 ? .maint : admin & draining != 0 ? .drain : .ready
        return EdgeSlot(
            name: name,
            endpoint: EdgeEndpoint(address: address, port: port),
            mode: mode,
            isUp: mode != .maint && up.contains(state),
            weight: weight
        )
    }

    // MARK: - `show map`

    private static func entries(_ answer: String) throws(VoiceError) -> [Entry] {
        var entries: [Entry] = []
        for line in answer.split(whereSeparator: \.isNewline) {
            let fields = line.split(separator: " ")
            guard fields.count == 3, fields[0].hasPrefix("0x") else { throw unknown(answer, "show map") }
            entries.append(Entry(worker: String(fields[1]), slot: String(fields[2])))
        }
        return entries
    }

    private static func unknown(_ answer: String, _ command: String) -> VoiceError {
        let words = answer.trimmed.prefix(200)
        return VoiceError(.malformedInput, "HAProxy answers '\(command)' with '\(words)'")
    }
}
