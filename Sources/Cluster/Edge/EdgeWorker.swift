/// A worker as the edge needs it.
struct EdgeWorker: Sendable, Equatable {
    /// The largest weight of a server in HAProxy.
    static let largestWeight = 256

    /// Its name.
    var name: String
    /// Its address.
    var endpoint: EdgeEndpoint
    /// Whether it takes no new conversations.
    var isDraining: Bool
    /// Its share of new conversations, from 0 to 256.
    var weight: Int

    /// The room that a worker has, as a weight: 256 for an empty one of the largest capacity.
    ///
    /// HAProxy asks a server without connections first, whatever its weight, and does not count conversations over WebRTC: a worker
    /// without room has 0, which takes it out. Where nobody has room all have 1: then it is the workers who say so.
    static func weight(of worker: WorkerStatus, among workers: [WorkerStatus]) -> Int {
        let largest = workers.map(\.capacity).max() ?? 0
        guard worker.hasRoom, largest > 0 else {
            return workers.contains { $0.state == .ready && $0.hasRoom } ? 0 : 1
        }
        let load = worker.load.isFinite ? min(max(worker.load, 0), 1) : 1
        let room = Double(worker.capacity) * (1 - load)
        return max(1, Int((Double(largestWeight) * room / Double(largest)).rounded()))
    }
}

extension WorkerStatus {
    fileprivate var hasRoom: Bool { used < capacity }
}
