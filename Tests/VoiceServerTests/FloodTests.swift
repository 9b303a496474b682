internal import NIOCore
internal import Synchronization
internal import Testing
internal import Transports
internal import VoiceCore

@testable internal import VoiceServer

@Suite(.timeLimit(.minutes(5))) struct FloodTests {
    @Test func `a page that stops reading is disconnected while others talk on`() async throws {
        let failures = Mutex<[VoiceError.Code]>([])
        let samples = [Float](repeating: 0, count: 1_600)
        try await TestServer.run {
            $0.timing.tick = .milliseconds(10)
            // Long enough for the session to send more than there is room for, whatever else the machine does.
            $0.limits.stallTimeout = .seconds(3)
            $0.limits.playoutBacklog = .milliseconds(100)
            $0.limits.closeTimeout = .milliseconds(50)
        } session: { transport, info in
            guard info.playout == .telephone else { return try await TestServer.echo(transport) }
            do {
                // Far faster than any loudspeaker, for as long as somebody is there.
                for position in stride(from: 0, to: Int.max, by: samples.count) {
                    let audio = AudioFrame(samples: samples, rate: .telephone, position: position)
                    try await transport.send(.audio(PlayoutFrame(epoch: 1, audio: audio)))
                    await Task.yield()
                }
            } catch {
                failures.withLock { $0.append(VoiceError.wrapping(error, doing: "send").code) }
            }
        } _: { port in
            try await RawClient.conversation(on: port) { bystander in
                try await RawClient.webSocket(to: port, receiveBuffer: 8 * 1_024) { stuck in
                    try await stuck.sendText(RawClient.hello.replacing("48000", with: "8000"))
                    try await expectHealth(on: port) { $0.contains(#""slow":1"#) }
                    try await expectEcho(&bystander)
                }
                try await expectHealth(on: port) { $0.contains(#""active":1,"maximum":8"#) }
                #expect(failures.withLock { $0 } == [.unavailable])
                try await expectHealth(on: port) { !$0.contains(#""playout_ms":0}"#) }
            }
        }
    }

    @Test func `microphone audio that nobody takes is dropped and counted, other messages end it`() async throws {
        let (gate, opener) = AsyncStream.makeStream(of: Void.self)
        try await TestServer.run(session: { transport, _ in
            for await _ in gate {}
            try await TestServer.echo(transport)
        }) { port in
            try await RawClient.conversation(on: port) { client in
                // Three seconds at 16 kHz; two may wait.
                for _ in 0..<30 { try await client.sendAudio([Int16](repeating: 1, count: 1_600)) }
                try await expectHealth(on: port) { $0.contains(#""microphone_ms":1000"#) }
                opener.finish()
                guard case .binary(let bytes) = await client.frame() else {
                    return #expect(Bool(false), "no audio came")
                }
                #expect(bytes[8..<12] == [0x80, 0x3e, 0, 0], "the first sample left is number 16000")
            }
            opener.finish()
        }
    }

    @Test func `more messages than a session takes end its connection`() async throws {
        try await TestServer.run(session: { transport, _ in
            try? await Task.sleep(for: .seconds(3_600))
        }) { port in
            try await RawClient.conversation(on: port) { client in
                for _ in 0..<300 { try await client.sendText(#"{"type":"interrupt"}"#) }
                let closing = await client.closing()
                #expect(closing.code == 1008)
                #expect(closing.error?.contains(#""code":"exhausted""#) == true)
            }
        }
    }

    @Test func `a session that does not end with its page is cancelled`() async throws {
        try await TestServer.run {
            $0.timing.sessionGrace = .milliseconds(20)
        } session: { _, _ in
            try await Task.sleep(for: .seconds(3_600))
        } _: { port in
            try await RawClient.conversation(on: port) { _ in }
            try await expectHealth(on: port) {
                $0.contains(#""sessions":{"active":0,"maximum":8,"refused":0,"reserved":0,"total":1}"#)
            }
        }
    }

    @Test func `random bytes after the handshake harm nobody`() async throws {
        var random = SplitMix64(seed: 7)
        try await TestServer.run {
            $0.limits.closeTimeout = .milliseconds(20)
            $0.timing.tick = .milliseconds(10)
            $0.limits.helloTimeout = .milliseconds(50)
        } _: { port in
            for _ in 0..<40 {
                let bytes = (0..<Int.random(in: 1..<600, using: &random)).map { _ in
                    UInt8.random(in: .min ... .max, using: &random)
                }
                try await RawClient.webSocket(to: port) { client in
                    try? await client.send(bytes)
                    _ = await client.closing()
                }
                try await RawClient.connect(to: port) { client in
                    try? await client.send(bytes + [13, 10, 13, 10])
                    while await client.bytes(1) != nil {}
                }
            }
            try await RawClient.conversation(on: port) { client in try await expectEcho(&client) }
        }
    }
}
