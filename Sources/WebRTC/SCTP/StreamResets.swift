/// Starting streams again, which is how data channels are closed (RFC 6525, RFC 8831 section 6.7): one request of ours at a time,
/// and the other side's, which waits until all that was sent before it has arrived.
struct StreamResets: Sendable {
    /// Results of requests (RFC 6525 section 4.4).
    enum Result {
        static let performed: UInt32 = 1
        static let denied: UInt32 = 2
        static let badSequenceNumber: UInt32 = 5
        static let inProgress: UInt32 = 6
    }

    /// The most streams of one request: what fits into a packet.
    private static let streamsPerRequest = 200

    /// Our request that has no final answer yet.
    private struct Request: Sendable {
        var number: UInt32
        var last: TSN
        var streams: [UInt16]
    }

    /// A request of the other side that waits for TSNs.
    private struct Deferred: Sendable {
        var number: UInt32
        var last: TSN
        var streams: [UInt16]
    }

    private var waiting: [UInt16] = []
    private var request: Request?
    private var nextNumber: UInt32
    private var deferred: Deferred?
    private var expectedNumber: UInt32
    private var lastResult = Result.performed

    /// Numbers of requests start with the initial TSNs (RFC 6525 section 4.1).
    init(first: TSN, remoteFirst: TSN) {
        nextNumber = first.value
        expectedNumber = remoteFirst.value
    }

    /// True when a request has no final answer.
    var isWaiting: Bool { request != nil }

    /// Wants a stream of ours reset.
    mutating func ask(for stream: UInt16) {
        if !waiting.contains(stream), request?.streams.contains(stream) != true { waiting.append(stream) }
    }

    /// Makes the next request of those streams that have nothing left to send; nil while there is one or none can be made.
    mutating func makeRequest(last: TSN, isDrained: (UInt16) -> Bool) -> Reconfiguration? {
        guard request == nil, !waiting.isEmpty else { return nil }
        let ready = Array(waiting.filter(isDrained).prefix(Self.streamsPerRequest))
        guard !ready.isEmpty else { return nil }
        waiting.removeAll { ready.contains($0) }
        request = Request(number: nextNumber, last: last, streams: ready)
        nextNumber &+= 1
        return repeatedRequest
    }

    /// The request without an answer, as it was sent.
    var repeatedRequest: Reconfiguration? {
        request.map {
            .resetOutgoing(number: $0.number, response: expectedNumber &- 1, last: $0.last, streams: $0.streams)
        }
    }

    /// Takes an answer.
    /// - Returns: the streams that start again; nil when the answer is none of ours or not final.
    mutating func take(response number: UInt32, result: UInt32) -> [UInt16]? {
        guard let request, request.number == number, result != Result.inProgress else { return nil }
        self.request = nil
        // Whatever was refused cannot be asked for in another way: the streams are given up.
        return request.streams
    }

    /// Takes a request of the other side.
    /// - Returns: the answer, and the streams of the other side that start again now (none named: all).
    mutating func take(
        request number: UInt32,
        last: TSN,
        streams: [UInt16],
        received: TSN
    ) -> (answer: Reconfiguration, reset: [UInt16]?) {
        if number == expectedNumber &- 1 { return (.response(number: number, result: lastResult), nil) }
        guard number == expectedNumber else {
            return (.response(number: number, result: Result.badSequenceNumber), nil)
        }
        guard last.isAfter(received) else {
            finish(number, with: Result.performed)
            return (.response(number: number, result: Result.performed), streams)
        }
        deferred = Deferred(number: number, last: last, streams: streams)
        return (.response(number: number, result: Result.inProgress), nil)
    }

    /// Takes a request that we do not serve.
    mutating func deny(_ number: UInt32) -> Reconfiguration {
        if number == expectedNumber { finish(number, with: Result.denied) }
        return .response(number: number, result: Result.denied)
    }

    /// Everything up to `received` has arrived: a request may have waited for that.
    mutating func advance(to received: TSN) -> (answer: Reconfiguration, reset: [UInt16])? {
        guard let deferred, !deferred.last.isAfter(received) else { return nil }
        finish(deferred.number, with: Result.performed)
        return (.response(number: deferred.number, result: Result.performed), deferred.streams)
    }

    private mutating func finish(_ number: UInt32, with result: UInt32) {
        deferred = nil
        expectedNumber = number &+ 1
        lastResult = result
    }
}
