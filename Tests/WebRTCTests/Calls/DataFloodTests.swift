internal import Testing
internal import Transports
internal import VoiceCore

@testable internal import WebRTC

/// A client that keeps to DTLS and SCTP, but not to measure.
@Suite struct DataFloodTests {
    @Test func `answers that nobody takes end the call before they fill the memory`() throws {
        let client = try FloodingClient()
        let question = #"{"label":"rtvi-ai","type":"client-message","id":"1","data":{"t":"what"}}"#
        var sent = 0
        while client.end == nil, sent < 50_000 {
            try client.send(question)
            sent += 1
        }
        #expect(client.end == .stalled)
        // Its send buffer of a mebibyte holds so many answers and no more.
        #expect(sent > 1_000 && sent < 15_000, "\(sent)")
        let after = client.delivered.count
        try client.send(question)
        #expect(client.delivered.count == after && client.call.poll() == nil && client.call.nextTimeout == nil)
    }

    @Test func `typed messages are handed on one by one, and none is kept`() throws {
        let client = try FloodingClient()
        let typed = #"{"label":"rtvi-ai","type":"send-text","id":"1","data":{"content":"hello"}}"#
        for number in 1...5_000 {
            try client.send(typed)
            // Whoever owns the call bounds what waits for the conversation: a message brings an event, or an answer of the same size.
            #expect(client.delivered.count <= 2 * number)
        }
        #expect(client.delivered.count >= 5_000)
        #expect(client.end == nil)
    }

    @Test func `noise, pictures and other channels are dropped, and the chat goes on`() throws {
        let client = try FloodingClient()
        var random = SplitMix64(seed: 3)
        for number in 0..<3_000 {
            let noise = (0..<Int.random(in: 0...900, using: &random)).map { _ in
                UInt8(truncatingIfNeeded: random.next())
            }
            // Text and binary on the chat; any kind on a stream without a channel; an opening that is none.
            let (stream, kind): (UInt16, UInt32) = [(0, 51), (0, 53), (7, 51), (9, 50), (0, 99)][number % 5]
            try client.send(noise.isEmpty ? [0] : noise, on: stream, kind: kind)
        }
        #expect(client.delivered.isEmpty && client.end == nil)
        try client.send(#"{"label":"rtvi-ai","type":"send-text","id":"1","data":{"content":"hello"}}"#)
        #expect(!client.delivered.isEmpty && client.end == nil)
    }
}

/// A browser that never acknowledges anything and never listens; its packets need no time.
private final class FloodingClient {
    private static let models = ModelNames(vad: "v", turn: "t", asr: "a", llm: "l", tts: "s")

    let call: WebRTCCall
    private(set) var delivered: [TransportEvent] = []
    private(set) var end: CloseReason?

    private let browser: ScriptedBrowser
    private var tag: UInt32 = 0
    private var tsn = TSN(1)
    private var sequences: [UInt16: UInt16] = [:]
    private let now = Duration.milliseconds(1)

    init() throws {
        browser = try ScriptedBrowser(identity: DTLSIdentity())
        let address = try #require(NetworkAddress("192.0.2.1", port: 4000))
        call = try WebRTCCall(
            peers: PeerConfiguration(identity: DTLSIdentity(), addresses: [address]),
            about: RTVIAbout(library: "test", version: "1"),
            models: Self.models,
            at: .zero
        )
        try browser.accept(call.answer(browser.offer, at: .zero))
        try deliver([browser.check()])
        try #require(browser.client.isConnected)
        // The association: INIT, INIT ACK with the server's tag and a cookie, COOKIE ECHO (RFC 9260 section 5.1).
        let initiation = Initiation(
            tag: 7,
            window: 1 << 30,
            outgoingStreams: 16,
            incomingStreams: 16,
            initialTSN: tsn,
            parameters: []
        )
        try send([.initiation(initiation)])
        let answer = try #require(browser.client.received.last.flatMap(SCTPPacket.decode)?.chunks.first)
        guard case .initiationAcknowledgement(let acknowledgement) = answer else {
            throw VoiceError(.fault, "no INIT ACK")
        }
        tag = acknowledgement.tag
        try send([.cookieEcho(try #require(acknowledgement.parameter(SCTPParameter.stateCookie)).value)])
        try send(DataChannelMessage.open(DataChannelParameters(label: "chat")).encode(), on: 0, kind: 50)
        try send(#"{"label":"rtvi-ai","type":"client-ready","id":"0","data":{"version":"2.1.0"}}"#)
        call.begin(Welcome(session: "1", models: Self.models), at: now)
        try drain()
        delivered = []
    }

    /// Sends a text on the chat.
    func send(_ text: String) throws { try send(Array(text.utf8), on: 0, kind: 51) }

    /// Sends a message (RFC 8831 section 8 for the kinds).
    func send(_ payload: [UInt8], on stream: UInt16, kind: UInt32) throws {
        let sequence = sequences[stream, default: 0]
        sequences[stream] = sequence &+ 1
        let chunk = DataChunk(
            tsn: tsn,
            stream: stream,
            sequence: sequence,
            protocolIdentifier: kind,
            isOrdered: true,
            isFirst: true,
            isLast: true,
            payload: payload
        )
        tsn = tsn.advanced(by: 1)
        try send([.data(chunk)])
    }

    private func send(_ chunks: [SCTPChunk]) throws {
        let packet = SCTPPacket(sourcePort: 5001, destinationPort: 5000, tag: tag, chunks: chunks)
        try deliver(browser.client.send(packet.encode()))
    }

    private func deliver(_ datagrams: [[UInt8]]) throws {
        var arriving = datagrams
        while !arriving.isEmpty {
            for bytes in arriving { call.peer.handle(bytes, from: browser.address, at: now) }
            call.drain(at: now)
            arriving = try drain()
        }
    }

    @discardableResult
    private func drain() throws -> [[UInt8]] {
        var answers: [[UInt8]] = []
        while let output = call.poll() {
            switch output {
            case .transmit(let datagram): answers += try browser.receive(datagram, at: now)
            case .deliver(let event): delivered.append(event)
            case .greet: break
            case .ended(let reason): end = reason
            }
        }
        return answers
    }
}
