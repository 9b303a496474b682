internal import Foundation
internal import Logging
internal import Testing
internal import VoiceCore

@testable internal import VoiceServer

@Suite(.timeLimit(.minutes(5))) struct ListeningTests {
    @Test func `a port in use is named, with what to do`() async throws {
        try await TestServer.run { port in
            let error = await #expect(throws: VoiceError.self) {
                try await TestServer.run {
                    $0.port = port
                } _: { _ in
                }
            }
            #expect(error?.code == .unavailable)
            #expect(error?.message.contains("port \(port) on 127.0.0.1 is in use") == true)
            #expect(error?.message.contains("--port") == true)
        }
    }

    @Test(arguments: ["no such host", "203.0.113.7", "host.invalid"])
    func `a host that is not this machine is named`(host: String) async throws {
        let error = await #expect(throws: VoiceError.self) {
            try await TestServer.run {
                $0.host = host
            } _: { _ in
            }
        }
        #expect(error?.code == .usage)
        #expect(error?.message.contains(host) == true)
    }

    @Test(arguments: [-1, 65_536, .max])
    func `a number that is no port is named`(port: Int) async throws {
        let error = await #expect(throws: VoiceError.self) {
            try await TestServer.run {
                $0.port = port
            } _: { _ in
            }
        }
        #expect(error?.code == .usage)
        #expect(error?.message.contains("\(port)") == true)
    }

    @Test func `a folder without a page is named`() async throws {
        let error = await #expect(throws: VoiceError.self) {
            try await TestServer.run {
                $0.playgroundDirectory = "/no/such/folder"
            } _: { _ in
            }
        }
        #expect(error?.code == .missingInput)
        #expect(error?.message.contains("/no/such/folder") == true)
    }

    @Test(arguments: [
        ("127.0.0.1", "http://127.0.0.1:80"), ("0.0.0.0", "http://localhost:80"), ("::", "http://localhost:80"),
        ("::1", "http://[::1]:80"), ("voice.local", "http://voice.local:80"),
    ])
    func `the address is one a browser can open`(host: String, url: String) {
        #expect(Endpoint(host: host, port: 80).url == url)
    }
}

@Suite struct OriginPolicyTests {
    @Test(
        arguments: [
            (nil, "localhost:7860", true), ("http://localhost:7860", "localhost:7860", true),
            ("http://127.0.0.1:3000", "localhost:7860", true), ("http://[::1]:7860", "[::1]:7860", true),
            ("http://app.localhost", "localhost:7860", true), ("https://evil.example", "localhost:7860", false),
            // DNS rebinding: the page's own name points to this machine.
            ("http://evil.example:7860", "evil.example:7860", false),
            ("http://localhost.evil.example", "localhost", false),
            ("http://127.0.0.1.evil.example", "localhost", false), ("null", "localhost:7860", false),
            ("", "localhost", false),
            ("http://", "localhost", false), ("http://[::1", "localhost", false),
            ("http://localhost:x", "localhost", false),
            ("https://voice.example.org", "localhost", true), ("HTTPS://VOICE.example.org", "localhost", true),
        ] as [(String?, String, Bool)]
    )
    func `a server for this machine hears pages of this machine`(origin: String?, host: String, allowed: Bool) {
        let policy = OriginPolicy(allowed: ["https://voice.example.org"], host: "127.0.0.1")
        #expect(policy.allows(origin: origin, host: host) == allowed)
    }

    @Test(arguments: [
        ("https://voice.example", "voice.example", true), ("https://voice.example", "voice.example:443", true),
        ("http://voice.example:7860", "Voice.Example:7860", true),
        ("http://voice.example", "voice.example:7860", false),
        ("http://192.168.1.9:7860", "192.168.1.9:7860", true), ("https://other.example", "voice.example", false),
        ("http://localhost:3000", "voice.example", true),
    ])
    func `a server for everybody hears its own pages`(origin: String, host: String, allowed: Bool) {
        #expect(OriginPolicy(allowed: [], host: "0.0.0.0").allows(origin: origin, host: host) == allowed)
    }

    @Test func `a star allows every page`() {
        #expect(OriginPolicy(allowed: ["*"], host: "127.0.0.1").allows(origin: "https://a.example", host: "b"))
    }
}
