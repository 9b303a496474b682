internal import Logging
internal import Testing
internal import VoiceCore
internal import VoiceTesting

@testable internal import VoiceServer

/// A completion server on a port chosen by the system.
enum CompletionTestServer {
    /// Runs a server around `body`, then stops it; the server must end without a failure.
    static func run(
        _ model: any LanguageModel,
        _ configure: (inout CompletionServer.Configuration) -> Void = { _ in },
        clock: any SessionClock = SystemClock(),
        _ body: (Int) async throws -> Void
    ) async throws {
        var configuration = CompletionServer.Configuration(port: 0)
        configure(&configuration)
        let server = CompletionServer(
            model: model,
            version: "1.2.3",
            configuration: configuration,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            clock: clock
        )
        try await withRunning({ try await server.run(onReady: $0) }, body)
    }

    /// A model that says these tokens to everything, at once.
    static func model(saying tokens: [String]) -> ScriptedLanguageModel {
        ScriptedLanguageModel(clock: SystemClock(), timePerToken: .zero) { _ in tokens }
    }

    /// A model that answers by these events, at once.
    static func model(events: [ReplyEvent]) -> ScriptedLanguageModel {
        ScriptedLanguageModel(clock: SystemClock(), timePerToken: .zero) { _, _ in events }
    }
}

extension RawClient {
    /// A request for a reply.
    static func completionRequest(_ body: String, headers: String = "") -> String {
        "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\(headers)"
            + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }

    /// Asks for a reply to "Hi" and reads the whole of it.
    /// - Parameter more: further members of the request.
    mutating func completion(_ more: String = "", headers: String = "") async throws -> (reply: Reply, json: JSONValue?)
    {
        try await send(Self.completionRequest(Self.greeting(more), headers: headers))
        let reply = try await reply()
        return (reply, JSONValue(json: reply.body))
    }

    /// Asks for a stream and reads all of it: the data of its events.
    mutating func stream(_ more: String = "") async throws -> [String] {
        try await send(Self.completionRequest(Self.greeting(#","stream":true"# + more)))
        let head = try await reply(hasBody: false)
        #expect(head.status == 200)
        #expect(head.headers["content-type"] == "text/event-stream")
        let content = try #require(await chunks())
        return content.split(separator: "\n\n").map { event in
            #expect(event.hasPrefix("data: "))
            return String(event.dropFirst(6))
        }
    }

    static func greeting(_ more: String) -> String { #"{"messages":[{"role":"user","content":"Hi"}]\#(more)}"# }
}
