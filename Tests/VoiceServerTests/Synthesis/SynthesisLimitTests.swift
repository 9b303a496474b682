internal import Foundation
internal import NIOCore
internal import Testing
internal import Transports
internal import VoiceCore
internal import VoiceTesting

@testable internal import VoiceServer

@Suite(.serialized, .timeLimit(.minutes(5))) struct SynthesisLimitTests {
    private static let tenMinutes = String(repeating: "abcdefghi ", count: 6_000)

    @Test func `a client that reads slowly holds its voice up, and loses nothing`() async throws {
        let voice = CountingSynthesizer()
        try await SynthesisTestServer.run(voice) { port in
            try await RawClient.synthesis(on: port, receiveBuffer: 32 * 1_024) { client in
                let twoMinutes = String(Self.tenMinutes.prefix(12_000))
                try await client.say(twoMinutes)
                try await client.sendText(#"{"type":"close"}"#)
                await voice.wait { $0.chunks > 25 }
                // Somebody else is served meanwhile.
                try await RawClient.synthesis(on: port) { other in
                    try await other.say("Quick.")
                    #expect(await other.hear(until: "segment_complete").audio == 6 * 320)
                }
                var heard = -6 * 320
                var most = 0
                while true {
                    let frame = await client.frame()
                    if case .binary(let bytes) = frame { heard += bytes.count }
                    if case .text(let text) = frame, text.contains(#""done""#) { break }
                    if frame == .end { break }
                    most = max(most, voice.record.chunks * 640 - heard)
                }
                #expect(heard + 6 * 320 == twoMinutes.utf8.count * 320)
                // Half a second in the process, and what kernels hold, of 3.8 MB.
                #expect(most < 500_000)
            }
        }
    }

    @Test func `a cancel drops what has not left the process`() async throws {
        let voice = CountingSynthesizer()
        try await SynthesisTestServer.run(voice) { port in
            try await RawClient.synthesis(on: port, receiveBuffer: 4 * 1_024) { client in
                try await client.sendText(#"{"type":"init","acknowledge":true}"#)
                try await client.say(Self.tenMinutes)
                // Half a second waits for the socket then.
                await voice.wait { $0.chunks > 25 }
                try await client.sendText(#"{"type":"cancel"}"#)
                await voice.wait { $0.openStreams == 0 }
                let heard = await client.hear(until: "cancelled")
                // Exactly what is said to have been sent came, and no more comes.
                #expect(heard.message("cancelled")?["audio_ms"] == .number(Double(heard.audio) / 32))
                try await client.sendText(#"{"type":"ping"}"#)
                #expect(await client.frame() == .text(#"{"type":"pong"}"#))
            }
        }
    }

    @Test func `a client that reads nothing is disconnected, and its voice stops`() async throws {
        let voice = CountingSynthesizer()
        try await SynthesisTestServer.run(voice) {
            $0.timing.tick = .milliseconds(10)
            $0.limits.stallTimeout = .milliseconds(300)
        } _: { port in
            try await RawClient.synthesis(on: port, receiveBuffer: 4 * 1_024) { client in
                try await client.say(Self.tenMinutes)
                try await RecognitionTestServer.expect("/health", on: port) { $0.contains(#""slow":1"#) }
                await voice.wait { $0.openStreams == 0 }
            }
        }
    }

    @Test func `a client that leaves in the middle frees its slot and its voice`() async throws {
        let voice = CountingSynthesizer()
        try await SynthesisTestServer.run(voice) {
            $0.maxSessions = 1
        } _: { port in
            voice.hold()
            try await RawClient.synthesis(on: port) { client in
                try await client.say("Hello.")
                await voice.wait { $0.waiting == 1 }
                try await RawClient.connect(to: port) { second in
                    let reply = try await second.request(RawClient.handshake("/ws/tts/stream"))
                    #expect(reply.status == 503)
                    #expect(reply.headers["retry-after"] == "5")
                }
            }
            await voice.wait { $0.openStreams == 0 }
            voice.release()
            try await RecognitionTestServer.expectMetrics(on: port) { $0.contains("voice_tts_open_sessions 0\n") }
            try await RawClient.synthesis(on: port) { client in
                try await client.say("Again.")
                #expect(await client.hear(until: "segment_complete").audio == 6 * 320)
            }
        }
    }

    @Test func `a flood of texts is bounded, and every text is answered`() async throws {
        try await SynthesisTestServer.run(CountingSynthesizer()) { port in
            try await RawClient.synthesis(on: port) { client in
                for _ in 0..<3_000 { try await client.say("a") }
                try await client.sendText(#"{"type":"close"}"#)
                let heard = await client.hear(until: "done")
                let segments = heard.messages.count { $0.contains("segment_complete") }
                let refused = heard.messages.count { $0.contains("too much text waits") }
                #expect(segments + refused == 3_000)
                #expect(heard.audio == segments * 320)
            }
        }
    }

    @Test func `messages over the limit close with 1009 and an error`() async throws {
        try await SynthesisTestServer.run(CountingSynthesizer()) {
            $0.limits.messageBytes = 4_096
        } _: { port in
            try await RawClient.synthesis(on: port) { client in
                try await client.say(String(repeating: "a", count: 5_000))
                let closing = await client.closing()
                #expect(closing.code == 1009)
                #expect(closing.error?.contains(#""code":"malformedInput""#) == true)
            }
        }
    }

    @Test func `eight sessions at once all are served`() async throws {
        let voice = CountingSynthesizer()
        try await SynthesisTestServer.run(voice) { port in
            try await withThrowingTaskGroup { group in
                for _ in 0..<8 {
                    group.addTask {
                        try await RawClient.synthesis(on: port) { client in
                            for text in ["One.", "Two, three.", "And four."] {
                                try await client.say(text)
                                #expect(await client.hear(until: "segment_complete").audio == text.utf8.count * 320)
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test func `the server's end is told to everybody`() async throws {
        let voice = CountingSynthesizer()
        voice.hold()
        let (codes, continuation) = AsyncStream.makeStream(of: UInt16?.self)
        try await withThrowingTaskGroup { group in
            let (ports, port) = AsyncStream.makeStream(of: Int.self)
            group.addTask {
                try await SynthesisTestServer.run(voice) { number in
                    port.yield(number)
                    await voice.wait { $0.waiting == 1 }
                }
            }
            var iterator = ports.makeAsyncIterator()
            guard let number = await iterator.next() else { return }
            try await RawClient.synthesis(on: number) { client in
                try await client.say("Hello.")
                continuation.yield(await client.closing().code)
            }
            try await group.waitForAll()
        }
        continuation.finish()
        for await code in codes { #expect(code == 1001) }
    }
}
