internal import Foundation
internal import Testing
internal import VoiceCore

@testable internal import WebRTC

private let python = ProcessInfo.processInfo.environment["REPARTEE_AIORTC_PYTHON"]
private let recordingFolder = ProcessInfo.processInfo.environment["REPARTEE_AIORTC_RECORD"]

/// Packets of aiortc's, with their times.
private struct Recording: Codable {
    struct Packet: Codable {
        /// Microseconds from the start.
        var time: Int
        /// Base64.
        var bytes: String
    }
    var packets: [Packet]
}

/// Our side of the conversation with `Reference/WebRTC/sctp_peer.py`.
private final class Speaker {
    static let long = (0..<10_000).map { UInt8(truncatingIfNeeded: $0 * 13) }
    static let ours: [DataChannels.Message] = [
        .text("grüß dich"), .binary([1, 2, 3]), .text(""), .binary([]), .binary(long),
    ]

    var channels: DataChannels
    var opened: [DataChannelParameters] = []
    var heard: [String: [DataChannels.Message]] = [:]
    var labels: [UInt16: String] = [:]
    var closed: Set<String> = []
    var ended: SCTPFailure??
    private let isLossless: Bool
    private var isShuttingDown = false

    init(_ role: DataChannels.Role, isLossless: Bool) {
        channels = DataChannels(role: role, seed: 2026)
        self.isLossless = isLossless
    }

    /// Does what is to be done now.
    /// - Returns: packets to be sent.
    func drain(at now: Duration) throws -> [[UInt8]] {
        var packets: [[UInt8]] = []
        while let output = channels.poll(at: now) {
            switch output {
            case .transmit(let packet): packets.append(packet)
            case .connected:
                let channel = try channels.open(DataChannelParameters(label: "swift"), at: now)
                for message in Self.ours { try channels.send(message, on: channel, at: now) }
            case .opened(let channel, let parameters):
                labels[channel] = parameters.label
                opened.append(parameters)
            case .message(let channel, let message): try hear(message, on: channel, at: now)
            case .closed(let channel): closed.insert(labels[channel] ?? "?")
            case .ended(let failure): ended = .some(failure)
            }
        }
        return packets
    }

    private func hear(_ message: DataChannels.Message, on channel: UInt16, at now: Duration) throws {
        let label = labels[channel] ?? "?"
        heard[label, default: []].append(message)
        // All has come back: the other side closes this channel, and we the other one.
        if label == "swift", heard[label]?.count == Self.ours.count {
            try channels.send(.text("close"), on: channel, at: now)
        }
        if label == "aiortc", heard[label]?.count == 5 { channels.close(channel) }
    }

    func finish(at now: Duration) {
        // Streams do not wait for each other: the third channel's turn may come after the others have closed.
        guard !isShuttingDown, closed.isSuperset(of: ["swift", "aiortc"]), labels.values.contains("loose"),
            !isLossless || heard["loose"]?.count == 10
        else { return }
        isShuttingDown = true
        channels.shutDown(at: now)
    }

    func check() {
        let theirs = DataChannelParameters(label: "aiortc", subprotocol: "words", priority: 0)
        let loose = DataChannelParameters(
            label: "loose",
            isOrdered: false,
            reliability: .retransmissions(0),
            priority: 0
        )
        #expect(
            opened.contains { $0.label == theirs.label && $0.subprotocol == "words" && $0.reliability == .reliable }
        )
        #expect(opened.contains { !$0.isOrdered && $0.label == loose.label && $0.reliability == loose.reliability })
        let long = (0..<12_000).map { UInt8(truncatingIfNeeded: $0 * 7) }
        #expect(
            heard["aiortc"] == [.text("hello from aiortc"), .binary([0, 255]), .text(""), .binary([]), .binary(long)]
        )
        #expect(heard["swift"] == Self.ours)
        let said = (0..<10).map { DataChannels.Message.text("loose \($0)") }
        #expect((heard["loose"] ?? []).allSatisfy { said.contains($0) })
        if isLossless { #expect(heard["loose"] == said) }
        #expect(ended == .some(nil))
    }
}

