internal import VoiceCore

/// What travels on channels: messages, and those that open channels.
extension DataChannels {
    // Payload protocol identifiers (RFC 8831 section 8); the two of partial messages, 52 and 54, are deprecated and not served.
    private enum Payload {
        static let control: UInt32 = 50
        static let text: UInt32 = 51
        static let binary: UInt32 = 53
        static let emptyText: UInt32 = 56
        static let emptyBinary: UInt32 = 57
    }

    mutating func handle(_ message: Reassembly.Message, at now: Duration) {
        let identifier = message.stream
        if message.protocolIdentifier == Payload.control {
            return handle(control: message.payload, on: identifier, at: now)
        }
        guard let channel = channels[identifier], !channel.isIncomingReset,
            let decoded = Self.message(message.protocolIdentifier, message.payload)
        else {
            droppedMessages += 1
            return
        }
        // A message says that the channel is open, too (RFC 8832 section 6).
        if channel.isOpening { noteOpened(identifier) }
        outputs.append(.message(identifier, decoded))
    }

    private mutating func handle(control bytes: [UInt8], on identifier: Identifier, at now: Duration) {
        switch DataChannelMessage.decode(bytes) {
        case .acknowledge: noteOpened(identifier)
        case .open(let parameters): handle(open: parameters, on: identifier, at: now)
        // Neither is valid here: the stream is closed (RFC 8832 section 6).
        case nil:
            droppedMessages += 1
            channels[identifier] == nil ? association.reset(identifier) : close(identifier)
        }
    }

    private mutating func handle(open parameters: DataChannelParameters, on identifier: Identifier, at now: Duration) {
        let isTheirs = (identifier % 2 == 0) == (role == .server)
        guard channels[identifier] == nil, isTheirs, channels.count < maximumChannels,
            (try? sendControl(.acknowledge, on: identifier, at: now)) != nil
        else {
            droppedMessages += 1
            channels[identifier] == nil ? association.reset(identifier) : close(identifier)
            return
        }
        channels[identifier] = Channel(parameters: parameters, isOpening: false)
        outputs.append(.opened(identifier, parameters))
    }

    private mutating func noteOpened(_ identifier: Identifier) {
        guard let channel = channels[identifier], channel.isOpening else { return }
        channels[identifier]?.isOpening = false
        outputs.append(.opened(identifier, channel.parameters))
    }

    /// Messages of the opening protocol are reliable and in order (RFC 8832 section 6).
    mutating func sendControl(
        _ message: DataChannelMessage,
        on identifier: Identifier,
        at now: Duration
    ) throws(VoiceError) {
        try association.send(
            OutgoingMessage(
                stream: identifier,
                protocolIdentifier: Payload.control,
                payload: message.encode(),
                isOrdered: true,
                reliability: .reliable,
                time: now
            )
        )
    }

    /// An empty message is sent as one zero byte of a kind of its own (RFC 8831 section 6.6).
    static func payload(of message: Message) -> (kind: UInt32, payload: [UInt8]) {
        switch message {
        case .text(let text): text.isEmpty ? (Payload.emptyText, [0]) : (Payload.text, Array(text.utf8))
        case .binary(let bytes): bytes.isEmpty ? (Payload.emptyBinary, [0]) : (Payload.binary, bytes)
        }
    }

    private static func message(_ kind: UInt32, _ payload: [UInt8]) -> Message? {
        switch kind {
        case Payload.text: String(validating: payload, as: UTF8.self).map { .text($0) }
        case Payload.binary: .binary(payload)
        case Payload.emptyText: .text("")
        case Payload.emptyBinary: .binary([])
        default: nil
        }
    }
}
