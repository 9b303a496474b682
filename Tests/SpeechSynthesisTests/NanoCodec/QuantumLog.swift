internal import Inference
internal import Synchronization

/// The requests of a lane's quanta, in order.
final class QuantumLog: Sendable {
    private let log = Mutex<[QuantumRequest]>([])

    var requests: [QuantumRequest] { log.withLock { $0 } }

    func append(_ request: QuantumRequest) { log.withLock { $0.append(request) } }
}
