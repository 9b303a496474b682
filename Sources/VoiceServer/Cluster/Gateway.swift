internal import AsyncHTTPClient
internal import Cluster
internal import NIOCore
internal import NIOHTTP1
internal import VoiceCore

/// Finds a place for a new conversation: here, or on another worker.
///
/// Of two workers chosen at random the less busy one is asked first, so that many gateways do not all run to the same; then the others,
/// the least busy first. Each reserves the place in one step or refuses, so a place is never promised twice, and nobody is refused
/// while a worker that answers has room.
struct Gateway: Sendable {
    /// How long a worker may take to answer.
    private static let timeout = TimeAmount.seconds(1)
    /// Where workers reserve places for each other.
    static let path = "/reservations"

    let admission: Admission
    let directory: any SessionDirectory
    /// Nil where there are no others.
    let membership: ClusterMembership?

    /// Reserves a place.
    /// - Parameter key: the name of the key whose owner wants it.
    /// - Returns: the conversation's name.
    func reserve(for key: String?) async throws(Refusal) -> String {
        guard let membership else { return try admission.reserve(for: key) }
        var generator = SystemRandomNumberGenerator()
        let workers = Self.order(await directory.workers(), &generator)
        var refusal: Refusal?
        for worker in workers {
            do throws(Refusal) {
                if worker.worker == membership.worker { return try admission.reserve(for: key) }
                return try await ask(worker, for: key, secret: membership.secret)
            } catch {
                // What the person did wrong is wrong everywhere; of the rest the last word counts.
                if case .tooFast = error { throw error }
                refusal = error
            }
        }
        if let refusal { throw refusal }
        return try admission.reserve(for: key)
    }

    /// The workers that take new conversations, in the order in which they are asked.
    static func order(_ workers: [WorkerStatus], _ generator: inout some RandomNumberGenerator) -> [WorkerStatus] {
        var ready = workers.filter { $0.state == .ready }.sorted { ($0.load, $0.worker) < ($1.load, $1.worker) }
        guard ready.count > 2 else { return ready }
        let pair = ready.indices.shuffled(using: &generator).prefix(2)
        guard let first = pair.min() else { return ready }
        ready.insert(ready.remove(at: first), at: 0)
        return ready
    }

    private func ask(_ worker: WorkerStatus, for key: String?, secret: String) async throws(Refusal) -> String {
        let answer: (status: UInt, body: JSONValue?)
        do {
            var request = HTTPClientRequest(url: "http://\(worker.address)\(Self.path)")
            request.method = .POST
            request.headers = ["Authorization": "Bearer \(secret)", "Content-Type": "application/json"]
            request.body = .bytes(ByteBuffer(string: (["key": key.map(JSONValue.string)] as JSONValue).json))
            let response = try await HTTPClient.shared.execute(request, timeout: Self.timeout)
            let body = try await response.body.collect(upTo: 64 * 1024)
            answer = (response.status.code, JSONValue(json: String(buffer: body)))
        } catch {
            throw .unavailable("the worker \(worker.worker) does not answer; try again")
        }
        if answer.status == 200, let session = answer.body?["session"]?.text { return session }
        let words = answer.body?["detail"]?.text ?? "the worker \(worker.worker) has no place"
        throw .unavailable(words)
    }
}
