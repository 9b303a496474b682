package import VoiceCore

/// The data channels of a WebRTC connection: SCTP inside DTLS, and the protocol that opens channels (RFC 8831, RFC 8832).
///
/// **Feed it a packet, a timeout or a call, then take what ``poll(at:)`` gives until that is nil, then wake it at ``nextTimeout``.**
/// Time is any clock that goes forward, the same in all calls. No socket, clock or thread inside; packets are what DTLS carries.
package struct DataChannels: ~Copyable {
    /// A channel's number, which is its stream's in both directions.
    package typealias Identifier = UInt16

    /// Which side of DTLS we are, which decides who uses which numbers (RFC 8832 section 6).
    package enum Role: Sendable {
        /// Opens channels with even numbers.
        case client
        /// Opens channels with odd numbers.
        case server
    }

    /// A message on a channel.
    package enum Message: Sendable, Equatable {
        /// UTF-8, checked.
        case text(String)
        case binary([UInt8])
    }

    /// What the owner is to do or know.
    package enum Output: Sendable, Equatable {
        /// Encrypt and send these bytes, one packet.
        case transmit([UInt8])
        /// The association stands; channels can work now.
        case connected
        /// A channel is open: one that the other side opened, or that it has acknowledged.
        case opened(Identifier, DataChannelParameters)
        /// A message has arrived.
        case message(Identifier, Message)
        /// A channel is closed in both directions, by whichever side; the number can be used again.
        case closed(Identifier)
        /// All is over, and all channels are closed: in good order (nil) or not.
        case ended(SCTPFailure?)
    }

    struct Channel: Sendable {
        var parameters: DataChannelParameters
        /// The other side has not acknowledged yet; messages go in order until then (RFC 8832 section 6).
        var isOpening: Bool
        /// Our stream is to be, or was, reset.
        var isClosing = false
        var isOutgoingReset = false
        var isIncomingReset = false
    }

    let role: Role
    let maximumChannels: Int
    var association: SCTPAssociation
    var channels: [Identifier: Channel] = [:]
    var outputs = IndexedQueue<Output>()
    /// Messages that were no valid text, of a channel that does not exist, or of a kind nobody uses.
    package internal(set) var droppedMessages = 0

    /// Makes the channels of a connection.
    ///
    /// - Parameters:
    ///   - role: ours in DTLS.
    ///   - configuration: of the association below.
    ///   - maximumChannels: how many may be open at a time; more are closed as they open.
    ///   - seed: for tags and numbers; from the system's random numbers outside of tests.
    package init(
        role: Role,
        configuration: SCTPConfiguration = SCTPConfiguration(),
        maximumChannels: Int = 64,
        seed: UInt64
    ) {
        self.role = role
        self.maximumChannels = maximumChannels
        association = SCTPAssociation(configuration, random: SplitMix64(seed: seed))
    }

    /// True when the association stands.
    package var isConnected: Bool { association.isEstablished }
    /// Bytes that wait to be sent or acknowledged; ``SCTPConfiguration/sendBuffer`` bounds them.
    package var bufferedBytes: Int { association.buffered }
    /// Bytes that have arrived and wait for missing packets, or for ``poll(at:)``.
    package var bytesHeld: Int { association.reassembly.bytes + association.undelivered }
    /// When ``handleTimeout(at:)`` is due; nil for never.
    package var nextTimeout: Duration? { association.nextTimeout }
    /// Packets that were not valid, or not for this association.
    package var droppedPackets: Int { association.droppedPackets }

    /// Begins the handshake, when DTLS stands. Without it, the other side's is answered.
    package mutating func start(at now: Duration) { association.start(at: now) }

    /// Takes a packet that DTLS has decrypted.
    package mutating func handle(packet: [UInt8], at now: Duration) { association.handle(packet: packet, at: now) }

    /// Does what is due at ``nextTimeout``; too early is harmless.
    package mutating func handleTimeout(at now: Duration) { association.handleTimeout(at: now) }

    /// Opens a channel. Messages can be sent at once; ``Output/opened(_:_:)`` follows when the other side has acknowledged.
    ///
    /// - Returns: its number.
    /// - Throws: `exhausted` when there are too many channels or too much waits to be sent, `usage` when the label is too long,
    ///   `unavailable` when the association has ended.
    package mutating func open(_ parameters: DataChannelParameters, at now: Duration) throws(VoiceError) -> Identifier {
        guard parameters.label.utf8.count <= 65_535, parameters.subprotocol.utf8.count <= 65_535 else {
            throw VoiceError(.usage, "the label and protocol of a data channel are at most 65535 bytes long")
        }
        let first: Identifier = role == .client ? 0 : 1
        let last = association.isEstablished ? association.outgoingStreams : association.configuration.streams
        let free = stride(from: first, to: last, by: 2).first { channels[$0] == nil }
        guard channels.count < maximumChannels, let identifier = free else {
            throw VoiceError(.exhausted, "\(channels.count) data channels are open already: close one first")
        }
        try sendControl(.open(parameters), on: identifier, at: now)
        channels[identifier] = Channel(parameters: parameters, isOpening: true)
        return identifier
    }

    /// Sends a message.
    ///
    /// - Throws: `usage` when there is no such channel or the message is too long for the other side, `exhausted` when too much
    ///   waits to be sent, `unavailable` when the channel or the association is closing.
    package mutating func send(_ message: Message, on identifier: Identifier, at now: Duration) throws(VoiceError) {
        guard let channel = channels[identifier] else {
            throw VoiceError(.usage, "there is no data channel \(identifier)")
        }
        guard !channel.isClosing else { throw VoiceError(.unavailable, "data channel \(identifier) is closing") }
        let (kind, payload) = Self.payload(of: message)
        try association.send(
            OutgoingMessage(
                stream: identifier,
                protocolIdentifier: kind,
                payload: payload,
                isOrdered: channel.parameters.isOrdered || channel.isOpening,
                reliability: channel.parameters.reliability,
                time: now
            )
        )
    }

    /// Closes a channel once its messages are sent; ``Output/closed(_:)`` follows when the other side has closed it, too.
    package mutating func close(_ identifier: Identifier) {
        guard var channel = channels[identifier], !channel.isClosing else { return }
        channel.isClosing = true
        channels[identifier] = channel
        if association.isEstablished { association.reset(identifier) }
    }

    /// Sends what waits and ends the association in good order.
    package mutating func shutDown(at now: Duration) { association.shutDown(at: now) }

    /// Ends the association at once.
    package mutating func abort() {
        association.abort(SCTPParameter.cause(SCTPParameter.userInitiatedAbort), .closedHere)
    }

    /// The next thing to do; nil when there is nothing more until the next call, packet or timeout.
    package mutating func poll(at now: Duration) -> Output? {
        while true {
            if let output = outputs.popFirst() { return output }
            guard let output = association.poll(at: now) else { return nil }
            handle(output, at: now)
        }
    }

    // MARK: - the association

    private mutating func handle(_ output: SCTPAssociation.Output, at now: Duration) {
        switch output {
        case .transmit(let bytes): outputs.append(.transmit(bytes))
        case .established:
            outputs.append(.connected)
            for (identifier, channel) in channels where channel.isClosing { association.reset(identifier) }
        case .restarted: closeAll()
        case .message(let message): handle(message, at: now)
        case .incomingReset(let streams):
            for identifier in streams.isEmpty ? channels.keys.sorted() : streams { handleIncomingReset(identifier) }
        case .outgoingReset(let streams):
            for identifier in streams {
                channels[identifier]?.isOutgoingReset = true
                finishClosing(identifier)
            }
        case .ended(let failure):
            closeAll()
            outputs.append(.ended(failure))
        }
    }

    private mutating func closeAll() {
        for identifier in channels.keys.sorted() { outputs.append(.closed(identifier)) }
        channels = [:]
    }

    /// The other side closes: so do we (RFC 8831 section 6.7).
    private mutating func handleIncomingReset(_ identifier: Identifier) {
        guard channels[identifier] != nil else { return }
        channels[identifier]?.isIncomingReset = true
        close(identifier)
        finishClosing(identifier)
    }

    private mutating func finishClosing(_ identifier: Identifier) {
        guard let channel = channels[identifier], channel.isOutgoingReset else { return }
        // A side that cannot reset streams will not tell that it has closed.
        guard channel.isIncomingReset || !association.remoteResets else { return }
        channels[identifier] = nil
        outputs.append(.closed(identifier))
    }
}
