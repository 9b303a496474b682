internal import Foundation
internal import NIOCore
internal import Testing
internal import VoiceCore
internal import VoiceTesting

@testable internal import VoiceServer

@Suite(.serialized, .timeLimit(.minutes(5))) struct RecognitionServerTests {
    // What tests/test_websocket_client.py and examples/asr_client.py of pipecat-ai/nemotron-january-2026 do.
    @Test(arguments: [500, 160, 80], [#"{"type":"reset"}"#, #"{"type":"end"}"#])
    func `a file in chunks of any size gives interim transcripts and one final`(chunk: Int, end: String) async throws {
        let recognizer = CountingRecognizer()
        try await RecognitionTestServer.run(recognizer) { port in
            try await RawClient.recognition(on: port) { client in
                let total = 32_000
                for start in stride(from: 0, to: total, by: 16 * chunk) {
                    try await client.sendSilence(min(16 * chunk, total - start))
                }
                try await client.sendText(end)
                var (interims, last) = (0, "")
                while case .text(let text) = await client.frame() {
                    last = text
                    if text.contains(#""is_final":true"#) { break }
                    #expect(text.hasPrefix(#"{"is_final":false,"text":"w1 "#) || text.contains(#""text":"w1""#))
                    interims += 1
                }
                #expect(last == RawClient.final(words: 20))
                #expect(interims > 0)
            }
        }
        #expect(recognizer.record.samples == 32_000)
        #expect(recognizer.record.finishes == [.lookahead])
    }

    // The order of pipecat_bots/nvidia_stt.py of the same repository: soft at the pause, hard at the turn's end.
    @Test func `a bot's turn is cumulative over its soft reset, the next one is fresh`() async throws {
        let recognizer = CountingRecognizer()
        try await RecognitionTestServer.run(recognizer) { port in
            try await RawClient.recognition(on: port) { client in
                for _ in 0..<2 {
                    try await client.sendSilence(3_200)
                    try await client.sendText(#"{"type": "reset", "finalize": false}"#)
                    #expect(await client.final() == RawClient.final(words: 2, isHard: false))
                    try await client.sendSilence(1_600)
                    try await client.sendText(#"{"type": "reset", "finalize": true}"#)
                    let hard = #"{"finalize":true,"is_final":true,"text":"w1 w2 w1","type":"transcript"}"#
                    #expect(await client.final() == hard)
                }
            }
        }
        #expect(recognizer.record.finishes == [.none, .lookahead, .none, .lookahead])
    }

    @Test(arguments: ["/", "/asr?model=x", "/v1/listen"])
    func `a WebSocket may come to any path`(path: String) async throws {
        try await RecognitionTestServer.run(CountingRecognizer()) { port in
            try await RawClient.connect(to: port) { client in
                let handshake = RawClient.handshake().replacing("GET /ws ", with: "GET \(path) ")
                try await #expect(client.request(handshake, hasBody: false).status == 101)
                #expect(await client.frame() == .text(#"{"type":"ready"}"#))
            }
        }
    }

    @Test func `broken messages are answered with errors and the session goes on`() async throws {
        try await RecognitionTestServer.run(CountingRecognizer()) { port in
            try await RawClient.recognition(on: port) { client in
                for text in ["garbage", "[1]", #"{"type":"stop"}"#] {
                    try await client.sendText(text)
                    guard case .text(let answer) = await client.frame() else {
                        return #expect(Bool(false), "no answer to \(text)")
                    }
                    #expect(answer.hasPrefix(#"{"code":"malformedInput","message":""#))
                    #expect(answer.hasSuffix(#"","type":"error"}"#))
                }
                try await client.send(RawClient.frame(1, [0xff, 0xfe]))
                guard case .text(let answer) = await client.frame() else { return #expect(Bool(false), "no answer") }
                #expect(answer.contains(#""type":"error""#))
                try await client.sendSilence(1_600)
                try await client.sendText(#"{"type":"reset"}"#)
                #expect(await client.final() == RawClient.final(words: 1))
            }
            try await RecognitionTestServer.expectMetrics(on: port) {
                $0.contains(#"voice_asr_errors_total{code="malformedInput"} 4"#)
            }
        }
    }

    @Test func `messages with odd byte counts lose no sample`() async throws {
        let recognizer = CountingRecognizer()
        try await RecognitionTestServer.run(recognizer) { port in
            try await RawClient.recognition(on: port) { client in
                for _ in 0..<640 { try await client.sendBytes([1, 2, 3, 4, 5]) }
                try await client.sendText(#"{"type":"reset"}"#)
                #expect(await client.final() == RawClient.final(words: 1))
            }
        }
        #expect(recognizer.record.samples == 1_600)
    }

    @Test func `a whole file may come in one message`() async throws {
        let recognizer = CountingRecognizer()
        try await RecognitionTestServer.run(recognizer) { port in
            try await RawClient.recognition(on: port) { client in
                try await client.sendBytes([UInt8](repeating: 0, count: 2 * 320_000 + 1))
                try await client.sendText(#"{"type":"reset"}"#)
                #expect(await client.final() == RawClient.final(words: 200))
            }
        }
        #expect(recognizer.record.samples == 320_000)
    }

    @Test func `a message that is not finished when its client leaves is counted`() async throws {
        let recognizer = CountingRecognizer()
        try await RecognitionTestServer.run(recognizer) { port in
            recognizer.hold()
            try await RawClient.recognition(on: port) { client in
                try await client.sendSilence(80_000)
                await recognizer.wait { $0.waiting == 1 }
            }
            try await RecognitionTestServer.expectMetrics(on: port) {
                $0.contains("voice_asr_dropped_audio_seconds_total 5\n")
            }
        }
    }

    @Test func `audio and further resets during a reset wait their turn`() async throws {
        let recognizer = CountingRecognizer()
        try await RecognitionTestServer.run(recognizer) { port in
            try await RawClient.recognition(on: port) { client in
                try await client.sendSilence(1_600)
                await recognizer.wait { $0.samples == 1_600 }
                recognizer.hold()
                try await client.sendText(#"{"type":"reset"}"#)
                await recognizer.wait { $0.waiting == 1 }
                try await client.sendSilence(4_800)
                try await client.sendText(#"{"type":"reset","finalize":false}"#)
                try await client.sendSilence(1_600)
                try await client.sendText(#"{"type":"reset"}"#)
                recognizer.release()
                #expect(await client.final() == RawClient.final(words: 1))
                #expect(await client.final() == RawClient.final(words: 3, isHard: false))
                let last = #"{"finalize":true,"is_final":true,"text":"w1 w2 w3 w1","type":"transcript"}"#
                #expect(await client.final() == last)
            }
        }
    }

    @Test func `config changes what comes back, and is told what it set`() async throws {
        let recognizer = CountingRecognizer(amendment: ".", endpointAfter: 2)
        try await RecognitionTestServer.run(recognizer) { port in
            try await RawClient.recognition(on: port) { client in
                try await client.sendText(
                    #"{"type":"config","sample_rate":8000,"lookahead":6,"words":true,"confidences":true,"stable":true,"#
                        + #""endpoint_silence_ms":500,"phrases":["Ada"],"amendments":true}"#
                )
                let configured =
                    #"{"amendments":true,"confidences":true,"endpoint_silence_ms":500,"lookahead":6,"model":"counting","#
                    + #""phrase_boost":1.5,"phrases":["Ada"],"sample_rate":8000,"stable":true,"type":"configured","words":true}"#
                #expect(await client.frame() == .text(configured))
                // A little more than 200 ms at 8 kHz: the resampler waits for what follows.
                try await client.sendSilence(1_700)
                var texts: [String] = []
                while texts.last != #"{"type":"endpoint"}"#, case .text(let text) = await client.frame() {
                    texts.append(text)
                }
                #expect(texts.count == 2)
                #expect(texts[0].contains(#""stable":"w1","text":"w1 w2","type":"transcript","unstable":" w2""#))
                #expect(texts[0].contains(#"{"confidence":0.5,"end":0.2,"start":0.1,"word":"w2"}"#))
                try await client.sendText(#"{"type":"reset"}"#)
                #expect(await client.final()?.contains(#""text":"w1 w2""#) == true)
                try await client.sendText(#"{"type":"reset"}"#)
                #expect(await client.frame() == .text(#"{"text":".","type":"amendment"}"#))
            }
        }
        #expect(recognizer.record.options.last?.lookahead == 6)
        #expect(recognizer.record.options.last?.endpointSilence == .milliseconds(500))
    }

    @Test func `config that the recogniser refuses is an error and the session goes on`() async throws {
        let recognizer = CountingRecognizer()
        try await RecognitionTestServer.run(recognizer) { port in
            try await RawClient.recognition(on: port) { client in
                try await client.sendText(#"{"type":"config","lookahead":20}"#)
                let error = #"{"code":"usage","message":"the lookahead is 13 at most","type":"error"}"#
                #expect(await client.frame() == .text(error))
                try await client.sendSilence(1_600)
                try await client.sendText(#"{"type":"end"}"#)
                #expect(await client.final() == RawClient.final(words: 1))
            }
        }
    }

    @Test func `a client that leaves in the middle frees its stream, and what it sent in vain is counted`() async throws
    {
        let recognizer = CountingRecognizer()
        try await RecognitionTestServer.run(recognizer) { port in
            try await RawClient.recognition(on: port) { client in
                recognizer.hold()
                try await client.sendSilence(1_600)
                await recognizer.wait { $0.waiting == 1 }
                try await client.sendSilence(14_400)
                try await client.send(RawClient.frame(9, [1]))
                #expect(await client.frame() == .pong([1]))
            }
            await recognizer.wait { $0.openStreams == 0 }
            recognizer.release()
            try await RecognitionTestServer.expectMetrics(on: port) {
                $0.contains("voice_asr_dropped_audio_seconds_total 1\n") && $0.contains("voice_asr_open_sessions 0\n")
            }
            try await RawClient.recognition(on: port) { client in
                try await client.sendText(#"{"type":"reset"}"#)
                #expect(await client.final() == RawClient.final(words: 0))
            }
        }
    }

    @Test func `a failure of the recogniser ends only its own session`() async throws {
        let recognizer = CountingRecognizer()
        try await RecognitionTestServer.run(recognizer) { port in
            try await RawClient.recognition(on: port) { bystander in
                try await RawClient.recognition(on: port) { client in
                    recognizer.failNext(VoiceError(.fault, "the graph fell off the table"))
                    try await client.sendSilence(10)
                    let closing = await client.closing()
                    #expect(closing.code == 1011)
                    #expect(closing.error?.contains("the graph fell off the table") == true)
                }
                try await bystander.sendSilence(1_600)
                try await bystander.sendText(#"{"type":"reset"}"#)
                #expect(await bystander.final() == RawClient.final(words: 1))
            }
        }
    }
}
