internal import Foundation
internal import NIOCore
internal import Testing
internal import VoiceCore
internal import VoiceTesting

@testable internal import VoiceServer

@Suite(.serialized, .timeLimit(.minutes(5))) struct TranscriptionTests {
    private static let boundary = "7d1a"

    /// A form with a file of `samples` samples and some fields.
    static func form(
        samples: Int = 8_000,
        rate: Int = 16_000,
        file: [UInt8]? = nil,
        _ fields: [(String, String)] = []
    ) -> [UInt8] {
        var body: [UInt8] = []
        for (name, value) in fields {
            body += Array("--\(boundary)\r\nContent-Disposition: form-data; name=\"\(name)\"\r\n\r\n\(value)\r\n".utf8)
        }
        let head = "--\(boundary)\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\n\r\n"
        let wav = file ?? RecognitionTestServer.wav(samples: samples, rate: rate)
        return body + Array(head.utf8) + wav + Array("\r\n--\(boundary)--\r\n".utf8)
    }

    /// A whole request with a form.
    static func request(_ body: [UInt8]) -> [UInt8] {
        let head =
            "POST /v1/audio/transcriptions HTTP/1.1\r\nHost: localhost\r\nContent-Length: \(body.count)\r\n"
            + "Content-Type: multipart/form-data; boundary=\(boundary)\r\n\r\n"
        return Array(head.utf8) + body
    }

    private func post(_ body: [UInt8], _ client: inout RawClient) async throws -> RawClient.Reply {
        try await client.send(Self.request(body))
        return try await client.reply()
    }

    @Test(arguments: [
        ("json", "application/json", #"{"text":"w1 w2 w3 w4 w5","usage":{"seconds":0.5,"type":"duration"}}"#),
        ("text", "text/plain; charset=utf-8", "w1 w2 w3 w4 w5\n"),
        ("srt", "application/x-subrip; charset=utf-8", "1\n00:00:00,000 --> 00:00:00,500\nw1 w2 w3 w4 w5\n\n"),
        ("vtt", "text/vtt; charset=utf-8", "WEBVTT\n\n00:00:00.000 --> 00:00:00.500\nw1 w2 w3 w4 w5\n\n"),
        (
            "verbose_json", "application/json",
            #"{"duration":0.5,"language":"en","segments":[{"end":0.5,"id":0,"start":0,"text":"w1 w2 w3 w4 w5"}],"#
                + #""task":"transcribe","text":"w1 w2 w3 w4 w5","usage":{"seconds":0.5,"type":"duration"}}"#
        ),
    ])
    func `a file is transcribed in every format`(format: String, type: String, body: String) async throws {
        let recognizer = CountingRecognizer()
        try await RecognitionTestServer.run(recognizer) { port in
            try await RawClient.connect(to: port) { client in
                // Twice on one connection.
                for _ in 0..<2 {
                    let fields = [("model", "whisper-1"), ("language", "en"), ("response_format", format)]
                    let reply = try await post(Self.form(fields), &client)
                    #expect(reply.status == 200)
                    #expect(reply.headers["content-type"] == type)
                    #expect(reply.body == body)
                }
            }
        }
        #expect(recognizer.record.options.last?.language == "en")
        #expect(recognizer.record.openStreams == 0)
    }

    @Test func `words come when they are asked for, phrases go to the recogniser, other rates are converted`()
        async throws
    {
        let recognizer = CountingRecognizer()
        try await RecognitionTestServer.run(recognizer) { port in
            try await RawClient.connect(to: port) { client in
                let fields = [
                    ("response_format", "verbose_json"), ("timestamp_granularities[]", "word"),
                    ("prompt", "Ada  Lovelace, Zürich;\nRepartee,"), ("temperature", "0"), ("model", "counting"),
                ]
                let reply = try await post(Self.form(samples: 9_600, rate: 48_000, fields), &client)
                #expect(reply.status == 200)
                #expect(!reply.body.contains("segments"))
                let words =
                    #""words":[{"confidence":0.5,"end":0.1,"start":0,"word":"w1"},{"confidence":0.5,"end":0.2,"start":0.1,"word":"w2"}]"#
                #expect(reply.body.contains(words))
            }
        }
        #expect(recognizer.record.options.last?.phrases == ["Ada Lovelace", "Zürich", "Repartee"])
        #expect(recognizer.record.samples == 3_200)
    }

    @Test func `with stream the text comes as it becomes stable`() async throws {
        try await RecognitionTestServer.run(CountingRecognizer()) { port in
            try await RawClient.connect(to: port) { client in
                for _ in 0..<2 {
                    let reply = try await post(Self.form(samples: 24_000, [("stream", "true")]), &client)
                    #expect(reply.headers["content-type"] == "text/event-stream")
                    #expect(reply.headers["transfer-encoding"] == "chunked")
                    let events = try #require(await client.chunks()).split(separator: "\n\n")
                    let all = (1...15).map { "w\($0)" }.joined(separator: " ")
                    #expect(
                        events.last
                            == #"data: {"text":"\#(all)","type":"transcript.text.done","usage":{"seconds":1.5,"type":"duration"}}"#
                    )
                    let start = #"data: {"delta":""#
                    let deltas = events.dropLast().map { $0.dropFirst(start.count).prefix { $0 != "\"" } }
                    #expect(deltas.joined() == all)
                    #expect(deltas.count >= 3)
                }
            }
        }
    }

    @Test func `a failure in the middle of a stream is an event`() async throws {
        let recognizer = CountingRecognizer()
        try await RecognitionTestServer.run(recognizer) { port in
            try await RawClient.connect(to: port) { client in
                recognizer.failNext(VoiceError(.fault, "it broke"))
                _ = try await post(Self.form([("stream", "true")]), &client)
                let events = try #require(await client.chunks())
                #expect(
                    events
                        == #"data: {"error":{"code":"fault","message":"it broke","param":null,"type":"server_error"}}"#
                        + "\n\n"
                )
                try await #expect(post(Self.form(), &client).status == 200)
            }
        }
    }

    @Test(arguments: [
        ([("response_format", "xml")], 400, "response_format"), ([("stream", "maybe")], 400, "stream"),
        ([("stream", "true"), ("response_format", "srt")], 400, "stream"),
        ([("temperature", "hot")], 400, "temperature"),
        ([("model", "large-v3")], 404, "model"), ([("langage", "en")], 400, "langage"),
        ([("timestamp_granularities[]", "word")], 400, "timestamp_granularities[]"),
        (
            [("response_format", "verbose_json"), ("timestamp_granularities[]", "letter")], 400,
            "timestamp_granularities[]"
        ),
        ([("file", "not a file")], 400, "file"),
    ])
    func `wrong fields are named`(fields: [(String, String)], status: Int, param: String) async throws {
        try await RecognitionTestServer.run(CountingRecognizer()) { port in
            try await RawClient.connect(to: port) { client in
                let reply = try await post(Self.form(fields), &client)
                #expect(reply.status == status)
                #expect(reply.body.contains(#""param":"\#(param)""#))
                #expect(reply.body.contains(#""type":"invalid_request_error""#))
                try await #expect(post(Self.form(), &client).status == 200)
            }
        }
    }

    @Test(
        arguments: [
            (Array("ID3 and so on".utf8), 415), (Array("OggS".utf8) + [UInt8](repeating: 0, count: 50), 415), ([], 400),
            (Array("RIFF".utf8), 400), (Array(RecognitionTestServer.wav(samples: 100).prefix(30)), 400),
            (RecognitionTestServer.wav(samples: 100, rate: 4_000), 400),
        ] as [([UInt8], Int)]
    )
    func `a file that is no speech in a WAV is refused`(file: [UInt8], status: Int) async throws {
        try await RecognitionTestServer.run(CountingRecognizer()) { port in
            try await RawClient.connect(to: port) { client in
                let reply = try await post(Self.form(file: file), &client)
                #expect(reply.status == status)
                #expect(reply.body.contains(#""param":"file""#))
            }
        }
    }

    @Test func `a damaged form is refused`() async throws {
        try await RecognitionTestServer.run(CountingRecognizer()) { port in
            try await RawClient.connect(to: port) { client in
                for body in [[], Self.form().dropLast(10), Array("--7d1a\r\n\r\n\r\n--7d1a--".utf8)] {
                    let reply = try await post(Array(body), &client)
                    #expect(reply.status == 400)
                    #expect(reply.body.contains(#""code":"malformedInput""#))
                }
                let other = "POST /v1/audio/transcriptions HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}"
                try await #expect(client.request(other).status == 400)
            }
        }
    }

    @Test func `chunked uploads and expectations work`() async throws {
        try await RecognitionTestServer.run(CountingRecognizer()) { port in
            try await RawClient.connect(to: port) { client in
                let body = Self.form()
                let head =
                    "POST /v1/audio/transcriptions HTTP/1.1\r\nHost: a\r\n"
                    + "Content-Type: multipart/form-data; boundary=\(Self.boundary)\r\n"
                try await client.send(head + "Transfer-Encoding: chunked\r\n\r\n")
                for start in stride(from: 0, to: body.count, by: 1_000) {
                    let chunk = body[start..<min(body.count, start + 1_000)]
                    try await client.send("\(String(chunk.count, radix: 16))\r\n")
                    try await client.send(Array(chunk) + [13, 10])
                }
                try await client.send("0\r\n\r\n")
                try await #expect(client.reply().status == 200)
                try await client.send(head + "Expect: 100-continue\r\nContent-Length: \(body.count)\r\n\r\n")
                try await #expect(client.reply(hasBody: false).status == 100)
                try await client.send(body)
                try await #expect(client.reply().status == 200)
            }
        }
    }

    @Test func `a form over the limit is refused at once, or as soon as it is too much`() async throws {
        try await RecognitionTestServer.run(CountingRecognizer()) {
            $0.maxFileBytes = 1_048_576
        } _: { port in
            let head =
                "POST /v1/audio/transcriptions HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=x\r\n"
            try await RawClient.connect(to: port) { client in
                let reply = try await client.request(head + "Content-Length: 1048577\r\n\r\n")
                #expect(reply.status == 413)
                #expect(reply.body.contains(#""code":"too_large""#))
                #expect(await client.reachesEnd())
            }
            try await RawClient.connect(to: port) { client in
                try await client.send(head + "Transfer-Encoding: chunked\r\n\r\n100001\r\n")
                try await client.send([UInt8](repeating: 0, count: 0x100001))
                let reply = try await client.reply()
                #expect(reply.status == 413)
                #expect(reply.body.contains(#""code":"too_large""#))
            }
            try await RecognitionTestServer.expect("/health", on: port) { $0.contains(#""sessions":{"active":0"#) }
        }
    }

    @Test func `a client that leaves is not worked for, and one too many is told to come back`() async throws {
        let recognizer = CountingRecognizer()
        try await RecognitionTestServer.run(recognizer) {
            $0.maxSessions = 1
        } _: { port in
            recognizer.hold()
            try await RawClient.connect(to: port) { client in
                try await client.send(Self.request(Self.form()))
                await recognizer.wait { $0.waiting == 1 }
                try await RawClient.connect(to: port) { second in
                    let reply = try await post(Self.form(), &second)
                    #expect(reply.status == 503)
                    #expect(reply.headers["retry-after"] == "5")
                    #expect(reply.body.contains(#""type":"server_error""#))
                }
            }
            await recognizer.wait { $0.openStreams == 0 }
            try await RecognitionTestServer.expect("/health", on: port) { $0.contains(#""sessions":{"active":0"#) }
        }
    }

    @Test(arguments: [
        ("GET /v1/audio/transcriptions", 405), ("GET /", 426), ("GET /nothing", 404), ("POST /health", 405),
        ("GET /health", 200),
        ("GET /metrics", 200),
    ])
    func `other requests get a clear answer`(line: String, status: Int) async throws {
        try await RecognitionTestServer.run(CountingRecognizer()) { port in
            try await RawClient.connect(to: port) { client in
                try await #expect(client.request("\(line) HTTP/1.1\r\nHost: a\r\n\r\n").status == status)
            }
        }
    }

    @Test func `health has the reference's fields`() async throws {
        try await RecognitionTestServer.run(CountingRecognizer()) { port in
            try await RawClient.connect(to: port) { client in
                let body = try await client.get("/health").body
                for field in [
                    #""status":"healthy""#, #""model_loaded":true"#, #""model":"counting""#, #""version":"1.2.3""#,
                ] {
                    #expect(body.contains(field))
                }
            }
        }
    }

    @Test func `pages of other origins may not use the server`() async throws {
        try await RecognitionTestServer.run(CountingRecognizer()) { port in
            for request in [
                RawClient.handshake(headers: "Origin: https://evil.example\r\n"),
                "POST /v1/audio/transcriptions HTTP/1.1\r\nHost: localhost\r\nOrigin: https://evil.example\r\nContent-Length: 0\r\n\r\n",
            ] {
                try await RawClient.connect(to: port) { client in
                    try await #expect(client.request(request).status == 403)
                }
            }
        }
    }
}

@Suite struct TranscriptSegmentTests {
    @Test func `segments end with sentences, at pauses, and when they get too long`() {
        let texts = ["One", "two.", "Three", "four"] + (0..<30).map { "word\($0)" }
        var words: [RecognizedWord] = []
        var now = Duration.zero
        for (index, text) in texts.enumerated() {
            if index == 3 { now += .milliseconds(800) }
            words.append(RecognizedWord(text: text, start: now, end: now + .milliseconds(200), confidence: 1))
            now += .milliseconds(250)
        }
        let transcript = Transcript(text: texts.joined(separator: " "), isFinal: true, words: words)
        let segments = TranscriptSegment.segments(of: transcript, lasting: now)
        #expect(segments.prefix(2).map(\.text) == ["One two.", "Three"])
        #expect(segments[2].text.hasPrefix("four word0"))
        #expect(segments.map(\.text).joined(separator: " ") == transcript.text)
        #expect(segments.allSatisfy { $0.text.count <= 84 && $0.end - $0.start <= .seconds(7) })
        #expect(segments[1].start == .milliseconds(500))
    }

    @Test func `a transcript without words is one segment, one without text none`() {
        let some = Transcript(text: "hello", isFinal: true)
        #expect(
            TranscriptSegment.segments(of: some, lasting: .seconds(2)) == [
                .init(text: "hello", start: .zero, end: .seconds(2))
            ]
        )
        #expect(TranscriptSegment.segments(of: Transcript(text: "", isFinal: true), lasting: .seconds(2)).isEmpty)
    }

    @Test(arguments: [
        (Duration.zero, "00:00:00,000"), (.milliseconds(59_999.6), "00:01:00,000"),
        (.milliseconds(3_723_004), "01:02:03,004"),
        (.seconds(360_000), "100:00:00,000"),
    ])
    func `times of subtitles have hours and milliseconds`(time: Duration, text: String) {
        #expect(TranscriptionAnswer.time(time, ",") == text)
    }
}
