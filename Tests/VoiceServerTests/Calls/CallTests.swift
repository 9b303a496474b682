internal import Foundation
internal import NIOCore
internal import NIOHTTP1
internal import Synchronization
internal import Testing
internal import VoiceCore

@testable internal import Transports
@testable internal import VoiceServer

@Suite(.timeLimit(.minutes(5))) struct CallTests {
    private static let start = #"{"event":"start","start":{"accountSid":"AC1","streamSid":"MZ1","callSid":"CA1"}}"#

    private static func event(_ frame: RawClient.Frame) -> JSONValue? {
        if case .text(let text) = frame { JSONValue(json: text) } else { nil }
    }

    private static func pipecat(_ frame: RawClient.Frame) -> PipecatFrame? {
        if case .binary(let bytes) = frame { try? PipecatFrame(reading: ByteBuffer(bytes: bytes)) } else { nil }
    }

    @Test func `a call's sound goes in and out, and its marks say what was played`() async throws {
        try await TestServer.run { port in
            try await RawClient.webSocket(to: port) { client in
                try await client.sendText(#"{"event":"connected","protocol":"Call","version":"1.0.0"}"#)
                try await client.sendText(Self.start)
                try await client.sendText(#"{"event":"media","media":{"track":"inbound","payload":"gAD/"}}"#)
                let media = try #require(Self.event(await client.frame()))
                #expect(media == ["event": "media", "streamSid": "MZ1", "media": ["payload": "gAD/"]])
                let mark = try #require(Self.event(await client.frame()))
                #expect(mark == ["event": "mark", "streamSid": "MZ1", "mark": ["name": "1"]])
                // The echoing session cuts a reply when it hears that something was played.
                try await client.sendText(mark.json)
                #expect(Self.event(await client.frame()) == ["event": "clear", "streamSid": "MZ1"])
                try await client.sendText(#"{"event":"stop"}"#)
                #expect(await client.closing().code == 1000)
            }
        }
    }

    @Test func `the first message may come in pieces`() async throws {
        try await TestServer.run { port in
            try await RawClient.webSocket(to: port) { client in
                let text = Array(Self.start.utf8)
                try await client.send(RawClient.frame(1, Array(text.prefix(7)), fin: false))
                try await client.send(RawClient.frame(9, [1]))
                #expect(await client.frame() == .pong([1]))
                try await client.send(RawClient.frame(0, Array(text.dropFirst(7))))
                try await client.sendText(#"{"event":"media","media":{"payload":"AAAA"}}"#)
                #expect(Self.event(await client.frame())?["event"] == "media")
            }
        }
    }

    @Test func `a call that fails is hung up at its provider, one that the caller ends is not`() async throws {
        let requests = Mutex<[String]>([])
        try await FakeProvider.run { request in
            requests.withLock { $0.append(request) }
        } _: { provider in
            try await TestServer.run {
                $0.telephony.twilio.token = "secret"
                $0.telephony.twilio.api = "http://127.0.0.1:\(provider)"
            } _: { port in
                try await RawClient.webSocket(to: port) { client in
                    try await client.sendText(Self.start)
                    try await client.sendText(#"{"event":"stop"}"#)
                    _ = await client.closing()
                }
                #expect(requests.withLock { $0 } == [])
                try await RawClient.webSocket(to: port) { client in
                    try await client.sendText(Self.start)
                    // The echoing session breaks when it is interrupted, which a key does.
                    try await client.sendText(#"{"event":"dtmf","dtmf":{"digit":"1"}}"#)
                    #expect(await client.closing().code == 1011)
                }
            }
        }
        let request = try #require(requests.withLock { $0 }.first)
        #expect(request.hasPrefix("POST /2010-04-01/Accounts/AC1/Calls/CA1.json HTTP/1.1"))
        #expect(request.contains("Authorization: Basic " + Data("AC1:secret".utf8).base64EncodedString()))
        #expect(request.hasSuffix("Status=completed"))
    }

    @Test func `each provider's way to hang up is its own`() throws {
        var accounts = TelephonyAccounts()
        let telnyx = TelephonyCall(provider: .telnyx, stream: "s", call: "v3:c", account: nil)
        let plivo = TelephonyCall(provider: .plivo, stream: "s", call: "u", account: "MA1")
        #expect(HangUp(telnyx, accounts) == nil && HangUp(plivo, accounts) == nil)
        accounts.telnyx.key = "KEY"
        accounts.plivo.token = "t"
        let first = try #require(HangUp(telnyx, accounts))
        #expect(first.method == .POST && first.url == "https://api.telnyx.com/v2/calls/v3:c/actions/hangup")
        #expect(first.headers.first(name: "authorization") == "Bearer KEY")
        let second = try #require(HangUp(plivo, accounts))
        #expect(second.method == .DELETE && second.url == "https://api.plivo.com/v1/Account/MA1/Call/u/")
    }

    @Test func `a Pipecat client talks in frames`() async throws {
        try await TestServer.run { port in
            try await RawClient.webSocket(to: port, path: "/ws-client") { client in
                let ready = #"{"label":"rtvi-ai","type":"client-ready","id":"c1","data":{"version":"2.1.0"}}"#
                try await client.send(
                    RawClient.frame(2, Array(PipecatFrame.message(ready).bytes(id: 1).readableBytesView))
                )
                guard case .message(let json)? = Self.pipecat(await client.frame()) else {
                    Issue.record("no bot-ready")
                    return
                }
                let message = try #require(JSONValue(json: json))
                #expect(message["type"] == "bot-ready" && message["id"] == "c1")
                #expect(message["data"]?["about"] == ["library": "repartee", "library_version": "1.2.3"])
                let sound = PipecatFrame.audio([0.5, -0.5], SampleRate(16_000))
                try await client.send(RawClient.frame(2, Array(sound.bytes(id: 2).readableBytesView)))
                #expect(Self.pipecat(await client.frame()) == sound)
            }
        }
    }

    @Test func `the rate of replies is 24 kHz, or what the address asks for`() async throws {
        let rates = Mutex<[Int]>([])
        try await TestServer.run(session: { transport, info in
            rates.withLock { $0.append(transport.playoutRate.hertz) }
            #expect(transport.playoutLead == .milliseconds(40))
            #expect(info.kind == "pipecat")
        }) { port in
            for path in ["/ws-client", "/ws-client?sample_rate=16000"] {
                try await RawClient.webSocket(to: port, path: path) { client in
                    try await client.send(
                        RawClient.frame(2, Array(PipecatFrame.interruption.bytes(id: 2).readableBytesView))
                    )
                    #expect(await client.closing().code == 1000)
                }
            }
            try await RawClient.connect(to: port) { client in
                let reply = try await client.request(RawClient.handshake("/ws-client?sample_rate=8000"))
                #expect(reply.status == 400)
            }
        }
        #expect(rates.withLock { $0 } == [24_000, 16_000])
    }

    @Test func `calls and Pipecat clients are refused when all places are taken`() async throws {
        try await TestServer.run {
            $0.maxSessions = 1
        } _: { port in
            try await RawClient.conversation(on: port) { _ in
                try await RawClient.webSocket(to: port) { client in
                    try await client.sendText(Self.start)
                    #expect(await client.closing().code == 1013)
                }
                try await RawClient.webSocket(to: port, path: "/ws-client") { client in
                    try await client.send(
                        RawClient.frame(2, Array(PipecatFrame.interruption.bytes(id: 2).readableBytesView))
                    )
                    #expect(await client.closing().code == 1013)
                }
            }
        }
    }

    @Test func `bytes of any kind end neither the server nor another session`() async throws {
        var random = SplitMix64(seed: 20)
        try await TestServer.run {
            $0.maxSessions = 50
        } _: { port in
            try await RawClient.conversation(on: port) { bystander in
                for round in 0..<60 {
                    let path = round.isMultiple(of: 2) ? "/ws" : "/ws-client"
                    let messages = (0..<8).map { _ in
                        (0..<Int.random(in: 0...200, using: &random)).map { _ in
                            UInt8.random(in: .min ... .max, using: &random)
                        }
                    }
                    try await RawClient.webSocket(to: port, path: path) { client in
                        if round.isMultiple(of: 4) { try await client.sendText(Self.start) }
                        for message in messages {
                            try? await client.send(RawClient.frame(round.isMultiple(of: 3) ? 1 : 2, message))
                        }
                        _ = await client.frame()
                    }
                }
                try await bystander.sendText(#"{"type":"ping","t":3}"#)
                #expect(await bystander.frame() == .text(#"{"t":3,"type":"pong"}"#))
            }
        }
    }
}
