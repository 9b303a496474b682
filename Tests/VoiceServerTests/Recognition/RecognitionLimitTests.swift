internal import Foundation
internal import NIOCore
internal import Testing
internal import Transports
internal import VoiceCore
internal import VoiceTesting

@testable internal import VoiceServer

@Suite(.serialized, .timeLimit(.minutes(5))) struct RecognitionLimitTests {
    @Test func `five of fifty clients stop reading, and the others do not notice`() async throws {
        let recognizer = CountingRecognizer()
        try await RecognitionTestServer.run(recognizer) {
            $0.maxSessions = 64
            $0.timing.tick = .milliseconds(10)
            $0.limits.stallTimeout = .milliseconds(500)
            $0.limits.bytesInFlight = 1_024
        } _: { port in
            try await withThrowingTaskGroup { group in
                for _ in 0..<5 {
                    group.addTask {
                        try await RawClient.webSocket(to: port, receiveBuffer: 4 * 1_024) { client in
                            // Transcripts of minutes of audio, again and again: far more than all buffers take.
                            for _ in 0..<400 where (try? await client.sendSilence(8_000)) == nil { break }
                            // A client that reads nothing need not notice its end: what ends the connection waits behind
                            // what it does not read. The server knows.
                            try await RecognitionTestServer.expect("/health", on: port) { $0.contains(#""slow":5"#) }
                        }
                    }
                }
                for _ in 0..<45 {
                    group.addTask {
                        try await RawClient.recognition(on: port) { client in
                            for turn in 1...4 {
                                for _ in 0..<10 { try await client.sendSilence(320 * turn) }
                                try await client.sendText(#"{"type":"reset"}"#)
                                #expect(await client.final() == RawClient.final(words: 2 * turn))
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
            try await RecognitionTestServer.expect("/health", on: port) { $0.contains(#""slow":5"#) }
            await recognizer.wait { $0.openStreams == 0 }
        }
        #expect(recognizer.record.finishes.count == 45 * 4)
    }

    @Test func `a client that reads nothing is disconnected`() async throws {
        let recognizer = CountingRecognizer()
        try await RecognitionTestServer.run(recognizer) {
            $0.timing.tick = .milliseconds(10)
            $0.limits.stallTimeout = .milliseconds(300)
        } _: { port in
            try await RawClient.webSocket(to: port, receiveBuffer: 4 * 1_024) { client in
                // Each reset is answered with a hundred words; finals are never dropped, so they pile up.
                try await client.sendSilence(160_000)
                let reset = #"{"type":"reset","finalize":false}"#
                for _ in 0..<5_000 where (try? await client.sendText(reset)) == nil { break }
                try await RecognitionTestServer.expect("/health", on: port) { $0.contains(#""slow":1"#) }
            }
        }
    }

    @Test func `a client faster than the recogniser is slowed down and loses nothing`() async throws {
        let recognizer = CountingRecognizer()
        let seconds = 120
        try await RecognitionTestServer.run(recognizer) {
            $0.limits.inboundBacklogBytes = 16 * 1_024
        } _: { port in
            try await RawClient.recognition(on: port) { client in
                recognizer.hold()
                try await withThrowingTaskGroup { group in
                    group.addTask { [writer = client.writer] in
                        for _ in 0..<seconds { try await writer.sendSilence(16_000) }
                        try await writer.sendText(#"{"type":"reset"}"#)
                    }
                    await recognizer.wait { $0.waiting == 1 }
                    recognizer.release()
                    let last = await client.final()
                    #expect(last?.hasSuffix(#" w1200","type":"transcript"}"#) == true)
                    try await group.waitForAll()
                }
            }
        }
        #expect(recognizer.record.samples == seconds * 16_000)
    }

    @Test func `messages over the limit close with 1009 and an error`() async throws {
        try await RecognitionTestServer.run(CountingRecognizer()) {
            $0.limits.messageBytes = 4_096
        } _: { port in
            try await RawClient.recognition(on: port) { client in
                try await client.sendSilence(3_000)
                let closing = await client.closing()
                #expect(closing.code == 1009)
                #expect(closing.error?.contains(#""code":"malformedInput""#) == true)
            }
        }
    }

    @Test func `sessions over the limit are refused before the upgrade`() async throws {
        try await RecognitionTestServer.run(CountingRecognizer()) {
            $0.maxSessions = 1
        } _: { port in
            try await RawClient.recognition(on: port) { first in
                try await RawClient.connect(to: port) { second in
                    let reply = try await second.request(RawClient.handshake())
                    #expect(reply.status == 503)
                    #expect(reply.headers["retry-after"] == "5")
                    #expect(await second.reachesEnd())
                }
                try await first.sendText(#"{"type":"reset"}"#)
                #expect(await first.final() == RawClient.final(words: 0))
            }
            try await RecognitionTestServer.expect("/health", on: port) {
                $0.contains(#""sessions":{"active":0,"maximum":1,"refused":1,"total":1}"#)
            }
            try await RawClient.recognition(on: port) { _ in }
            try await RecognitionTestServer.expectMetrics(on: port) {
                $0.contains(#"voice_asr_rejects_total{kind="websocket"} 1"#)
            }
        }
    }

    @Test func `a recogniser without room closes with 1013`() async throws {
        try await RecognitionTestServer.run(CountingRecognizer(maximumStreams: 1)) { port in
            try await RawClient.recognition(on: port) { _ in
                try await RawClient.webSocket(to: port) { second in
                    let closing = await second.closing()
                    #expect(closing.code == 1013)
                    #expect(closing.error?.contains("all 1 streams are taken") == true)
                }
            }
        }
    }

    @Test func `a client that says nothing for five minutes is closed`() async throws {
        let clock = ManualClock()
        let patient = { (configuration: inout RecognitionServer.Configuration) in
            configuration.limits.pingInterval = .seconds(3_600)
        }
        try await RecognitionTestServer.run(CountingRecognizer(), patient, clock: clock) { port in
            try await RawClient.recognition(on: port) { client in
                await withTaskGroup { group in
                    group.addTask { await TestServer.move(clock, by: .seconds(301)) }
                    while !Task.isCancelled {
                        switch await client.frame() {
                        case .text(let text): #expect(text.contains("nothing came for 300 s"))
                        case .close(let code):
                            #expect(code == 1001)
                            return
                        default: return #expect(Bool(false), "no close")
                        }
                    }
                }
            }
        }
    }

    @Test func `a client that leaves while it is not read is noticed`() async throws {
        let recognizer = CountingRecognizer()
        try await RecognitionTestServer.run(recognizer) {
            $0.limits.inboundBacklogBytes = 4 * 1_024
        } _: { port in
            recognizer.hold()
            try await RawClient.recognition(on: port) { client in
                // Less than the kernel takes, or the end of the connection could not reach us before the audio is read.
                for _ in 0..<3 { try await client.sendSilence(8_000) }
                await recognizer.wait { $0.waiting == 1 }
            }
            await recognizer.wait { $0.openStreams == 0 }
        }
    }

    @Test func `when the server stops every client is told`() async throws {
        let (begun, beginning) = AsyncStream.makeStream(of: Int.self)
        let (gone, going) = AsyncStream.makeStream(of: Void.self)
        try await withThrowingTaskGroup { group in
            group.addTask {
                try await RecognitionTestServer.run(CountingRecognizer()) { port in
                    beginning.yield(port)
                    for await _ in gone { return }
                }
            }
            var ports = begun.makeAsyncIterator()
            let port = try #require(await ports.next())
            try await RawClient.recognition(on: port) { client in
                going.yield()
                #expect(await client.closing() == (1001, nil))
            }
            try await group.waitForAll()
        }
    }

    @Test func `when the server stops a file that is being transcribed is answered with 503`() async throws {
        let recognizer = CountingRecognizer()
        let (begun, beginning) = AsyncStream.makeStream(of: Int.self)
        let (gone, going) = AsyncStream.makeStream(of: Void.self)
        try await withThrowingTaskGroup { group in
            group.addTask {
                try await RecognitionTestServer.run(recognizer) { port in
                    beginning.yield(port)
                    for await _ in gone { return }
                }
            }
            var ports = begun.makeAsyncIterator()
            let port = try #require(await ports.next())
            recognizer.hold()
            try await RawClient.connect(to: port) { client in
                try await client.send(TranscriptionTests.request(TranscriptionTests.form()))
                await recognizer.wait { $0.waiting == 1 }
                going.yield()
                let reply = try await client.reply()
                #expect(reply.status == 503)
                #expect(reply.headers["connection"] == "close")
            }
            try await group.waitForAll()
        }
    }
}
