internal import Audio
internal import Foundation
internal import NIOCore
internal import Testing
internal import Transports
internal import VoiceCore
internal import VoiceTesting

@testable internal import VoiceServer

@Suite(.serialized, .timeLimit(.minutes(5))) struct SpeechAnswerTests {
    @Test func `samples come as they are made`() async throws {
        let voice = CountingSynthesizer()
        try await SynthesisTestServer.run(voice) { port in
            try await RawClient.connect(to: port) { client in
                let reply = try await client.speech(#"{"input":"Hello.","voice":"ONE","model":"tts-1","speed":1.0}"#)
                #expect(reply.status == 200)
                #expect(reply.headers["content-type"] == "audio/pcm")
                #expect(reply.headers["x-sample-rate"] == "16000")
                #expect(reply.headers["transfer-encoding"] == "chunked")
                let bytes = try #require(await client.chunkBytes())
                #expect(PCM16.samples(bytes) == [Float](repeating: CountingSynthesizer.level, count: 960))
                // The same connection again.
                let again = try await client.speech(#"{"input":"A","sample_rate":8000}"#)
                #expect(again.headers["x-sample-rate"] == "8000")
                #expect(await client.chunkBytes()?.count == 160)
            }
        }
    }

    @Test func `the first samples come before the last are made`() async throws {
        let voice = CountingSynthesizer()
        try await SynthesisTestServer.run(voice) { port in
            try await RawClient.connect(to: port) { client in
                voice.hold(afterChunks: 2)
                let reply = try await client.speech(#"{"input":"First. And then some."}"#)
                #expect(reply.status == 200)
                for _ in 0..<2 {
                    #expect(await client.line() == "280")
                    #expect(await client.bytes(642)?.count == 642)
                }
                #expect(voice.record.chunks == 2)
                voice.release()
                #expect(await client.chunkBytes()?.count == (21 - 4) * 320)
            }
        }
    }

    @Test func `a WAV stream has a true header`() async throws {
        try await SynthesisTestServer.run(CountingSynthesizer()) { port in
            try await RawClient.connect(to: port) { client in
                let reply = try await client.speech(#"{"input":"Hello.","response_format":"wav"}"#)
                #expect(reply.headers["content-type"] == "audio/wav")
                let bytes = try #require(await client.chunkBytes())
                let file = try WAVFile(bytes: bytes, name: "answer")
                #expect(file.rate == .speech)
                #expect(file.mono.count == 960)
            }
        }
    }

    @Test func `Opus comes in pages of Ogg`() async throws {
        try await SynthesisTestServer.run(CountingSynthesizer()) { port in
            try await RawClient.connect(to: port) { client in
                let reply = try await client.speech(#"{"input":"Hello.","response_format":"opus"}"#)
                #expect(reply.headers["content-type"] == "audio/ogg; codecs=opus")
                let bytes = try #require(await client.chunkBytes())
                #expect(bytes.starts(with: Array("OggS".utf8)))
                #expect(String(decoding: bytes, as: UTF8.self).contains("OpusHead"))
            }
        }
    }

    @Test(arguments: ["aria", "alloy"])
    func `voices of other services mean the standard voice, which is named`(voice: String) async throws {
        try await SynthesisTestServer.run(CountingSynthesizer()) { port in
            try await RawClient.connect(to: port) { client in
                let reply = try await client.speech(#"{"input":"Hello.","voice":"\#(voice)"}"#)
                #expect(reply.status == 200)
                #expect(reply.headers["x-voice"] == "one")
            }
        }
    }

    @Test(arguments: [
        (#"{"input":"Hi","voice":"bob"}"#, "voice", "there is no voice 'bob', only one, two"),
        (#"{"input":"Hi","response_format":"mp3"}"#, "response_format", "must be one of pcm, wav, opus"),
        (#"{"input":"Hi","speed":2}"#, "speed", "speed must be 1"), (#"{"input":"  "}"#, "input", "not empty"),
        (#"{"voice":"one"}"#, "input", "not empty"), (#"{"input":1}"#, "input", "must be a text"),
        (#"{"input":"Hi","inptu":"Ho"}"#, "inptu", "did you mean 'input'?"),
        (#"{"input":"Hi","language":"fr"}"#, "language", "speaks en, not 'fr'"),
        (#"{"input":"Hi","sample_rate":7}"#, "sample_rate", "from 8000 to 48000"),
    ])
    func `a request that is wrong is answered with OpenAI's error`(
        body: String,
        param: String,
        words: String
    ) async throws {
        try await SynthesisTestServer.run(CountingSynthesizer()) { port in
            try await RawClient.connect(to: port) { client in
                try await client.send(RawClient.speechRequest(body))
                let reply = try await client.reply()
                #expect(reply.status == 400)
                let error = JSONValue(json: reply.body)?["error"]
                #expect(error?["param"]?.text == param)
                #expect(error?["message"]?.text?.contains(words) == true, "\(reply.body)")
            }
        }
    }

    @Test func `a failure before the first sound is an answer, one in the middle breaks off`() async throws {
        let voice = CountingSynthesizer()
        try await SynthesisTestServer.run(voice) { port in
            try await RawClient.connect(to: port) { client in
                voice.failNext(VoiceError(.fault, "hoarse"))
                try await client.send(RawClient.speechRequest(#"{"input":"Hello."}"#))
                let reply = try await client.reply()
                #expect(reply.status == 500)
                #expect(JSONValue(json: reply.body)?["error"]?["message"] == "hoarse")
                let long = String(repeating: "abcdefghi ", count: 6_000)
                #expect(try await client.speech(#"{"input":"\#(long)"}"#).status == 200)
                voice.failNext(VoiceError(.fault, "hoarse again"))
                #expect(await client.chunkBytes() == nil)
            }
        }
    }

    @Test func `a client that leaves stops the voice`() async throws {
        let voice = CountingSynthesizer()
        try await SynthesisTestServer.run(voice) { port in
            try await RawClient.connect(to: port) { client in
                voice.hold()
                try await client.send(RawClient.speechRequest(#"{"input":"Hello."}"#))
                await voice.wait { $0.waiting == 1 }
            }
            await voice.wait { $0.openStreams == 0 }
            try await RecognitionTestServer.expectMetrics(on: port) { $0.contains("voice_tts_open_sessions 0\n") }
        }
    }

    @Test func `a text that is too long is refused`() async throws {
        try await SynthesisTestServer.run(CountingSynthesizer()) { port in
            try await RawClient.connect(to: port) { client in
                let long = String(repeating: "a", count: 300_000)
                try await client.send(RawClient.speechRequest(#"{"input":"\#(long)"}"#))
                #expect(try await client.reply().status == 413)
            }
        }
    }

    @Test func `health names the voice, other paths say where to go`() async throws {
        try await SynthesisTestServer.run(CountingSynthesizer()) { port in
            try await RawClient.connect(to: port) { client in
                let health = try await JSONValue(json: client.get("/health").body)
                #expect(health?["status"] == "healthy")
                #expect(health?["model_loaded"] == true)
                #expect(health?["voice"] == "one")
                #expect(try await client.get("/").status == 404)
                #expect(try await client.get("/ws/tts/stream").status == 426)
                #expect(try await client.get("/v1/audio/speech").status == 405)
            }
        }
    }
}

extension RawClient {
    static func speechRequest(_ body: String) -> String {
        "POST /v1/audio/speech HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }

    /// Asks for speech and reads the head of the answer.
    mutating func speech(_ body: String) async throws -> Reply {
        try await send(Self.speechRequest(body))
        return try await reply(hasBody: false)
    }

    /// Content that comes in chunks; nil if it breaks off.
    mutating func chunkBytes() async -> [UInt8]? {
        var content: [UInt8] = []
        while let size = await line().flatMap({ Int($0, radix: 16) }) {
            guard let chunk = await bytes(size), await line() == "" else { return nil }
            if size == 0 { return content }
            content += chunk
        }
        return nil
    }
}
