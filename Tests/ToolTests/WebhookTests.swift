internal import NIOHTTP1
internal import Testing
internal import VoiceCore
internal import VoiceTesting

@testable internal import Tools

/// Webhooks against a scripted server on loopback.
@Suite(.timeLimit(.minutes(5))) struct WebhookTests {
    private typealias Server = ScriptedHTTPServer

    private static let declaration = try? ToolDeclaration(
        name: "book",
        description: "Books a room.",
        parameters: [
            "type": "object",
            "properties": ["room": ["type": "string"], "day": ["type": "string"], "people": ["type": "integer"]],
            "required": .array(["room"]),
        ]
    )
    private static let arguments: JSONObject = ["room": "a b/ü", "day": "Monday", "people": 3]

    private func call(
        _ method: WebhookTool.Method = .post,
        path: String = "/rooms/{room}/bookings",
        headers: [(name: String, value: String)] = [],
        arguments: JSONObject = arguments,
        answer: @escaping @Sendable (Server.Request) -> Server.Answer
    ) async throws -> (result: String, requests: [Server.Request]) {
        let declaration = try #require(Self.declaration)
        var outcome: (String, [Server.Request])?
        try await Server.run({ request, _ in answer(request) }) { port, requests in
            let tool = try WebhookTool(
                declaration,
                address: WebhookAddress("http://127.0.0.1:\(port)\(path)"),
                method: method,
                headers: headers
            )
            let result = try await tool.call(arguments)
            outcome = (result, requests())
        }
        return try #require(outcome)
    }

    private static func text(_ text: String, _ status: HTTPResponseStatus = .ok) -> Server.Answer {
        Server.Answer(status: status, body: Array(text.utf8))
    }

    @Test func `arguments go into the path and the content`() async throws {
        let (result, requests) = try await call(headers: [("Authorization", "Bearer secret")]) { _ in
            Self.text(" {\"id\": 7}\n", .created)
        }
        #expect(result == "{\"id\": 7}")
        let request = try #require(requests.first)
        #expect(requests.count == 1)
        #expect(request.uri == "/rooms/a%20b%2F%C3%BC/bookings")
        #expect(JSONValue(json: String(decoding: request.body, as: UTF8.self)) == ["day": "Monday", "people": 3])
        #expect(request.headers["authorization"] == ["Bearer secret"])
        #expect(request.headers["content-type"] == ["application/json"])
        #expect(request.headers["idempotency-key"].count == 1)
    }

    @Test func `without content they go into the query`() async throws {
        let (_, requests) = try await call(.get, path: "/rooms/{room}?kind=small") { _ in Self.text("free") }
        #expect(requests.first?.uri == "/rooms/a%20b%2F%C3%BC?kind=small&day=Monday&people=3")
        #expect(requests.first?.body.isEmpty == true)
        #expect(requests.first?.headers["idempotency-key"].isEmpty == true)
    }

    @Test func `what is no success is told in words`() async throws {
        func failure(_ answer: Server.Answer) async -> String? {
            do {
                _ = try await call { _ in answer }
                return nil
            } catch {
                return (error as? VoiceError)?.message
            }
        }
        #expect(await failure(Self.text("no such room", .notFound)) == "book answers 404 Not Found: no such room")
        #expect(await failure(Self.text("", .internalServerError)) == "book answers 500 Internal Server Error")
        let moved = Server.Answer(status: .found, headers: ["Location": "http://elsewhere.example/"])
        #expect(await failure(moved)?.hasPrefix("book answers 302") == true, "secrets do not follow a redirection")
        let long = try #require(await failure(Self.text(String(repeating: "x", count: 100_000), .badRequest)))
        #expect(long.utf8.count < 700)
        let broken = Server.Answer(headers: ["Content-Length": "100"], body: Array("half".utf8), ending: .cut)
        #expect(await failure(broken) == "the answer broke off")
    }

    @Test func `an answer that is too long is cut`() async throws {
        let (result, _) = try await call { _ in Self.text(String(repeating: "y", count: 1 << 20)) }
        #expect(result.utf8.count < WebhookTool.longestAnswer + 100 && result.hasSuffix("(cut off)"))
    }

    @Test func `an argument cannot lead to another path`() async throws {
        for room in ["..", ".", ""] {
            await #expect(throws: VoiceError.self) {
                _ = try await call(arguments: ["room": .string(room)]) { _ in Self.text("") }
            }
        }
    }

    @Test func `nobody there is an error, and a cancelled call ends`() async throws {
        let declaration = try #require(Self.declaration)
        let nobody = try WebhookTool(declaration, address: WebhookAddress("http://127.0.0.1:1/"))
        await #expect(throws: VoiceError.self) { _ = try await nobody.call(Self.arguments) }
        try await Server.run({ _, _ in Server.Answer(headers: ["Content-Length": "9"], ending: .stalled) }) { port, _ in
            let tool = try WebhookTool(declaration, address: WebhookAddress("http://127.0.0.1:\(port)/"))
            let running = Task { try await tool.call(Self.arguments) }
            try await Task.sleep(for: .milliseconds(100))
            running.cancel()
            let result = await running.result
            #expect(throws: (any Error).self) { try result.get() }
        }
    }

    @Test(arguments: [
        "", "example.org/x", "ftp://example.org/", "http://", "http:///x", "http://{host}/x",
        "http://example{tld}.org/",
        "http://example.org/{", "http://example.org/{}", "{scheme}://example.org/", "http://example.org{room}/",
    ])
    func `what is no address is refused`(text: String) {
        #expect(throws: VoiceError.self) { _ = try WebhookAddress(text) }
    }

    @Test func `what the address takes must be required, and headers must be such`() throws {
        let declaration = try #require(Self.declaration)
        #expect(throws: VoiceError.self) {
            _ = try WebhookTool(declaration, address: WebhookAddress("http://example.org/{day}"))
        }
        for header in [("X\nY", "a"), ("", "a"), ("X", "a\r\nY: b")] {
            #expect(throws: VoiceError.self) {
                _ = try WebhookTool(
                    declaration,
                    address: WebhookAddress("http://example.org/"),
                    headers: [(name: header.0, value: header.1)]
                )
            }
        }
    }
}
