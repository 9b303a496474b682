internal import VoiceCore
internal import VoiceTesting

@testable internal import WebRTC

/// Two ends of data channels over a simulated network, in simulated time.
final class SCTPPair {
    typealias End = LossyNetwork<[UInt8]>.End

    /// One end and all it has said.
    final class Side {
        var channels: DataChannels
        var outputs: [DataChannels.Output] = []
        var packets: [[UInt8]] = []

        init(_ role: DataChannels.Role, _ configuration: SCTPConfiguration, seed: UInt64) {
            channels = DataChannels(role: role, configuration: configuration, seed: seed)
        }

        var messages: [DataChannels.Message] {
            outputs.compactMap { if case .message(_, let message) = $0 { message } else { nil } }
        }
        func messages(on wanted: UInt16) -> [DataChannels.Message] {
            outputs.compactMap { if case .message(wanted, let message) = $0 { message } else { nil } }
        }
        var opened: [UInt16] { outputs.compactMap { if case .opened(let channel, _) = $0 { channel } else { nil } } }
        var closed: [UInt16] { outputs.compactMap { if case .closed(let channel) = $0 { channel } else { nil } } }
        var isConnected: Bool { outputs.contains(.connected) }
        var ended: SCTPFailure?? {
            for case .ended(let failure) in outputs { return .some(failure) }
            return nil
        }
    }

    let left: Side
    let right: Side
    var network: LossyNetwork<[UInt8]>
    var now = Duration.zero
    /// Sees every packet before the network; may change it, or drop it with nil.
    var tamper: ([UInt8], End) -> [UInt8]? = { packet, _ in packet }

    init(
        _ conditions: LossyNetwork<[UInt8]>.Conditions = .init(),
        configuration: SCTPConfiguration = SCTPConfiguration(),
        seed: UInt64 = 1
    ) {
        left = Side(.client, configuration, seed: seed)
        right = Side(.server, configuration, seed: seed &+ 1000)
        network = LossyNetwork(conditions, seed: seed &+ 2000)
    }

    func side(_ end: End) -> Side { end == .left ? left : right }

    /// Takes what both ends want to do now.
    func drain() {
        for end in [End.left, .right] {
            let side = side(end)
            while let output = side.channels.poll(at: now) {
                guard case .transmit(let packet) = output else {
                    side.outputs.append(output)
                    continue
                }
                side.packets.append(packet)
                if let packet = tamper(packet, end) { network.send(packet, from: end, at: now) }
            }
        }
    }

    /// Lets time pass until `done`, or until `limit`.
    /// - Returns: true when it was done.
    @discardableResult
    func run(until limit: Duration, done: () -> Bool = { false }) -> Bool {
        drain()
        while !done() {
            let times = [network.nextArrival, left.channels.nextTimeout, right.channels.nextTimeout].compactMap { $0 }
            guard let next = times.min(), next <= limit else {
                now = limit
                return done()
            }
            now = max(now, next)
            for arrival in network.arrivals(at: now) {
                side(arrival.end).channels.handle(packet: arrival.datagram, at: now)
                drain()
            }
            for end in [End.left, .right] { side(end).channels.handleTimeout(at: now) }
            drain()
        }
        return true
    }

    /// Both begin, and wait for each other.
    func connect() -> Bool {
        left.channels.start(at: now)
        right.channels.start(at: now)
        return run(until: now + .seconds(30)) { left.isConnected && right.isConnected }
    }
}

/// Bytes that look like nothing and are the same on every run.
func noise(_ count: Int, seed: UInt64) -> [UInt8] {
    var random = SplitMix64(seed: seed)
    return (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
}
