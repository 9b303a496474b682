internal import NIOCore
internal import Testing
internal import VoiceCore

@testable internal import VoiceServer

@Suite(.timeLimit(.minutes(5))) struct HTTPTests {
    @Test func `the page and its files come with their types, again and again on one connection`() async throws {
        try await TestServer.run { port in
            try await RawClient.connect(to: port) { client in
                for path in ["/", "/index.html", "/?x=1"] {
                    let reply = try await client.get(path)
                    #expect(reply.status == 200)
                    #expect(reply.body == "<title>page</title>")
                    #expect(reply.headers["content-type"] == "text/html; charset=utf-8")
                    #expect(reply.headers["cache-control"] == "no-cache")
                    #expect(reply.headers["x-content-type-options"] == "nosniff")
                }
                let script = try await client.get("/audio/capture.js")
                #expect(script.headers["content-type"] == "text/javascript; charset=utf-8")
                #expect(script.body == "export {}")
            }
        }
    }

    @Test func `a browser's copy that is current is not sent again`() async throws {
        try await TestServer.run { port in
            try await RawClient.connect(to: port) { client in
                let tag = try #require(try await client.get("/style.css").headers["etag"])
                let again = try await client.get("/style.css", headers: "If-None-Match: \"old\", \(tag)\r\n")
                #expect(again.status == 304)
                #expect(again.body.isEmpty)
                try await #expect(client.get("/style.css", headers: "If-None-Match: \"old\"\r\n").status == 200)
            }
        }
    }

    @Test func `health says which models are in use and what to know about them`() async throws {
        try await TestServer.run { port in
            try await RawClient.connect(to: port) { client in
                let health = try await client.get("/health").body
                #expect(health.contains(#""asr":"a""#) && health.contains(#""advice":"get a better one""#), "\(health)")
            }
        }
    }

    @Test func `HEAD has the headers of GET and no content`() async throws {
        try await TestServer.run { port in
            try await RawClient.connect(to: port) { client in
                let reply = try await client.get("/", method: "HEAD")
                #expect(reply.status == 200)
                #expect(reply.headers["content-length"] == "19")
                #expect(try await client.get("/style.css").body == "a{}")
            }
        }
    }

    @Test(arguments: [
        "/../index.html", "/..%2f..%2fetc/passwd", "//etc/passwd", "/.hidden", "/audio", "/audio/",
        "/audio/../style.css",
        "/etc/passwd", "/index.html%00", "/INDEX.HTML", "*", "http://localhost/",
    ])
    func `no other path leads anywhere`(path: String) async throws {
        try await TestServer.run { port in
            try await RawClient.connect(to: port) { client in
                let reply = try await client.get(path)
                #expect([400, 404].contains(reply.status))
                #expect(reply.body.split(separator: "\n").count == 1)
            }
        }
    }

    @Test(arguments: ["POST", "PUT", "DELETE", "OPTIONS", "TRACE"])
    func `other methods are not allowed`(method: String) async throws {
        try await TestServer.run { port in
            try await RawClient.connect(to: port) { client in
                let reply = try await client.get("/style.css", method: method)
                #expect(reply.status == 405)
                #expect(reply.headers["allow"] == "GET, HEAD")
                let withContent = "POST /health HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
                try await #expect(client.request(withContent).status == 405)
                try await #expect(client.get("/").status == 200)
            }
        }
    }

    @Test(arguments: [
        ("GET / HTTP/1.1\r\n\r\n", 400), ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        ("\u{1}\u{2}\u{3}\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost a\r\n\r\n", 400), ("GET / HTTP/9.9\r\nHost: a\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: \(String(repeating: "x", count: 20_000))\r\n\r\n", 431),
        ("GET /\(String(repeating: "x", count: 20_000)) HTTP/1.1\r\nHost: a\r\n\r\n", 431),
        ("GET / HTTP/1.1\r\nHost: a\r\n\(String(repeating: "X: y\r\n", count: 100))\r\n", 431),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n", 413),
        ("POST /health HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", 405),
        ("POST /health HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n", 405),
        ("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 200), ("GET / HTTP/1.0\r\n\r\n", 200),
        ("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n", 200),
    ])
    func `requests that end a connection get an answer first`(request: String, status: Int) async throws {
        try await TestServer.run { port in
            try await RawClient.connect(to: port) { client in
                let reply = try await client.request(request)
                #expect(reply.status == status)
                #expect(reply.headers["connection"] == "close")
                #expect(await client.reachesEnd())
            }
        }
    }

    @Test func `a client that takes more than ten seconds over its request is disconnected`() async throws {
        let clock = ManualClock()
        try await TestServer.run(clock: clock) { port in
            try await RawClient.connect(to: port) { fresh in
                try await RawClient.connect(to: port) { slow in
                    // The server knows both before time passes.
                    try await #expect(fresh.get("/").status == 200)
                    try await #expect(slow.get("/").status == 200)
                    try await slow.send("GET / HTTP/1.1\r\nHost: local")
                    await TestServer.move(clock, by: .seconds(9))
                    try await #expect(fresh.get("/").status == 200)
                    await TestServer.move(clock, by: .seconds(2))
                    #expect(await slow.reachesEnd())
                    try await #expect(fresh.get("/").status == 200)
                    await TestServer.move(clock, by: .seconds(11))
                    #expect(await fresh.reachesEnd())
                }
            }
        }
    }

    @Test func `pipelined requests are answered in order`() async throws {
        try await TestServer.run { port in
            try await RawClient.connect(to: port) { client in
                let paths = ["/", "/style.css", "/nothing", "/audio/capture.js"]
                try await client.send(paths.map { "GET \($0) HTTP/1.1\r\nHost: a\r\n\r\n" }.joined())
                for status in [200, 200, 404, 200] { #expect(try await client.reply().status == status) }
            }
        }
    }

    @Test func `connections over the limit are told to come back later`() async throws {
        try await TestServer.run {
            $0.maxConnections = 1
        } _: { port in
            try await RawClient.connect(to: port) { first in
                try await #expect(first.get("/").status == 200)
                for request in ["GET / HTTP/1.1\r\nHost: a\r\n\r\n", RawClient.handshake()] {
                    try await RawClient.connect(to: port) { second in
                        let reply = try await second.request(request)
                        #expect(reply.status == 503)
                        #expect(reply.headers["retry-after"] == "5")
                        #expect(await second.reachesEnd())
                    }
                }
                try await #expect(first.get("/").status == 200)
            }
        }
    }

    @Test func `IPv6 works`() async throws {
        try await TestServer.run {
            $0.host = "::1"
        } _: { port in
            try await RawClient.connect(to: port, host: "::1") { client in
                try await #expect(client.get("/").status == 200)
            }
        }
    }
}
