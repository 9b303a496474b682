internal import VoiceCore

/// An association of SCTP as WebRTC uses it, inside DTLS (RFC 9260, RFC 3758, RFC 6525; RFC 8261): packets and time in, packets and
/// messages out. No socket, clock or random numbers of its own.
///
/// **Feed it, then take what ``poll(at:)`` gives until that is nil, then wake it at ``nextTimeout``.**
///
/// One path, no authentication of its own: DTLS knows who is there. Either side may begin, and both may at once.
struct SCTPAssociation: ~Copyable {
    /// What the owner is to do or know.
    enum Output: Sendable, Equatable {
        /// Send these bytes, of one packet.
        case transmit([UInt8])
        /// The association stands.
        case established
        /// The other side forgot the association and made a new one: everything on its way is lost.
        case restarted
        /// A message has arrived.
        case message(Reassembly.Message)
        /// The other side's streams start again, all of them if none are named.
        case incomingReset([UInt16])
        /// Our streams start again, as asked for.
        case outgoingReset([UInt16])
        /// Nothing follows: it was shut down (nil) or it failed.
        case ended(SCTPFailure?)
    }

    enum State: Sendable, Equatable {
        case idle
        case cookieWait, cookieEchoed
        case established
        case shutdownPending, shutdownSent, shutdownReceived, shutdownAcknowledgementSent
        case ended
    }

    /// Chunks of control that wait for a packet; more come only of a flood, and are dropped.
    static let waitingControlChunks = 16

    let configuration: SCTPConfiguration
    var state = State.idle
    var random: SplitMix64

    // The handshake.
    /// The tag that packets to us carry.
    var localTag: UInt32
    /// The tag that packets to the other side carry.
    var remoteTag: UInt32 = 0
    /// The TSN of our first chunk.
    var initialTSN: TSN
    /// An INIT that we have answered.
    var offer: HandshakeOffer?
    /// The cookie to be echoed.
    var cookie: [UInt8] = []
    var handshakeTries = 0

    // What the other side can do.
    var outgoingStreams: UInt16 = 0
    var remoteForwards = false
    var remoteResets = false
    /// Its receive window as it last said, in bytes.
    var remoteWindow = 0

    // Sending.
    var queue = SendQueue()
    var sent: RetransmissionQueue
    var congestion = CongestionWindow()
    var roundTrip: RoundTripEstimate
    /// Timeouts in a row.
    var errors = 0
    var mustForward = false
    /// When FORWARD TSN was last sent.
    var forwardTime: Duration?
    var mustSendAgainNow = false
    var resets: StreamResets

    // Receiving.
    var received = ReceivedTSNs(first: TSN(0))
    var reassembly: Reassembly
    /// Bytes of messages that the owner has not taken.
    var undelivered = 0
    /// Packets with data since the last acknowledgement.
    var unacknowledgedPackets = 0
    var mustAcknowledge = false
    /// The window as we last said.
    var announcedWindow = 0

    // What is to go out.
    var outputs = IndexedQueue<Output>()
    var control: [SCTPChunk] = []
    /// A nonce, while a heartbeat is out, and when it went.
    var heartbeat: (nonce: [UInt8], time: Duration)?

    // When to be woken.
    /// INIT or COOKIE ECHO again (T1).
    var handshakeDeadline: Duration?
    /// SHUTDOWN or SHUTDOWN ACK again (T2).
    var shutdownDeadline: Duration?
    /// Chunks again (T3).
    var retransmissionDeadline: Duration?
    var acknowledgementDeadline: Duration?
    var heartbeatDeadline: Duration?
    var resetDeadline: Duration?

    /// Packets that were dropped because they were not valid, or not for this association.
    var droppedPackets = 0

    /// Makes an association that answers, and that begins on ``start(at:)``.
    init(_ configuration: SCTPConfiguration, random: SplitMix64) {
        var random = random
        self.configuration = configuration
        localTag = Self.tag(&random)
        initialTSN = TSN(UInt32(truncatingIfNeeded: random.next()))
        self.random = random
        sent = RetransmissionQueue(first: initialTSN)
        roundTrip = RoundTripEstimate(configuration)
        resets = StreamResets(first: initialTSN, remoteFirst: TSN(0))
        reassembly = Reassembly(maximumMessage: configuration.maximumMessage)
    }

