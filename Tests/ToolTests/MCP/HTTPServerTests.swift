internal import Logging
internal import NIOHTTP1
internal import Synchronization
internal import Testing
internal import VoiceCore
internal import VoiceTesting

@testable internal import Tools

/// Servers at an address.
@Suite(.timeLimit(.minutes(5))) struct HTTPServerTests {
    typealias Answer = ScriptedHTTPServer.Answer
    typealias Request = ScriptedHTTPServer.Request

    /// What is asked and by which number.
    private struct Question {
        var method: String
        var id: String

        init(_ request: Request) {
            let message = JSONValue(json: String(decoding: request.body, as: UTF8.self))
            method = message?["method"]?.text ?? request.method.rawValue
            id = message?["id"]?.json ?? ""
        }
    }

    private static func json(_ id: String, _ result: String, _ headers: HTTPHeaders = [:]) -> Answer {
        var headers = headers
        headers.add(name: "Content-Type", value: "application/json")
        return Answer(headers: headers, body: Array(#"{"jsonrpc":"2.0","id":\#(id),"result":\#(result)}"#.utf8))
    }

    private static func events(_ messages: String..., ending: ScriptedHTTPServer.Ending = .complete) -> Answer {
        Answer(
            headers: ["Content-Type": "text/event-stream"],
            body: Array(("id: 0\ndata:\n\n" + messages.map { "event: message\ndata: \($0)\n\n" }.joined()).utf8),
            ending: ending,
            piece: 11
        )
    }

    private static func text(_ id: String, _ text: String) -> String {
        #"{"jsonrpc":"2.0","id":\#(id),"result":{"content":[{"type":"text","text":"\#(text)"}]}}"#
    }

    /// Runs a room with one server whose handshake is as it should be; calls are answered by `call`, given how many came before.
    private func run(
        timeout: Duration = .seconds(10),
        call: @escaping @Sendable (_ id: String, Int) -> Answer,
        _ body: (any Tool, _ requests: () -> [Request]) async throws -> Void
    ) async throws {
        let calls = Mutex(0)
        let sessions = Mutex(0)
        try await ScriptedHTTPServer.run({ request, _ in
            let question = Question(request)
            switch question.method {
            case "initialize":
                let session = sessions.withLock { count in
                    count += 1
                    return count
                }
                return Self.json(
                    question.id,
                    #"{"protocolVersion":"2025-06-18","capabilities":{"tools":{}}}"#,
                    ["Mcp-Session-Id": "session-\(session)"]
                )
            case "tools/list": return Self.json(question.id, #"{"tools":[{"name":"go"}]}"#)
            case "tools/call":
                let before = calls.withLock { count in
                    count += 1
                    return count - 1
                }
                return call(question.id, before)
            case "GET": return Answer(status: .methodNotAllowed)
            case "DELETE": return Answer(status: .ok)
            default: return Answer(status: .accepted)
            }
        }) { port, requests in
            let place = MCPServer.Place.address(
                "http://127.0.0.1:\(port)/mcp",
                headers: [("Authorization", "Bearer secret")]
            )
            let server = try MCPServer(name: "web", place: place, policy: ToolPolicy(timeout: timeout))
            let room = try MCPRoom([server], version: "1", logger: Logger(label: "test"))
            try await room.withServers {
                let tool = try #require(await room.tools().first)
                try await body(tool, requests)
            }
            let last = try #require(requests().last { $0.method == .DELETE })
            #expect(last.headers["Mcp-Session-Id"] == ["session-\(sessions.withLock { $0 })"])
        }
    }

    private func failure(_ tool: any Tool) async -> String {
        do {
            let text = try await tool.call([:])
            Issue.record("it succeeded: \(text)")
            return ""
        } catch {
            return VoiceError.wrapping(error, doing: "?").message
        }
    }

    @Test func `a call is one request, with session, revision and secret`() async throws {
        try await run(call: { id, _ in Self.json(id, #"{"content":[{"type":"text","text":"gone"}]}"#) }) {
            tool,
            requests in
            let result = try await tool.call(["a": 1])
            #expect(result == "gone")
            let request = try #require(requests().first { Question($0).method == "tools/call" })
            #expect(request.headers["Mcp-Session-Id"] == ["session-1"])
            #expect(request.headers["MCP-Protocol-Version"] == ["2025-06-18"])
            #expect(request.headers["Authorization"] == ["Bearer secret"])
            #expect(request.headers["Accept"] == ["application/json, text/event-stream"])
            let first = try #require(requests().first)
            #expect(first.headers["Mcp-Session-Id"].isEmpty)
            #expect(first.headers["MCP-Protocol-Version"].isEmpty)
            #expect(requests().prefix(3).map { Question($0).method }.contains("notifications/initialized"))
        }
    }

    @Test func `an answer may be a stream of events, with other things before it`() async throws {
        let answer: @Sendable (String, Int) -> Answer = { id, _ in
            Self.events(
                #"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":\#(id),"progress":1}}"#,
                #"{"jsonrpc":"2.0","id":999,"result":{}}"#,
                "nonsense",
                Self.text(id, "gone"),
                Self.text(id, "again"),
                ending: .stalled
            )
        }
        try await run(call: answer) { tool, _ in
            let news = Mutex<[String]>([])
            let mcp = try #require(tool as? MCPTool)
            let text = try await mcp.call([:]) { words in news.withLock { $0.append(words) } }
            #expect(text == "gone")
            #expect(news.withLock { $0 } == ["1 done"])
        }
    }

    @Test func `a session that was forgotten begins anew, and the call is made again`() async throws {
        let answer: @Sendable (String, Int) -> Answer = { id, before in
            before == 0 ? Answer(status: .notFound) : Self.json(id, #"{"content":[{"type":"text","text":"gone"}]}"#)
        }
        try await run(call: answer) { tool, requests in
            let result = try await tool.call([:])
            #expect(result == "gone")
            let calls = requests().filter { Question($0).method == "tools/call" }
            #expect(calls.map { $0.headers["Mcp-Session-Id"] } == [["session-1"], ["session-2"]])
            #expect(requests().filter { Question($0).method == "initialize" }.count == 2)
        }
    }

    @Test(arguments: [
        (
            Answer(status: .internalServerError, body: Array(#"{"error":{"message":"broken"}}"#.utf8)),
            "answers 500: broken"
        ),
        (Answer(status: .unauthorized), "answers 401; give the right key"),
        (Answer(status: .permanentRedirect, headers: ["Location": "/other"]), "redirects to /other"),
        (Answer(headers: ["Content-Type": "text/plain"], body: Array("hello".utf8)), "answers with 'text/plain'"),
        (Answer(status: .accepted), "closed the answer to 'tools/call' before it was there"),
        (events(), "closed the answer to 'tools/call' before it was there"),
        (events(#"{"jsonrpc":"2.0","id":999,"result":{}}"#), "closed the answer to 'tools/call' before it was there"),
        (
            Answer(headers: ["Content-Type": "text/event-stream"], body: Array("data: x".utf8), ending: .cut),
            "broke off in the middle of an answer"
        ),
        (
            Answer(
                headers: ["Content-Type": "text/event-stream"],
                body: Array("data: ".utf8) + [UInt8](repeating: 0x78, count: 4 << 20)
            ), "an event of more than 4194304 bytes"
        ),
    ])
    func `what goes wrong is a sentence`(answer: Answer, words: String) async throws {
        try await run(call: { _, _ in answer }) { tool, _ in
            let message = await failure(tool)
            #expect(message.hasPrefix("the MCP server 'web' "), "\(message)")
            #expect(message.contains(words), "\(message)")
        }
    }

    @Test func `a call that is never answered fails in time and is cancelled at the server`() async throws {
        try await run(timeout: .milliseconds(200), call: { _, _ in Self.events(ending: .stalled) }) { tool, requests in
            #expect(await failure(tool).contains("did not answer within"))
            for _ in 0..<100 where !requests().contains(where: { Question($0).method == "notifications/cancelled" }) {
                try await Task.sleep(for: .milliseconds(20))
            }
            #expect(requests().contains { Question($0).method == "notifications/cancelled" })
        }
    }

    @Test func `a list comes in pages`() async throws {
        let asked = Mutex<[String]>([])
        try await ScriptedHTTPServer.run({ request, _ in
            let question = Question(request)
            guard question.method == "tools/list" else {
                return question.method == "initialize"
                    ? Self.json(question.id, #"{"protocolVersion":"2025-11-25","capabilities":{"tools":{}}}"#)
                    : Answer(status: request.method == .POST ? .accepted : .methodNotAllowed)
            }
            let cursor = JSONValue(json: String(decoding: request.body, as: UTF8.self))?["params"]?["cursor"]?.text
            asked.withLock { $0.append(cursor ?? "") }
            return cursor == nil
                ? Self.json(question.id, #"{"tools":[{"name":"a"}],"nextCursor":"second"}"#)
                : Self.json(question.id, #"{"tools":[{"name":"b"}]}"#)
        }) { port, requests in
            let place = MCPServer.Place.address("http://127.0.0.1:\(port)/", headers: [])
            let room = try MCPRoom(
                [try MCPServer(name: "web", place: place)],
                version: "1",
                logger: Logger(label: "test")
            )
            try await room.withServers {
                #expect(await room.tools().map(\.declaration.name) == ["a", "b"])
            }
            #expect(asked.withLock { $0 } == ["", "second"])
            #expect(!requests().contains { $0.method == .DELETE }, "there is no session to end")
        }
    }
}
