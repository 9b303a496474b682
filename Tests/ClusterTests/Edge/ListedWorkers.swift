internal import Synchronization
internal import VoiceCore

@testable internal import Cluster

/// A directory that is told which workers there are, and knows no sessions.
final class ListedWorkers: SessionDirectory {
    let listed: Mutex<[WorkerStatus]>

    init(_ workers: WorkerStatus...) { listed = Mutex(workers) }

    func workers() async -> [WorkerStatus] { listed.withLock { $0 } }

    func publish(_ status: WorkerStatus) async {
        listed.withLock { workers in
            workers.removeAll { $0.worker == status.worker }
            workers.append(status)
        }
    }

    func claim(_ session: String, isNew: Bool) async throws(VoiceError) -> SessionLease {
        throw VoiceError(.unavailable, "only workers are listed here")
    }

    func append(_ messages: [ChatMessage], to lease: SessionLease) async -> Bool { false }

    func release(_ lease: SessionLease, mayComeBack: Bool) async {}

    func waitForLoss(of lease: SessionLease) async {}

    func spend(_ token: String, for lifetime: Duration) async throws(VoiceError) -> Bool { true }
}

extension WorkerStatus {
    init(_ worker: String, _ address: String, _ state: State = .ready, load: Double = 0) {
        self.init(worker: worker, address: address, state: state, capacity: 10, used: 0, load: load, version: "1")
    }
}
