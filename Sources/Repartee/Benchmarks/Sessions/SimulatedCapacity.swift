internal import Conversation
internal import Simulation
internal import VoiceCore

/// Finds how many conversations a machine carries that is simulated from what its steps cost.
struct SimulatedCapacity: Sendable {
    /// More sessions than this are not tried.
    private static let most = 4096

    var device: DeviceModel
    var duration: Duration
    var seed: UInt64

    /// Tries numbers of sessions, twice as many each time until they do not hold, then between the last two.
    ///
    /// Blocks the calling thread.
    /// - Returns: what was tried, fewest sessions first.
    func rows() throws(VoiceError) -> [CapacityRow] {
        var rows: [CapacityRow] = []
        func holds(_ sessions: Int) throws(VoiceError) -> Bool {
            let row = try row(sessions: sessions)
            rows.append(row)
            return Knee.holds(row.point, against: (rows.first ?? row).point)
        }
        var (good, bad) = (0, 1)
        while bad <= Self.most, try holds(bad) { (good, bad) = (bad, 2 * bad) }
        while bad - good > max(1, good / 16) {
            let middle = (good + bad) / 2
            if try holds(middle) { good = middle } else { bad = middle }
        }
        rows.sort { $0.sessions < $1.sessions }
        for index in rows.indices { rows[index].within_knee = rows[index].sessions <= good }
        return rows
    }

    /// Simulates so many sessions.
    func row(sessions: Int) throws(VoiceError) -> CapacityRow {
        let simulation = Simulation(
            device: device,
            policy: .speculative,
            sessions: sessions,
            duration: duration,
            seed: seed,
            batch: 16,
            habits: .clear
        )
        return CapacityRow(simulation, try simulation.run())
    }
}
