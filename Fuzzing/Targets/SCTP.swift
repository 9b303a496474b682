internal import VoiceCore

@testable internal import WebRTC

extension FuzzTarget {
    /// A packet of SCTP; the first byte says whether with a correct checksum.
    ///
    /// Claims: what is read is written and read as the same; without a correct checksum nothing is read.
    static let sctp = FuzzTarget(name: "sctp", seeds: { Association.packets.map { [1] + $0 } }) { bytes in
        var input = FuzzInput(bytes)
        let isSealed = input.byte() & 1 != 0
        let datagram = isSealed ? Association.sealed(input.rest()) : input.rest()
        guard let packet = SCTPPacket.decode(datagram) else { return }
        let written = packet.encode()
        try claim(SCTPPacket.decode(written) == packet, "a packet is the same after writing and reading")
        try claim(written.count <= datagram.count + 4, "a packet does not grow but for its padding")
    }

    /// The Data Channel Establishment Protocol.
    ///
    /// Claims: what is read is written and read as the same.
    static let dcep = FuzzTarget(name: "dcep", seeds: { Association.establishments }) { bytes in
        guard let message = DataChannelMessage.decode(bytes) else { return }
        // Labels that were no UTF-8 grow when they are repaired, beyond what their length can say.
        if case .open(let parameters) = message,
            max(parameters.label.utf8.count, parameters.subprotocol.utf8.count) > 65_535
        {
            return
        }
        try claim(
            DataChannelMessage.decode(message.encode()) == message,
            "a message is the same after writing and reading"
        )
    }

    /// A whole association with its data channels: packets of a stranger who knows our tag, of a well-behaved browser, our own messages, time.
    ///
    /// Claims: what waits is bounded both ways; one event leads to few packets; after its timer nothing is due at once again.
    static let association = FuzzTarget(name: "association", seeds: { Association.seeds }) { bytes in
        var input = FuzzInput(bytes)
        var association = Association(isConnected: input.byte() & 1 != 0)
        for _ in 0..<300 where !input.isAtEnd { try association.step(&input) }
    }
}

/// Our data channels, a browser's, and somebody who speaks in its name.
struct Association: ~Copyable {
    /// Far more packets than one event can be worth: a full send buffer of the smallest messages fits a window of this many.
    private static let burst = 2_000

    private var ours = DataChannels(role: .server, seed: 1)
    private var browser = DataChannels(role: .client, seed: 2)
    private var now = Duration.zero
    /// Packets of the browser on their way to us, and of ours to it; more are lost.
    private var toUs: [[UInt8]] = []
    private var toBrowser: [[UInt8]] = []
    private var tag: UInt32 = 0
    private var next = TSN(0)

    init(isConnected: Bool) {
        if isConnected { connect() }
    }

    private mutating func connect() {
        browser.start(at: now)
        _ = try? browser.open(DataChannelParameters(label: "chat"), at: now)
        for _ in 0..<8 {
            drain()
            exchange()
        }
    }

    /// One event of the input.
    mutating func step(_ input: inout FuzzInput) throws {
        let (kind, sent) = (input.byte(), toBrowser.count)
        switch kind & 0x0f {
        case 0: ours.handle(packet: input.block(), at: now)
        case 1, 2, 3: ours.handle(packet: Self.sealed(header + input.block()), at: now)
        case 4, 5: ours.handle(packet: header(with: data(&input, kind)), at: now)
        case 6: now += input.pause()
        case 7: exchange()
        case 8: try? send(input.number(), on: kind >> 4)
        case 9: ours.close(UInt16(kind >> 4))
        case 10: if kind == 0xfa { ours.shutDown(at: now) }
        case 11: try? browser.send(.binary([UInt8](repeating: kind, count: Int(input.number()))), on: 0, at: now)
        case 12: browser.close(UInt16(kind >> 4))
        case 13: if kind == 0xfd { browser.start(at: now) }
        case 14: toUs = []
        default: if !toUs.isEmpty { toUs.append(toUs.removeFirst()) }
        }
        ours.handleTimeout(at: now)
        browser.handleTimeout(at: now)
        drain()
        try claim(ours.nextTimeout.map { $0 > now } ?? true, "what was due is done")
        try claim(toBrowser.count - sent <= Self.burst, "one event leads to few packets")
        try claim(ours.bytesHeld <= 1_048_576 * 3 / 2, "what has arrived is bounded")
        try claim(ours.bufferedBytes <= 1_048_576, "what waits to be sent is bounded")
        try claim(ours.channels.count <= ours.maximumChannels + 1, "channels are bounded")
        if toBrowser.count > 4 * Self.burst { toBrowser = [] }
    }

    /// The packet of one DATA chunk: near what is expected, or anywhere.
    private mutating func data(_ input: inout FuzzInput, _ kind: UInt8) -> SCTPChunk {
        let distance = input.byte()
        let tsn = next.advanced(by: Int(Int8(bitPattern: distance)) * (kind & 0x80 != 0 ? 1000 : 1))
        if distance == 0 { next = next.advanced(by: 1) }
        let flags = input.byte()
        return .data(
            DataChunk(
                tsn: tsn,
                stream: UInt16(input.byte()),
                sequence: UInt16(input.byte()),
                protocolIdentifier: UInt32(50 + input.byte() % 8),
                isOrdered: flags & 4 == 0,
                isFirst: flags & 2 != 0,
                isLast: flags & 1 != 0,
                payload: input.block()
            )
        )
    }

