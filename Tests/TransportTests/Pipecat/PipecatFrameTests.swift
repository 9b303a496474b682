internal import NIOCore
internal import SwiftProtobuf
internal import Testing
internal import VoiceCore
internal import VoiceTesting

@testable internal import Transports

@Suite struct PipecatFrameTests {
    @Test func `every frame that Pipecat's serializer makes is read`() throws {
        let golden = try PipecatGolden()
        let samples = try golden.samples().map { Float($0) / 32_768 }
        let expected: [String: PipecatFrame] = [
            "audio": .audio(samples, SampleRate(24_000)), "text": .text("hello"),
            "transcription": .transcription("hello"),
            "interruption": .interruption,
            "message": .message(#"{"label": "rtvi-ai", "type": "client-ready", "id": "\u00e9"}"#),
        ]
        #expect(try golden.names("frames") == expected.keys.sorted())
        for (name, frame) in expected {
            #expect(try PipecatFrame(reading: ByteBuffer(bytes: try golden.frame(name))) == frame, "\(name)")
        }
    }

    @Test(arguments: [
        PipecatFrame.text("é🎙"), .text(""), .transcription("a"), .message("{}"), .interruption, .unknown,
        .audio([0, 0.5, -1, 32_767 / 32_768], SampleRate(16_000)), .audio([], SampleRate(24_000)),
    ])
    func `what is written is read again`(frame: PipecatFrame) throws {
        #expect(try PipecatFrame(reading: frame.bytes(id: 7)) == frame)
    }

    @Test func `frames of later versions are ignored, and so is an empty message`() throws {
        #expect(try PipecatFrame(reading: ByteBuffer()) == .unknown)
        // Field 6, length delimited, two bytes.
        #expect(try PipecatFrame(reading: ByteBuffer(bytes: [0x32, 2, 8, 1])) == .unknown)
    }

    @Test(arguments: [
        (UInt32(0), UInt32(1)), (7_999, 1), (96_001, 1), (.max, 1), (16_000, 0), (16_000, 9), (16_000, .max),
    ])
    func `sound that cannot be is refused`(rate: UInt32, channels: UInt32) throws {
        var frame = WireFrame()
        frame.audio.sampleRate = rate
        frame.audio.numChannels = channels
        let bytes: [UInt8] = try frame.serializedBytes()
        #expect(throws: PipecatFrame.Problem.unplayable) { try PipecatFrame(reading: ByteBuffer(bytes: bytes)) }
    }

    @Test func `text that is no frame is refused`() {
        #expect(throws: PipecatFrame.Problem.malformed) {
            try PipecatFrame(reading: ByteBuffer(string: #"{"type":"hello"}"#))
        }
    }

    @Test func `no bytes make the reader fail`() throws {
        let golden = try PipecatGolden()
        let frames = try golden.names("frames").map { try golden.frame($0) }
        var random = SplitMix64(seed: 16)
        var read = 0
        for _ in 0..<50_000 {
            var bytes = frames[Int.random(in: 0..<frames.count, using: &random)]
            for _ in 0..<Int.random(in: 1...6, using: &random) { damage(&bytes, &random) }
            if (try? PipecatFrame(reading: ByteBuffer(bytes: bytes))) != nil { read += 1 }
        }
        #expect(read > 1_000)
    }
}
