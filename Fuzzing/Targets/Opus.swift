internal import VoiceCore

@testable internal import Audio
@testable internal import Transports

extension FuzzTarget {
    /// Packets of Opus into the jitter buffer, and what is played of them; the payloads once more as G.711.
    ///
    /// Claims: every frame has its length and nothing but numbers; few packets are kept.
    static let opus = FuzzTarget(name: "opus", seeds: { try OpusPackets.seeds() }) { bytes in
        var input = FuzzInput(bytes)
        var buffer = try JitterBuffer(rate: .speech)
        var now = Duration.zero
        var (sequence, timestamp) = (UInt16(1), UInt32(0))
        for _ in 0..<100 where !input.isAtEnd {
            let kind = input.byte()
            switch kind & 3 {
            case 0:
                // As it should be, or late, or somewhere else.
                let (step, jump) = (Int8(bitPattern: input.byte()), kind & 0x80 != 0 ? UInt32(input.number()) << 16 : 0)
                sequence = sequence &+ UInt16(truncatingIfNeeded: Int(step))
                timestamp = timestamp &+ UInt32(truncatingIfNeeded: Int(step) * 960) &+ jump
                let payload = input.block()
                buffer.insert(
                    .init(sequence: sequence, timestamp: timestamp, marker: kind & 4 != 0, payload: payload),
                    at: now
                )
                for codec in [TelephoneCodec.muLaw, .aLaw] {
                    try claim(codec.encode(codec.decode(payload)).count == payload.count, "a byte a sample")
                }
            case 1: now += input.pause()
            default: now += .milliseconds(20)
            }
            var frames = 0
            while let frame = buffer.next(at: now) {
                try claim(frame.samples.count == 320, "a frame has 20 ms")
                try claim(frame.samples.allSatisfy(\.isFinite), "samples are numbers")
                frames += 1
            }
            // What is there of 100 packets of 120 ms at most, and a gap of two seconds before each.
            try claim(frames <= 100 * (6 + 100), "there is an end")
            try claim(buffer.held <= 100, "few packets are kept")
        }
    }
}

/// Packets of our own encoder.
enum OpusPackets {
    static func seeds() throws -> [[UInt8]] {
        var encoder = try OpusEncoder(rate: .speech, frame: .milliseconds(20))
        var random = SplitMix64(seed: 1)
        var packets: [[UInt8]] = []
        for _ in 0..<10 {
            let samples = (0..<encoder.frameLength).map { _ in Float.random(in: -0.1...0.1, using: &random) }
            packets.append(try encoder.encode(samples))
        }
        return [
            events(packets) { FuzzInput.insertion(1, $0) + [2] },
            events(packets) { FuzzInput.insertion($0.count % 3 == 0 ? 2 : 1, $0) + [2] },
            events(packets) { FuzzInput.insertion(2, $0) + FuzzInput.insertion(0xff, $0) + [1, 30] },
            FuzzInput.insertion(1, [0x0b, 0x02, 1, 2, 3, 4]) + [2, 2],
        ]
    }

    private static func events(_ packets: [[UInt8]], _ event: ([UInt8]) -> [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        for packet in packets { bytes += event(packet) }
        return bytes
    }
}

extension FuzzInput {
    /// A packet that is `step` behind the one before.
    fileprivate static func insertion(_ step: UInt8, _ packet: [UInt8]) -> [UInt8] { [0, step] + block(packet) }
}
