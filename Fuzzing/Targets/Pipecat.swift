internal import Foundation
internal import NIOCore
internal import VoiceCore

@testable internal import Transports

extension FuzzTarget {
    /// Pipecat's protobuf frames, one after the other with their lengths, and the machine that takes them.
    ///
    /// Claims: what is read is written and read as the same (sound as long and as fast); one frame leads to few steps; what the machine
    /// sends can be read.
    static let pipecat = FuzzTarget(name: "pipecat", seeds: { seeds }) { bytes in
        var input = FuzzInput(bytes)
        var machine = PipecatMachine(
            rate: SampleRate(24_000),
            about: Wire.about,
            models: Wire.models,
            date: { Date(timeIntervalSince1970: 0) },
            at: .zero
        )
        _ = machine.begin()
        var now = Duration.zero
        for _ in 0..<100 where !input.isAtEnd {
            let message = ByteBuffer(bytes: input.block())
            if let frame = try? PipecatFrame(reading: message) { try check(frame) }
            now += .milliseconds(20)
            let steps = machine.receive(.binary(message), at: now) + machine.tick(at: now)
            try claim(steps.count <= 128 + message.readableBytes, "one frame leads to few steps")
            for case .send(let item) in steps {
                try claim((try? PipecatFrame(reading: item.payload)) != nil, "what is sent can be read")
            }
        }
    }

    private static func check(_ frame: PipecatFrame) throws {
        let again = try? PipecatFrame(reading: frame.bytes(id: 1))
        guard case .audio(let samples, let rate) = frame else {
            return try claim(again == frame, "a frame is the same after writing and reading")
        }
        // The mean of several channels may lie between two values of 16 bits.
        guard case .audio(let read, rate)? = again else { throw BrokenClaim(description: "sound is not read again") }
        try claim(read.count == samples.count, "sound is as long after writing and reading")
        try claim(samples.allSatisfy { (-1...1).contains($0) }, "samples are in [-1, 1]")
    }

    private static var seeds: [[UInt8]] {
        var frames: [PipecatFrame] = [
            .text("hello"), .transcription("what"), .interruption, .audio([0, 0.5, -1], .speech), .unknown,
        ]
        frames += Texts.rtvi.map { .message($0) }
        let blocks = frames.map { FuzzInput.block(Array($0.bytes(id: 3).readableBytesView)) }
        return blocks + [Array(blocks.joined())]
    }
}