@Suite struct SCTPInteropTests {
    private static func name(_ role: DataChannels.Role) -> String { role == .server ? "server" : "client" }

    @Test(.enabled(if: python != nil), arguments: [DataChannels.Role.server, .client], [0, 0.05])
    func `our data channels and aiortc's understand each other`(role: DataChannels.Role, loss: Double) throws {
        let python = try #require(python)
        let clock = ContinuousClock()
        let peer = try AiortcPeer(python: python, arguments: [role == .server ? "client" : "server", "\(loss)"])
        let start = clock.now
        let speaker = Speaker(role, isLossless: loss == 0)
        var recording = Recording(packets: [])
        speaker.channels.start(at: .zero)
        while speaker.ended == nil, clock.now - start < .seconds(60) {
            for packet in try speaker.drain(at: clock.now - start) { try peer.send(packet) }
            let wait = speaker.channels.nextTimeout.map { $0 - (clock.now - start) } ?? .seconds(1)
            for packet in peer.receive(for: wait + .milliseconds(1)) {
                let now = clock.now - start
                recording.packets.append(
                    .init(time: Int(now / Duration.microseconds(1)), bytes: Data(packet).base64EncodedString())
                )
                speaker.channels.handle(packet: packet, at: .microseconds(Int(now / Duration.microseconds(1))))
            }
            speaker.channels.handleTimeout(at: clock.now - start)
            speaker.finish(at: clock.now - start)
        }
        speaker.check()
        if let recordingFolder, loss == 0 {
            let url = URL(filePath: recordingFolder).appending(path: "sctp-aiortc-\(Self.name(role)).json")
            try JSONEncoder().encode(recording).write(to: url)
        }
    }

    @Test(arguments: [DataChannels.Role.server, .client])
    func `what aiortc sent in such a conversation is understood`(role: DataChannels.Role) throws {
        let resource = "Fixtures/sctp-aiortc-\(Self.name(role))"
        let url = try #require(Bundle.module.url(forResource: resource, withExtension: "json"))
        let recording = try JSONDecoder().decode(Recording.self, from: Data(contentsOf: url))
        let speaker = Speaker(role, isLossless: true)
        speaker.channels.start(at: .zero)
        _ = try speaker.drain(at: .zero)
        for packet in recording.packets {
            let now = Duration.microseconds(packet.time)
            while let due = speaker.channels.nextTimeout, due <= now {
                speaker.channels.handleTimeout(at: due)
                _ = try speaker.drain(at: due)
            }
            let bytes = try #require(Data(base64Encoded: packet.bytes))
            speaker.channels.handle(packet: Array(bytes), at: now)
            _ = try speaker.drain(at: now)
            speaker.finish(at: now)
            _ = try speaker.drain(at: now)
        }
        speaker.check()
        #expect(speaker.channels.droppedPackets == 0)
    }

    @Test(arguments: [DataChannels.Role.server, .client])
    func `aiortc's packets are the same after reading and writing`(role: DataChannels.Role) throws {
        let resource = "Fixtures/sctp-aiortc-\(Self.name(role))"
        let url = try #require(Bundle.module.url(forResource: resource, withExtension: "json"))
        let recording = try JSONDecoder().decode(Recording.self, from: Data(contentsOf: url))
        var kinds: Set<UInt8> = []
        for packet in recording.packets {
            let bytes = Array(try #require(Data(base64Encoded: packet.bytes)))
            let decoded = try #require(SCTPPacket.decode(bytes))
            kinds.insert(bytes[12])
            #expect(decoded.encode() == bytes)
        }
        // DATA, INIT, INIT ACK, SACK, COOKIE ECHO, COOKIE ACK, SHUTDOWN ACK, RE-CONFIG.
        #expect(kinds.isSuperset(of: [0, 1, 2, 3, 8, 10, 11, 130]))
    }
}
