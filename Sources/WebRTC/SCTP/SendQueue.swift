/// How hard to try to deliver a message (RFC 3758 section 4, RFC 8832 section 5.1).
package enum SCTPReliability: Sendable, Equatable {
    /// Until it arrives.
    case reliable
    /// It is sent again at most so many times.
    case retransmissions(UInt32)
    /// It is sent again only while it is not older than this.
    case lifetime(Duration)
}

/// A message on its way out.
struct OutgoingMessage: Sendable {
    var stream: UInt16
    var protocolIdentifier: UInt32
    var payload: [UInt8]
    var isOrdered: Bool
    var reliability: SCTPReliability
    /// When it was handed in.
    var time: Duration
    /// Its number among all messages.
    var identity = 0
    /// Payload bytes that have become chunks.
    var offset = 0
    /// Its number on its stream; given when its first chunk is made, so that a message given up before costs none.
    var sequence: UInt16?

    /// True when it may not be sent any more.
    func isExpired(at now: Duration) -> Bool {
        if case .lifetime(let lifetime) = reliability { now - time > lifetime } else { false }
    }
}

/// Messages that have no TSN yet. They go out in the order they came, over all streams: fragments of two messages cannot mix
/// (RFC 9260 section 6.9).
struct SendQueue: Sendable {
    /// What a waiting message costs besides its payload: bounds the number of small ones.
    static let overhead = 64

    /// Bytes waiting, with ``overhead``.
    private(set) var bytes = 0
    private var messages = IndexedQueue<OutgoingMessage>()
    private var sequences: [UInt16: UInt16] = [:]
    private var nextIdentity = 0

    /// Nothing waits.
    var isEmpty: Bool { messages.isEmpty }

    /// Adds a message.
    mutating func append(_ message: OutgoingMessage) {
        var message = message
        message.identity = nextIdentity
        nextIdentity += 1
        bytes += message.payload.count + Self.overhead
        messages.append(message)
    }

    /// True when a message for `stream` waits.
    func holds(_ stream: UInt16) -> Bool { (0..<messages.count).contains { messages[$0].stream == stream } }

    /// The length of the next chunk's payload; nil when nothing waits. Drops what is too old before it.
    mutating func nextLength(at now: Duration) -> Int? {
        while let first = messages.first, first.offset == 0, first.isExpired(at: now) { removeFirst() }
        return messages.first.map { min(SCTPConfiguration.maximumPayload, $0.payload.count - $0.offset) }
    }

    /// Makes the next chunk.
    /// - Returns: the chunk, and the message it is of.
    mutating func next(tsn: TSN) -> (chunk: DataChunk, message: OutgoingMessage)? {
        guard var message = messages.first else { return nil }
        let sequence = message.sequence ?? (message.isOrdered ? takeSequence(message.stream) : 0)
        message.sequence = sequence
        let end = min(message.payload.count, message.offset + SCTPConfiguration.maximumPayload)
        let chunk = DataChunk(
            tsn: tsn,
            stream: message.stream,
            sequence: sequence,
            protocolIdentifier: message.protocolIdentifier,
            isOrdered: message.isOrdered,
            isFirst: message.offset == 0,
            isLast: end == message.payload.count,
            payload: Array(message.payload[message.offset..<end])
        )
        bytes -= end - message.offset
        message.offset = end
        messages[0] = message
        if chunk.isLast { removeFirst() }
        message.payload = []
        return (chunk, message)
    }

    /// Forgets what is left of a message that was given up after its first chunk.
    /// - Returns: true when something was left.
    mutating func abandon(_ identity: Int) -> Bool {
        guard let first = messages.first, first.identity == identity else { return false }
        removeFirst()
        return true
    }

    /// A stream starts again at 0.
    mutating func resetSequence(_ stream: UInt16) { sequences[stream] = nil }

    private mutating func takeSequence(_ stream: UInt16) -> UInt16 {
        defer { sequences[stream, default: 0] &+= 1 }
        return sequences[stream, default: 0]
    }

    private mutating func removeFirst() {
        guard let message = messages.popFirst() else { return }
        bytes -= message.payload.count - message.offset + Self.overhead
    }
}
