internal import Foundation
internal import NIOCore
internal import NIOHTTP1
internal import Testing
internal import Transports
internal import VoiceCore

@testable internal import VoiceServer

@Suite(.timeLimit(.minutes(5))) struct SignallingTests {
    /// The offer of a real browser, from the fixtures of the protocols' own tests.
    private static func description() throws -> String {
        let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        return try String(contentsOf: tests.appending(path: "WebRTCTests/Fixtures/chromium.sdp"), encoding: .utf8)
    }

    private static func send(
        _ content: String,
        to path: String = "/api/offer",
        method: String = "POST",
        _ port: Int
    ) async throws -> (status: Int, content: JSONValue?) {
        var result: (Int, JSONValue?) = (0, nil)
        try await RawClient.connect(to: port) { client in
            let head = "\(method) \(path) HTTP/1.1\r\nHost: localhost\r\nContent-Length: \(content.utf8.count)\r\n\r\n"
            let reply = try await client.request(head + content)
            result = (reply.status, JSONValue(json: reply.body))
        }
        return result
    }

    private static func offer(_ more: [String: JSONValue] = [:]) throws -> String {
        let members: [String: JSONValue] = ["sdp": .string(try description()), "type": "offer"]
        return JSONValue.object(JSONObject(members.merging(more) { $1 })).json
    }

    @Test func `an offer is answered with where to find us, a later one by the same connection`() async throws {
        try await TestServer.run { port in
            let (status, content) = try await Self.send(try Self.offer(), port)
            let answer = try #require(content?["sdp"]?.text)
            #expect(status == 200 && content?["type"]?.text == "answer")
            #expect(answer.contains("a=ice-lite\r\n") && answer.contains("a=setup:passive\r\n"))
            #expect(answer.contains(" 127.0.0.1 ") && answer.contains(" typ host"))
            let name = try #require(content?["pc_id"]?.text)
            let later = try await Self.send(
                try Self.offer(["pc_id": .string(name)]),
                to: "/sessions/abc/api/offer",
                port
            )
            #expect(later.content?["pc_id"]?.text == name)
            let restarted = try await Self.send(try Self.offer(["pc_id": .string(name), "restart_pc": true]), port)
            let second = try #require(restarted.content?["pc_id"]?.text)
            #expect(second != name)
            let candidates =
                #"{"pc_id":"\#(second)","candidates":[{"candidate":"","sdp_mid":"0","sdp_mline_index":0}]}"#
            let known = try await Self.send(candidates, method: "PATCH", port)
            #expect(known.content == ["status": "success"])
            // The first one was ended.
            let gone = #"{"pc_id":"\#(name)","candidates":[]}"#
            let forgotten = try await Self.send(gone, method: "PATCH", port)
            #expect(forgotten.status == 404)
        }
    }

    @Test(arguments: [
        "", "{", "[]", #"{"sdp":"v=0"}"#, #"{"sdp":1,"type":"offer"}"#, #"{"sdp":"v=0\r\n","type":"offer"}"#,
    ])
    func `what is no offer is refused with a reason`(content: String) async throws {
        try await TestServer.run { port in
            let (status, answer) = try await Self.send(content, port)
            #expect(status == 400)
            #expect(answer?["detail"]?.text?.isEmpty == false)
        }
    }

    @Test func `other methods, too much content and foreign addresses are refused`() async throws {
        try await TestServer.run { port in
            let put = try await Self.send("", method: "PUT", port)
            #expect(put.status == 405)
            let large = try await Self.send(String(repeating: "a", count: 1 << 20), port)
            #expect(large.status == 413)
            let nameless = try await Self.send(try Self.offer(), to: "/sessions//api/offer", port)
            #expect(nameless.status == 404)
            let deep = try await Self.send(try Self.offer(), to: "/sessions/a/b/api/offer", port)
            #expect(deep.status == 404)
        }
    }

    @Test func `offers that nobody follows up are bounded`() async throws {
        try await TestServer.run {
            $0.maxSessions = 1
        } _: { port in
            var statuses: [Int] = []
            for _ in 0..<3 { statuses.append(try await Self.send(try Self.offer(), port).status) }
            #expect(statuses == [200, 503, 503])
        }
    }

    @Test func `an offer that is none keeps no place`() async throws {
        try await TestServer.run {
            $0.maxSessions = 1
        } _: { port in
            let none = try await Self.send(#"{"type":"offer","sdp":"v=0"}"#, port)
            #expect(none.status == 400)
            let offer = try await Self.send(try Self.offer(), port)
            #expect(offer.status == 200)
        }
    }

    @Test func `a server without WebRTC says so`() async throws {
        try await TestServer.run {
            $0.webRTC = nil
        } _: { port in
            let answer = try await Self.send(try Self.offer(), port)
            #expect(answer.status == 404)
            let started = try await Self.send(#"{"transport":"webrtc"}"#, to: "/start", port)
            #expect(started.status == 400)
        }
    }

    @Test func `clients are told of ICE servers`() async throws {
        try await TestServer.run {
            $0.webRTC?.iceServers = [.init(urls: ["turn:turn.example.org"], username: "u", credential: "c")]
        } _: { port in
            let started = try await Self.send(#"{"transport":"webrtc"}"#, to: "/start", port)
            let server: JSONValue = [
                "urls": .array(["turn:turn.example.org"]), "username": "u", "credential": "c",
            ]
            #expect(started.content?["iceConfig"]?["iceServers"]?.elements == [server])
            #expect(started.content?["sessionId"]?.text?.isEmpty == false)
        }
    }

    @Test func `an address that is none stops the server with advice`() async throws {
        await #expect {
            try await TestServer.run {
                $0.webRTC?.publicAddresses = ["voice.example.org"]
            } _: { _ in
            }
        } throws: { error in
            (error as? VoiceError)?.code == .usage
        }
    }
}