    /// A tag, which is never 0 (RFC 9260 section 3.3.2).
    static func tag(_ random: inout SplitMix64) -> UInt32 { max(1, UInt32(truncatingIfNeeded: random.next())) }

    /// True when messages can be handed in and are sent.
    var isEstablished: Bool { state == .established }

    /// Bytes that wait to be sent or acknowledged.
    var buffered: Int { queue.bytes + sent.bytes }

    /// When ``handleTimeout(at:)`` is due; nil for never.
    var nextTimeout: Duration? {
        let first = Duration.earliest(handshakeDeadline, shutdownDeadline, resetDeadline)
        return .earliest(first, .earliest(retransmissionDeadline, acknowledgementDeadline, heartbeatDeadline))
    }

    /// Hands in a message; it waits until the association stands.
    ///
    /// - Throws: `usage` when it is too long for the other side or empty, `exhausted` when ``SCTPConfiguration/sendBuffer`` is
    ///   full, `unavailable` when the association is ending or the stream does not exist.
    mutating func send(_ message: OutgoingMessage) throws(VoiceError) {
        guard !message.payload.isEmpty, message.payload.count <= configuration.maximumOutgoingMessage else {
            throw VoiceError(
                .usage,
                "a message of \(message.payload.count) bytes cannot be sent: the other side takes 1 to "
                    + "\(configuration.maximumOutgoingMessage)"
            )
        }
        switch state {
        case .idle, .cookieWait, .cookieEchoed: break
        case .established:
            guard message.stream < outgoingStreams else {
                throw VoiceError(.unavailable, "the other side has no stream \(message.stream)")
            }
        default: throw VoiceError(.unavailable, "the SCTP association is closing or closed")
        }
        guard buffered + message.payload.count + SendQueue.overhead <= configuration.sendBuffer else {
            throw VoiceError(
                .exhausted,
                "\(buffered) bytes wait for the other side already: send less, or later"
            )
        }
        queue.append(message)
    }

    /// Starts a stream of ours again once all its messages are sent; ``Output/outgoingReset(_:)`` says when that is so.
    mutating func reset(_ stream: UInt16) {
        guard remoteResets else { return outputs.append(.outgoingReset([stream])) }
        resets.ask(for: stream)
    }

    // MARK: - ending

    /// Ends at once, without a word.
    mutating func end(_ failure: SCTPFailure?) {
        guard state != .ended else { return }
        state = .ended
        queue = SendQueue()
        sent = RetransmissionQueue(first: sent.nextTSN)
        reassembly = Reassembly(maximumMessage: configuration.maximumMessage)
        control = []
        (mustForward, mustAcknowledge, mustSendAgainNow) = (false, false, false)
        heartbeat = nil
        (handshakeDeadline, shutdownDeadline, retransmissionDeadline) = (nil, nil, nil)
        (acknowledgementDeadline, heartbeatDeadline, resetDeadline) = (nil, nil, nil)
        outputs.append(.ended(failure))
    }

    /// Ends at once and tells the other side why.
    mutating func abort(_ cause: SCTPParameter, _ failure: SCTPFailure) {
        guard state != .ended else { return }
        if remoteTag != 0 { transmit([.abort([cause], reflectsTag: false)], tag: remoteTag) }
        end(failure)
    }

    /// Queues a packet of its own.
    mutating func transmit(_ chunks: [SCTPChunk], tag: UInt32) {
        outputs.append(.transmit(encode(chunks, tag: tag)))
    }

    func encode(_ chunks: [SCTPChunk], tag: UInt32) -> [UInt8] {
        SCTPPacket(
            sourcePort: configuration.localPort,
            destinationPort: configuration.remotePort,
            tag: tag,
            chunks: chunks
        ).encode()
    }

    /// Queues a chunk of control for the next packet.
    mutating func enqueue(_ chunk: SCTPChunk) {
        if control.count < Self.waitingControlChunks { control.append(chunk) }
    }
}

/// Why an association ended.
package enum SCTPFailure: Sendable, Equatable {
    /// The other side aborted it, with these words, if any.
    case aborted(String)
    /// The other side does not answer.
    case timedOut
    /// The other side broke the protocol, or sent more than there is room for.
    case violation(String)
    /// Our own side aborted it.
    case closedHere
}
