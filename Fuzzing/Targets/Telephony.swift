internal import NIOCore
internal import VoiceCore

@testable internal import Transports

extension FuzzTarget {
    /// The messages of a provider's media stream, one a line: Twilio, Telnyx, Plivo. After each, the agent says something.
    ///
    /// Claims: names that become parts of addresses have no signs of addresses; what is heard is what came, in (-1, 1); what is sent is
    /// JSON; one message leads to few steps.
    static let telephony = FuzzTarget(name: "telephony", seeds: { Texts.telephony.map(joined) }) { bytes in
        var machine = TelephonyMachine(limits: WebSocketLimits(), at: .zero)
        var (now, position) = (Duration.zero, 0)
        for line in Texts.lines(bytes) {
            var steps = machine.receive(.text(ByteBuffer(bytes: line)), at: now)
            now += .milliseconds(20)
            let audio = AudioFrame(samples: [Float](repeating: 0.1, count: 160), rate: .telephone, position: position)
            position += 160
            steps += machine.send(.audio(PlayoutFrame(epoch: line.count % 3, audio: audio)), at: now)
            if line.isEmpty { steps += machine.send(.cut(epoch: 1), at: now) }
            steps += machine.tick(at: now)
            try claim(steps.count <= 12, "one message leads to few steps")
            for step in steps { try check(step, line) }
        }
    }

    private static func check(_ step: TelephonyMachine.Step, _ line: [UInt8]) throws {
        switch step {
        case .greet(let call):
            for name in [call.stream, call.call, call.account ?? "-"] {
                try claim(!name.isEmpty && name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f }, "names are plain")
                try claim(!name.contains { "/?#%&\"'<>".contains($0) }, "names are no parts of addresses")
            }
        case .hear(let samples, let rate):
            try claim(rate == .telephone && samples.count <= line.count, "what is heard has come")
            try claim(samples.allSatisfy { abs($0) < 1 }, "samples are in (-1, 1)")
        case .send(let item): try claim(JSONValue(json: String(buffer: item.payload)) != nil, "what is sent is JSON")
        default: break
        }
    }

    private static func joined(_ lines: [String]) -> [UInt8] { Array(lines.joined(separator: "\n").utf8) }
}