    private mutating func send(_ count: UInt16, on channel: UInt8) throws {
        try ours.send(.binary([UInt8](repeating: 7, count: Int(count))), on: UInt16(channel), at: now)
    }

    private var header: [UInt8] {
        SCTPPacket(sourcePort: 5000, destinationPort: 5000, tag: tag, chunks: []).encode()
    }

    private func header(with chunk: SCTPChunk) -> [UInt8] {
        SCTPPacket(sourcePort: 5000, destinationPort: 5000, tag: tag, chunks: [chunk]).encode()
    }

    /// Delivers what is on its way.
    private mutating func exchange() {
        let (arriving, leaving) = (toUs, toBrowser)
        (toUs, toBrowser) = ([], [])
        for packet in arriving { ours.handle(packet: packet, at: now) }
        for packet in leaving { browser.handle(packet: packet, at: now) }
        drain()
    }

    private mutating func drain() {
        while let output = ours.poll(at: now) {
            guard case .transmit(let packet) = output else { continue }
            toBrowser.append(packet)
        }
        while let output = browser.poll(at: now) {
            guard case .transmit(let packet) = output else { continue }
            if toUs.count < 64 { toUs.append(packet) }
            learn(SCTPPacket.decode(packet))
        }
    }

    /// Takes over the browser's name and place.
    private mutating func learn(_ packet: SCTPPacket?) {
        guard let packet else { return }
        if packet.tag != 0 { tag = packet.tag }
        for chunk in packet.chunks {
            switch chunk {
            case .initiation(let initiation): next = initiation.initialTSN
            case .data(let data): next = data.tsn.advanced(by: 1)
            default: break
            }
        }
    }

    /// A packet with a correct checksum.
    static func sealed(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes.count < 12 ? bytes + [UInt8](repeating: 0, count: 12 - bytes.count) : bytes
        let checksum = CRC32c.checksum(bytes, zeroed: 8).byteSwapped
        for index in 0..<4 { bytes[8 + index] = UInt8(truncatingIfNeeded: checksum >> (24 - 8 * index)) }
        return bytes
    }

    // MARK: - to begin with

    private static let chunks: [[SCTPChunk]] = [
        [
            .initiation(
                Initiation(
                    tag: 7,
                    window: 100_000,
                    outgoingStreams: 10,
                    incomingStreams: 10,
                    initialTSN: TSN(5),
                    parameters: [
                        SCTPParameter(type: SCTPParameter.forwardTSNSupported, value: []),
                        SCTPParameter(type: SCTPParameter.supportedExtensions, value: [130, 192]),
                    ]
                )
            )
        ],
        [.cookieEcho(Array(1...60)), .heartbeat([0, 1, 0, 8, 1, 2, 3, 4])],
        [
            .acknowledgement(
                SelectiveAcknowledgement(cumulative: TSN(4), window: 9, gaps: [2...3, 5...9], duplicates: [TSN(1)])
            )
        ],
        [
            .data(
                DataChunk(
                    tsn: TSN(5),
                    stream: 0,
                    sequence: 0,
                    protocolIdentifier: 50,
                    isOrdered: true,
                    isFirst: true,
                    isLast: true,
                    payload: DataChannelMessage.open(DataChannelParameters(label: "chat")).encode()
                )
            )
        ],
        [.forward(ForwardTSN(cumulative: TSN(9), streams: [.init(stream: 0, sequence: 1)]))],
        [
            .reconfiguration([
                .resetOutgoing(number: 5, response: 4, last: TSN(5), streams: [0]), .response(number: 5, result: 1),
            ])
        ],
        [.abort([.cause(SCTPParameter.protocolViolation, "no")], reflectsTag: false)],
        [.error([.cause(SCTPParameter.staleCookie)]), .shutdown(TSN(5)), .shutdownAcknowledgement],
        [
            .shutdownComplete(reflectsTag: true), .cookieAcknowledgement,
            .unknown(type: 200, flags: 1, value: [1, 2, 3]),
        ],
    ]

    static let packets: [[UInt8]] = chunks.map {
        SCTPPacket(sourcePort: 5000, destinationPort: 5000, tag: 1, chunks: $0).encode()
    }

    static let establishments: [[UInt8]] = [
        DataChannelMessage.acknowledge.encode(), DataChannelMessage.open(DataChannelParameters(label: "chat")).encode(),
        DataChannelMessage.open(
            DataChannelParameters(label: "ä", subprotocol: "rtvi", isOrdered: false, reliability: .retransmissions(3))
        ).encode(),
        DataChannelMessage.open(DataChannelParameters(label: "", reliability: .lifetime(.milliseconds(99)))).encode(),
    ]

    static var seeds: [[UInt8]] {
        var strange: [UInt8] = []
        for packet in packets { strange += [1] + FuzzInput.block(Array(packet.dropFirst(12))) + [6, 0xf1] }
        let whole = [4, 0, 3, 0, 0, 1] + FuzzInput.block(Array("hello".utf8))
        let parts =
            [4, 0, 2, 0, 1, 1] + FuzzInput.block([1, 2]) + [4, 2, 1, 0, 1, 1] + FuzzInput.block([3]) + [6, 200]
        let busy: [UInt8] = [7, 8, 4, 0, 7, 11, 8, 0, 7, 7, 6, 0xf1, 9, 7, 12, 7, 0xfa, 7, 7]
        return [[0] + strange, [1] + strange, [1] + whole + parts + busy, [1] + busy + whole + [14] + parts]
    }
}
