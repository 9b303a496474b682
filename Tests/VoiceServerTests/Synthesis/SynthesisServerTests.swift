internal import Foundation
internal import NIOCore
internal import Testing
internal import Transports
internal import VoiceCore
internal import VoiceTesting

@testable internal import VoiceServer

@Suite(.serialized, .timeLimit(.minutes(5))) struct SynthesisServerTests {
    // Test 1 of tests/test_tts_cancel.py of pipecat-ai/nemotron-january-2026.
    @Test func `a text is spoken, its segment completes, a close is done`() async throws {
        try await SynthesisTestServer.run(CountingSynthesizer()) { port in
            try await RawClient.synthesis(on: port) { client in
                try await client.sendText(#"{"type":"init","voice":"one","language":"en"}"#)
                let created = await client.hear(until: "stream_created").message("stream_created")
                #expect(created?["stream_id"]?.text?.count == 36)
                #expect(created?["sample_rate"] == 16_000)
                try await client.say("Hello, this is a test.", #","mode":"stream","preset":"conservative""#)
                let segment = await client.hear(until: "segment_complete")
                #expect(segment.audio == 22 * 320)
                #expect(segment.messages == [#"{"audio_ms":220,"segment":1,"type":"segment_complete"}"#])
                try await client.sendText(#"{"type":"close"}"#)
                let done = await client.hear(until: "done")
                #expect(done.messages == [#"{"segments_generated":1,"total_audio_ms":220,"type":"done"}"#])
            }
        }
    }

    // Test 2 of the same: there 10 kB may still come.
    @Test func `after a cancel was heard no audio comes, and little before`() async throws {
        let voice = CountingSynthesizer(sampleRate: SampleRate(22_050))
        try await SynthesisTestServer.run(voice) { port in
            try await RawClient.synthesis(on: port) { client in
                try await client.sendText(#"{"type":"init","acknowledge":true}"#)
                // Ten minutes.
                try await client.say(String(repeating: "abcdefghi ", count: 6_000))
                var heard = 0
                while heard < 5_000, case let frame = await client.frame() {
                    if case .binary(let bytes) = frame { heard += bytes.count }
                }
                try await client.sendText(#"{"type":"cancel"}"#)
                let after = await client.hear(until: "cancelled")
                await voice.wait { $0.openStreams == 0 }
                let cancelled = after.message("cancelled")
                let sent = SampleRate(22_050).wireMilliseconds(ofSamples: (heard + after.audio) / 2)
                #expect(cancelled?["audio_ms"] == .number(sent))
                try await client.sendText(#"{"type":"ping"}"#)
                #expect(await client.frame() == .text(#"{"type":"pong"}"#))
                // What was made and not sent is half a second, not the ten minutes.
                #expect(voice.record.chunks * 2 * voice.samplesPerByte * 2 <= heard + after.audio + 2 * 22_050)
            }
            try await RecognitionTestServer.expectMetrics(on: port) { $0.contains("voice_tts_cancels_total 1\n") }
        }
    }

    @Test func `of the fastest voice less than 50 ms are on their way when a cancel comes`() async throws {
        let voice = CountingSynthesizer()
        let clock = ManualClock()
        let pace = { (configuration: inout SynthesisServer.Configuration) in configuration.speed = 4 }
        try await SynthesisTestServer.run(voice, pace, clock: clock) { port in
            try await RawClient.synthesis(on: port) { client in
                try await client.sendText(#"{"type":"init","acknowledge":true}"#)
                try await client.say(String(repeating: "abcdefghi ", count: 6_000))
                var heard = 0
                while heard < 2 * 640 {
                    if case .binary(let bytes) = await client.frame() { heard += bytes.count }
                }
                // Time stands still: 40 ms were sent at once, and no more is until it moves on.
                for _ in 0..<20 {
                    while clock.sleeperCount < 2 { await Task.yield() }
                    clock.advance(by: .milliseconds(5))
                    while true {
                        guard case .binary(let bytes) = await client.frame() else { continue }
                        #expect(bytes.count == 640)
                        break
                    }
                }
                try await client.sendText(#"{"type":"cancel"}"#)
                let after = await client.hear(until: "cancelled")
                #expect(after.audio < 50 * 32)
                #expect(after.message("cancelled")?["audio_ms"] == .number(Double(22 * 20 + after.audio / 32)))
            }
        }
    }

    // Test 3 of the same: there within a second.
    @Test func `a new stream after a cancel is whole and has nothing of the old one`() async throws {
        let voice = CountingSynthesizer()
        try await SynthesisTestServer.run(voice) { port in
            try await RawClient.synthesis(on: port) { client in
                try await client.sendText(#"{"type":"init"}"#)
                for _ in 0..<3 {
                    try await client.say(String(repeating: "long ", count: 2_000))
                    try await client.sendText(#"{"type":"cancel"}"#)
                    try await client.sendText(#"{"type":"init"}"#)
                    try await client.say("New stream test.")
                    try await client.sendText(#"{"type":"close"}"#)
                    // Two streams were created since: the one that the first text began, if it was not open, and the new one.
                    var rest = await client.hear(until: "done")
                    let begin = rest.messages.lastIndex { $0.contains("stream_created") }
                    rest.messages.removeFirst((begin ?? -1) + 1)
                    #expect(
                        rest.messages == [
                            #"{"audio_ms":160,"segment":1,"type":"segment_complete"}"#,
                            #"{"segments_generated":1,"total_audio_ms":160,"type":"done"}"#,
                        ]
                    )
                }
            }
        }
    }

    @Test func `a cancel stops a voice that is still at work`() async throws {
        let voice = CountingSynthesizer()
        try await SynthesisTestServer.run(voice) { port in
            try await RawClient.synthesis(on: port) { client in
                voice.hold()
                try await client.sendText(#"{"type":"init","context_id":"reply"}"#)
                try await client.say("Hello.")
                await voice.wait { $0.waiting == 1 }
                try await client.sendText(#"{"type":"cancel"}"#)
                let cancelled = await client.hear(until: "cancelled")
                #expect(cancelled.audio == 0)
                #expect(cancelled.message("cancelled")?["context_id"] == "reply")
                #expect(cancelled.message("cancelled")?["text_spoken"] == "")
                await voice.wait { $0.openStreams == 0 }
            }
        }
    }

    // tests/test_websocket_tts.py of the same repository: there each token is a segment of its own.
    @Test func `tokens become clauses`() async throws {
        let voice = CountingSynthesizer()
        try await SynthesisTestServer.run(voice) { port in
            try await RawClient.synthesis(on: port) { client in
                try await client.sendText(#"{"type":"init","tokens":true}"#)
                for token in ["Hello!", " How", " can", " I", " help", " you", " today", "?"] {
                    try await client.say(token)
                }
                try await client.sendText(#"{"type":"close"}"#)
                let heard = await client.hear(until: "done")
                #expect(heard.audio == "Hello! How can I help you today?".utf8.count * 320)
                let texts = heard.messages.compactMap { JSONValue(json: $0)?["text"]?.text }
                #expect(texts == ["Hello!", " How can I help you today?"])
            }
        }
        #expect(voice.record.texts == ["Hello!", " How can I help you today?"])
    }

    @Test func `words with their times come before their audio`() async throws {
        try await SynthesisTestServer.run(CountingSynthesizer()) { port in
            try await RawClient.synthesis(on: port) { client in
                try await client.sendText(#"{"type":"init","words":true,"context_id":"c"}"#)
                try await client.say("One two.")
                _ = await client.hear(until: "stream_created")
                let words = await client.hear(until: "timestamps")
                #expect(words.audio == 640)
                #expect(
                    words.messages == [
                        #"{"context_id":"c","type":"timestamps","words":[{"end_ms":30,"text_end":3,"word":"One"}]}"#
                    ]
                )
                let rest = await client.hear(until: "segment_complete")
                #expect(rest.messages.first?.contains(#"[{"end_ms":80,"text_end":8,"word":"two."}]"#) == true)
            }
        }
    }

    @Test(arguments: [8_000, 16_000, 22_000, 24_000, 48_000])
    func `the audio comes at the rate that was asked for`(hertz: Int) async throws {
        try await SynthesisTestServer.run(CountingSynthesizer()) { port in
            try await RawClient.synthesis(on: port) { client in
                try await client.sendText(#"{"type":"init","sample_rate":\#(hertz)}"#)
                let created = await client.hear(until: "stream_created").message("stream_created")
                #expect(created?["sample_rate"]?.whole == hertz)
                try await client.say(String(repeating: "a", count: 100))
                #expect(await client.hear(until: "segment_complete").audio == 2 * hertz)
            }
        }
    }

    @Test func `clients that ask for nothing get the reference's rate, and are told so`() async throws {
        let configure = { (configuration: inout SynthesisServer.Configuration) in
            configuration.rate = SynthesisServer.Configuration.referenceRate
        }
        try await SynthesisTestServer.run(CountingSynthesizer(), configure) { port in
            try await RawClient.connect(to: port) { client in
                let configuration = try await JSONValue(json: client.get("/v1/audio/config").body)
                #expect(configuration?["sample_rate"] == 22_000)
                #expect(configuration?["encoding"] == "pcm_s16le")
                #expect(configuration?["voices"] == .array(["one", "two"]))
            }
            try await RawClient.synthesis(on: port) { client in
                try await client.say(String(repeating: "a", count: 100))
                #expect(await client.hear(until: "segment_complete").audio == 44_000)
                try await client.sendText(#"{"type":"init","sample_rate":"voice"}"#)
                let created = await client.hear(until: "stream_created").message("stream_created")
                #expect(created?["sample_rate"] == 16_000)
            }
        }
    }

    @Test(arguments: [
        "Great! 🎉🎉 Well done 👩‍👩‍👧‍👦.", "你好。今天天气很好！", "ありがとう ⓂⒶ 🈶", "“Quotes” – and dashes…",
    ])
    func `the voice gets every character, emoji and Chinese too`(text: String) async throws {
        let voice = CountingSynthesizer()
        try await SynthesisTestServer.run(voice) { port in
            try await RawClient.synthesis(on: port) { client in
                try await client.say(text)
                #expect(await client.hear(until: "segment_complete").audio == text.utf8.count * 320)
            }
        }
        #expect(voice.record.texts.joined() == text)
    }

    @Test func `a hundred kilobytes are one segment, spoken sentence by sentence`() async throws {
        let voice = CountingSynthesizer(sampleRate: .telephone)
        let text = String(repeating: "The quick brown fox jumps over the lazy dog. ", count: 2_300)
        try await SynthesisTestServer.run(voice) { port in
            try await RawClient.synthesis(on: port) { client in
                try await client.say(text)
                let heard = await client.hear(until: "segment_complete")
                #expect(heard.audio == (text.utf8.count - 1) * 160)
                #expect(heard.messages.count == 2)
            }
        }
        #expect(voice.record.texts.count == 2_300)
    }

    @Test func `broken messages are answered with errors and the session goes on`() async throws {
        try await SynthesisTestServer.run(CountingSynthesizer()) { port in
            try await RawClient.synthesis(on: port) { client in
                for text in ["garbage", "[1]", #"{"type":"speak"}"#, #"{"type":"text","text":["a"]}"#] {
                    try await client.sendText(text)
                    let error = await client.hear(until: "error").message("error")
                    #expect(error?["code"] == "malformedInput")
                    #expect(error?["fatal"] == false)
                }
                try await client.send(RawClient.frame(1, [0xff, 0xfe]))
                _ = await client.hear(until: "error")
                try await client.send(RawClient.frame(2, [1, 2, 3]))
                _ = await client.hear(until: "error")
                try await client.say("Fine.")
                #expect(await client.hear(until: "segment_complete").audio == 5 * 320)
            }
            try await RecognitionTestServer.expectMetrics(on: port) {
                $0.contains(#"voice_tts_errors_total{code="malformedInput"} 6"#)
            }
        }
    }

    @Test func `a failure of the voice ends its stream, and the next one is spoken`() async throws {
        let voice = CountingSynthesizer()
        try await SynthesisTestServer.run(voice) { port in
            try await RawClient.synthesis(on: port) { client in
                voice.failNext(VoiceError(.fault, "the vocoder is hoarse"))
                try await client.say("One.")
                let error = await client.hear(until: "error").message("error")
                #expect(error?["message"] == "the vocoder is hoarse")
                #expect(error?["fatal"] == true)
                try await client.say("Two.")
                #expect(await client.hear(until: "segment_complete").audio == 4 * 320)
            }
        }
    }
}
