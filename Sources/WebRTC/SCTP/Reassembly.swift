/// Puts messages together from fragments and delivers ordered ones in order (RFC 9260 sections 6.5, 6.6 and 6.9).
///
/// Bounded by its owner, which asks ``bytes`` before it inserts.
struct Reassembly: Sendable {
    /// A message that can be delivered.
    struct Message: Sendable, Equatable {
        var stream: UInt16
        var protocolIdentifier: UInt32
        var payload: [UInt8]
    }

    /// What a message in here must not exceed.
    private let maximumMessage: Int
    /// Bytes waiting here, by ``cost(_:)``.
    private(set) var bytes = 0
    private var fragments: [TSN: DataChunk] = [:]
    private var streams: [UInt16: OrderedStream] = [:]

    /// What is known of an incoming stream.
    private struct OrderedStream: Sendable {
        /// The sequence number to be delivered next.
        var next: UInt16 = 0
        /// Complete messages behind one that is not.
        var waiting: [UInt16: Message] = [:]
    }

    /// Nothing has arrived.
    init(maximumMessage: Int) { self.maximumMessage = maximumMessage }

    /// Takes a chunk that has not been here before.
    /// - Returns: what can be delivered now, in order; nil when a message is longer than may be.
    mutating func insert(_ chunk: DataChunk) -> [Message]? {
        fragments[chunk.tsn] = chunk
        bytes += Self.cost(chunk.payload)
        guard let last = end(of: chunk.tsn), let first = start(of: chunk.tsn) else { return [] }
        let message = take(first: first, count: first.distance(to: last) + 1)
        guard message.payload.count <= maximumMessage else { return nil }
        return chunk.isOrdered ? deliver(message, sequence: chunk.sequence) : [message]
    }

    /// The other side gave up everything up to `forward.cumulative`, and on these streams messages up to a number.
    /// - Returns: what can be delivered now.
    mutating func skip(_ forward: ForwardTSN) -> [Message] {
        drop(upTo: forward.cumulative)
        var delivered: [Message] = []
        for skipped in forward.streams {
            guard !StreamSequence.isAfter(streams[skipped.stream]?.next ?? 0, skipped.sequence) else { continue }
            delivered += deliver(on: skipped.stream, upTo: skipped.sequence)
        }
        return delivered
    }

    /// These streams start again (RFC 6525 section 5.2.2), all of them if there are none named.
    mutating func reset(_ numbers: [UInt16]) {
        for number in numbers.isEmpty ? Array(streams.keys) : numbers {
            guard let stream = streams.removeValue(forKey: number) else { continue }
            for message in stream.waiting.values { bytes -= Self.cost(message.payload) }
        }
    }

    /// What a waiting chunk or message counts: more than its payload, which bounds the number of small ones.
    static func cost(_ payload: [UInt8]) -> Int { payload.count + 64 }

    // MARK: - fragments

    private func continues(_ chunk: DataChunk, with next: DataChunk) -> Bool {
        chunk.stream == next.stream && chunk.isOrdered == next.isOrdered
            && (!chunk.isOrdered || chunk.sequence == next.sequence) && !chunk.isLast && !next.isFirst
    }

    private func end(of tsn: TSN) -> TSN? {
        var place = tsn
        while let chunk = fragments[place] {
            if chunk.isLast { return place }
            guard let next = fragments[place.next], continues(chunk, with: next) else { return nil }
            place = place.next
        }
        return nil
    }

    private func start(of tsn: TSN) -> TSN? {
        var place = tsn
        while let chunk = fragments[place] {
            if chunk.isFirst { return place }
            guard let previous = fragments[place.previous], continues(previous, with: chunk) else { return nil }
            place = place.previous
        }
        return nil
    }

    private mutating func take(first: TSN, count: Int) -> Message {
        var message = Message(stream: 0, protocolIdentifier: 0, payload: [])
        for index in 0..<count {
            guard let chunk = fragments.removeValue(forKey: first.advanced(by: index)) else { continue }
            bytes -= Self.cost(chunk.payload)
            message.stream = chunk.stream
            if index == 0 { message.protocolIdentifier = chunk.protocolIdentifier }
            message.payload += chunk.payload
        }
        return message
    }

    /// Forgets fragments up to `cumulative`, but not the beginning of a message that goes on behind it without a hole.
    private mutating func drop(upTo cumulative: TSN) {
        var kept: TSN?
        if let chunk = fragments[cumulative], !chunk.isLast { kept = start(of: cumulative) }
        for (tsn, chunk) in fragments where !tsn.isAfter(cumulative) {
            if let kept, !kept.isAfter(tsn) { continue }
            fragments[tsn] = nil
            bytes -= Self.cost(chunk.payload)
        }
    }

    // MARK: - order

    private mutating func deliver(_ message: Message, sequence: UInt16) -> [Message] {
        let next = streams[message.stream]?.next ?? 0
        if sequence == next {
            streams[message.stream, default: OrderedStream()].next = next &+ 1
            return [message] + deliver(on: message.stream, upTo: nil)
        }
        // A number that has been delivered or given up comes of a broken sender.
        guard StreamSequence.isAfter(sequence, next) else { return [] }
        if let old = streams[message.stream, default: OrderedStream()].waiting.updateValue(message, forKey: sequence) {
            bytes -= Self.cost(old.payload)
        }
        bytes += Self.cost(message.payload)
        return []
    }

    /// Takes what waits on a stream: all up to `skipped`, whatever is missing there, and then all that follows without a hole.
    private mutating func deliver(on number: UInt16, upTo skipped: UInt16?) -> [Message] {
        var stream = streams.removeValue(forKey: number) ?? OrderedStream()
        var delivered: [Message] = []
        if let skipped {
            let passed = stream.waiting.keys.filter { !StreamSequence.isAfter($0, skipped) }
            let start = stream.next
            for sequence in passed.sorted(by: { $0 &- start < $1 &- start }) {
                if let message = stream.waiting.removeValue(forKey: sequence) { delivered.append(message) }
            }
            stream.next = skipped &+ 1
        }
        while let message = stream.waiting.removeValue(forKey: stream.next) {
            delivered.append(message)
            stream.next &+= 1
        }
        streams[number] = stream
        for message in delivered { bytes -= Self.cost(message.payload) }
        return delivered
    }
}
