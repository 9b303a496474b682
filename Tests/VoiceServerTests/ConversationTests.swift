internal import Foundation
internal import NIOCore
internal import Synchronization
internal import Testing
internal import Transports
internal import VoiceCore

@testable internal import VoiceServer

@Suite(.timeLimit(.minutes(5))) struct ConversationTests {
    @Test func `hello is answered by ready, audio and text reach the session and its answers come back`() async throws {
        try await TestServer.run { port in
            try await RawClient.conversation(on: port) { client in
                try await client.sendAudio([0, 100, -32_768])
                let header: [UInt8] = [2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]
                #expect(await client.frame() == .binary(header + [0, 0, 100, 0, 0, 0x80]))
                try await client.sendText(#"{"type":"text","text":"hi"}"#)
                let transcript = #"{"final":true,"text":"hi","turn":1,"type":"user_transcript"}"#
                #expect(await client.frame() == .text(transcript))
                try await client.sendText(#"{"type":"ping","t":3}"#)
                #expect(await client.frame() == .text(#"{"t":3,"type":"pong"}"#))
                try await client.send(RawClient.frame(9, [1, 2]))
                #expect(await client.frame() == .pong([1, 2]))
                try await client.sendText(#"{"type":"bye"}"#)
                #expect(await client.closing() == (1000, nil))
            }
        }
    }

    @Test func `ready names the session, the rate and the models`() async throws {
        try await TestServer.run { port in
            try await RawClient.webSocket(to: port) { client in
                try await client.sendText(RawClient.hello)
                guard case .text(let ready) = await client.frame() else {
                    return #expect(Bool(false), "no `ready` came")
                }
                #expect(ready.contains(#""playout":{"sample_rate":48000}"#))
                #expect(ready.contains(#""models":{"asr":"a","llm":"l","tts":"s","turn":"t","vad":"v"}"#))
                #expect(ready.contains(#""session":""#))
            }
        }
    }

    @Test func `a message in fragments, one byte at a time, arrives whole`() async throws {
        try await TestServer.run { port in
            try await RawClient.conversation(on: port) { client in
                let text = Array(#"{"type":"ping","t":1}"#.utf8)
                let bytes =
                    RawClient.frame(1, Array(text.prefix(5)), fin: false) + RawClient.frame(9, [])
                    + RawClient.frame(0, Array(text.dropFirst(5)))
                for byte in bytes { try await client.send([byte]) }
                #expect(await client.frame() == .pong([]))
                #expect(await client.frame() == .text(#"{"t":1,"type":"pong"}"#))
            }
        }
    }

    @Test(
        arguments: [
            (RawClient.frame(1, Array("garbage".utf8)), 1007), (RawClient.frame(1, [0xff, 0xfe]), 1007),
            (RawClient.frame(1, Array(#"{"type":"played"}"#.utf8)), 1007),
            (RawClient.frame(2, Array("text".utf8)), 1003),
            (RawClient.frame(2, [1, 0, 7]), 1003), (RawClient.frame(2, []), 1003),
            (RawClient.frame(1, Array("{}".utf8), isMasked: false), 1002), (RawClient.frame(0, [1]), 1002),
            (RawClient.frame(3, []), 1002), (RawClient.frame(0x41, []), 1002),
            (RawClient.frame(9, [1], fin: false), 1002),
            (RawClient.frame(9, [UInt8](repeating: 0, count: 126)), 1002),
            (RawClient.frame(2, [1, 0] + [UInt8](repeating: 0, count: 100_000)), 1009),
            ([0x82, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], 1009),
            ([0x82, 0xff, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0, 0], 1009),
        ].map { (Sent(bytes: $0), $1) } as [(Sent, UInt16)]
    )
    func `what must not come is answered by an error and the right close code`(
        sent: Sent,
        code: UInt16
    ) async throws {
        try await TestServer.run { port in
            try await RawClient.conversation(on: port) { bystander in
                try await RawClient.conversation(on: port) { client in
                    try await client.send(sent.bytes)
                    let closing = await client.closing()
                    #expect(closing.code == code)
                    #expect(closing.error?.contains(#""code":"malformedInput""#) == true)
                }
                try await expectEcho(&bystander)
            }
        }
    }

    @Test func `ten megabytes are refused at their header`() async throws {
        try await TestServer.run { port in
            try await RawClient.conversation(on: port) { client in
                // Not all of it may leave: the server hangs up a second later at most.
                try await client.send([0x82, 0xff, 0, 0, 0, 0, 0, 0xa0, 0, 0, 1, 2, 3, 4])
                let piece = [UInt8](repeating: 1, count: 1 << 20)
                for _ in 0..<10 { try? await client.send(piece) }
                #expect(await client.closing().code == 1009)
            }
            try await RawClient.conversation(on: port) { client in try await expectEcho(&client) }
        }
    }

    @Test func `half a frame and gone is no matter to anybody else`() async throws {
        let ended = Mutex(0)
        try await TestServer.run(
            session: { transport, _ in
                try await TestServer.echo(transport)
                ended.withLock { $0 += 1 }
            }
        ) { port in
            try await RawClient.conversation(on: port) { bystander in
                try await RawClient.conversation(on: port) { client in
                    try await client.send(Array(RawClient.frame(2, [1, 0, 1, 2, 3, 4]).prefix(7)))
                }
                try await expectEcho(&bystander)
                try await expectHealth(on: port) { $0.contains(#""active":1,"maximum":8"#) }
                #expect(ended.withLock { $0 } == 1)
            }
        }
    }

    @Test func `without hello the connection is closed after ten seconds`() async throws {
        let clock = ManualClock()
        try await TestServer.run(clock: clock) { port in
            try await RawClient.webSocket(to: port) { client in
                await TestServer.move(clock, by: .seconds(9))
                try await client.send(RawClient.frame(9, [1]))
                #expect(await client.frame() == .pong([1]))
                await TestServer.move(clock, by: .seconds(2))
                let closing = await client.closing()
                #expect(closing.code == 1002)
                #expect(closing.error?.contains("hello") == true)
            }
        }
    }

    @Test func `a peer that answers no pings is dropped, one that does stays`() async throws {
        let clock = ManualClock()
        try await TestServer.run(clock: clock) { port in
            try await RawClient.conversation(on: port) { client in
                for _ in 0..<4 {
                    await TestServer.move(clock, by: .milliseconds(20_250))
                    #expect(await client.frame() == .ping([]))
                    try await client.send(RawClient.frame(10, []))
                    try await expectEcho(&client)
                }
                await TestServer.move(clock, by: .seconds(61))
                #expect(await client.frame() == .ping([]))
                #expect(await client.frame() == .ping([]))
                #expect(await client.frame() == .end)
                try await expectHealth(on: port) { $0.contains(#""dead":1"#) }
            }
        }
    }

    @Test func `the failure of one session is told to its page and to no other`() async throws {
        try await TestServer.run { port in
            try await RawClient.conversation(on: port) { bystander in
                try await RawClient.conversation(on: port) { client in
                    try await client.sendText(#"{"type":"interrupt"}"#)
                    let closing = await client.closing()
                    #expect(closing.code == 1011)
                    #expect(closing.error == #"{"code":"fault","message":"the engine broke","type":"error"}"#)
                }
                try await expectEcho(&bystander)
            }
        }
    }

    @Test func `two sessions never hear each other`() async throws {
        try await TestServer.run { port in
            try await RawClient.conversation(on: port) { one in
                try await RawClient.conversation(on: port) { other in
                    for round in Int16(0)..<50 {
                        try await one.sendAudio([round])
                        try await other.sendAudio([-round])
                        #expect(await Self.lastSample(one.frame()) == round)
                        #expect(await Self.lastSample(other.frame()) == -round)
                    }
                }
            }
        }
    }

    @Test func `a full server says so and takes the next one when there is room`() async throws {
        try await TestServer.run {
            $0.maxSessions = 1
        } _: { port in
            try await RawClient.conversation(on: port) { first in
                try await RawClient.webSocket(to: port) { second in
                    try await second.sendText(RawClient.hello)
                    let closing = await second.closing()
                    #expect(closing.code == 1013)
                    #expect(closing.error?.contains("all 1 conversations are taken") == true)
                }
                try await expectEcho(&first)
                try await first.sendText(#"{"type":"bye"}"#)
                #expect(await first.closing().code == 1000)
            }
            try await expectHealth(on: port) {
                $0.contains(#""sessions":{"active":0,"maximum":1,"refused":1,"reserved":0,"total":1}"#)
            }
            try await RawClient.conversation(on: port) { client in try await expectEcho(&client) }
        }
    }

    @Test func `stopping says goodbye to every page and ends`() async throws {
        let (said, continuation) = AsyncStream.makeStream(of: UInt16?.self)
        try await withThrowingTaskGroup { group in
            let (ports, port) = AsyncStream.makeStream(of: Int.self)
            let server = group.addTaskUnlessCancelled {
                try await TestServer.run(session: { transport, _ in
                    for await _ in transport.events {}
                }) { number in
                    port.yield(number)
                    try? await Task.sleep(for: .seconds(3_600))
                }
            }
            #expect(server)
            var iterator = ports.makeAsyncIterator()
            let number = try #require(await iterator.next())
            try await RawClient.conversation(on: number) { one in
                try await RawClient.conversation(on: number) { other in
                    group.cancelAll()
                    continuation.yield(await one.closing().code)
                    continuation.yield(await other.closing().code)
                }
            }
            try await group.waitForAll()
        }
        var codes = said.makeAsyncIterator()
        #expect(await codes.next() == 1001)
        #expect(await codes.next() == 1001)
    }

    @Test(arguments: [
        ("Origin: https://evil.example\r\n", 403), ("Origin: null\r\n", 403), ("Origin: http://localhost:9\r\n", 101),
    ])
    func `pages of other origins may not talk here`(header: String, status: Int) async throws {
        try await TestServer.run { port in
            try await RawClient.connect(to: port) { client in
                let reply = try await client.request(RawClient.handshake(headers: header))
                #expect(reply.status == status)
            }
        }
    }

    @Test(arguments: [
        ("Sec-WebSocket-Version: 13", "Sec-WebSocket-Version: 8", 426), ("Upgrade: websocket\r\n", "", 426),
        ("keep-alive, Upgrade", "keep-alive", 426), ("GET", "POST", 405), ("dGhlIHNhbXBsZSBub25jZQ==", "short", 400),
        ("Host: localhost", "Host: localhost\r\nContent-Length: 4", 400),
        ("Host: localhost", "Host: localhost\r\nTransfer-Encoding: chunked", 400),
    ])
    func `a handshake that is none gets a status`(part: String, replacement: String, status: Int) async throws {
        try await TestServer.run { port in
            try await RawClient.connect(to: port) { client in
                let request = RawClient.handshake().replacing(part, with: replacement)
                try await #expect(client.request(request).status == status)
            }
        }
    }

    private static func lastSample(_ frame: RawClient.Frame) -> Int16? {
        guard case .binary(let bytes) = frame, bytes.count == 14 else { return nil }
        return Int16(bitPattern: UInt16(bytes[12]) | UInt16(bytes[13]) << 8)
    }
}

/// Checks that the session behind a client is well.
func expectEcho(_ client: inout RawClient) async throws {
    try await client.sendText(#"{"type":"ping","t":77}"#)
    var frame = await client.frame()
    while frame != .text(#"{"t":77,"type":"pong"}"#), frame != .end { frame = await client.frame() }
    #expect(frame != .end)
    try await client.sendText(#"{"type":"text","text":"are you there?"}"#)
    guard case .text(let answer) = await client.frame() else { return #expect(Bool(false), "no answer came") }
    #expect(answer.contains("are you there?"))
}

/// Asks `/health` until it is as expected.
func expectHealth(on port: Int, _ isExpected: (String) -> Bool) async throws {
    try await RawClient.connect(to: port) { client in
        var health = ""
        for _ in 0..<10_000 {
            health = try await client.get("/health").body
            if isExpected(health) { return }
        }
        Issue.record("the server's health stayed at \(health)")
    }
}

/// Bytes of a client, short in a test's output however many there are.
struct Sent: Sendable, CustomTestStringConvertible {
    let bytes: [UInt8]

    var testDescription: String { "\(bytes.count) bytes \(bytes.prefix(12))" }
}
