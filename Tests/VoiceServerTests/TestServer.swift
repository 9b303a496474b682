internal import Foundation
internal import Logging
internal import Testing
internal import Transports
internal import VoiceCore

@testable internal import VoiceServer

/// A server on a port chosen by the system, with a page of three files.
struct TestServer {
    static let models = ModelNames(vad: "v", turn: "t", asr: "a", llm: "l", tts: "s")

    /// Runs a server around `body`, then stops it; the server must end without a failure.
    ///
    /// - Parameter session: one conversation; by default everything heard is said again.
    static func run(
        _ configure: (inout VoiceServer.Configuration) -> Void = { _ in },
        clock: any SessionClock = SystemClock(),
        session: @escaping @Sendable (any Transport, SessionInfo) async throws -> Void = { transport, _ in
            try await echo(transport)
        },
        _ body: (Int) async throws -> Void
    ) async throws {
        var configuration = VoiceServer.Configuration(port: 0, playgroundDirectory: try page())
        configure(&configuration)
        let server = VoiceServer(
            configuration: configuration,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            clock: clock,
            describe: { ServerDescription(version: "1.2.3", models: models, advice: "get a better one") },
            runSession: session
        )
        try await withRunning({ try await server.run(onReady: $0) }, body)
    }

    /// Says again what it hears: audio as reply 1, text as a transcript.
    static func echo(_ transport: any Transport) async throws {
        for await event in transport.events {
            switch event {
            case .audio(let frame): try await transport.send(.audio(PlayoutFrame(epoch: 1, audio: frame)))
            case .text(let text):
                try await transport.send(.event(.userTranscript(turn: 1, text: text, isFinal: true)))
            case .typed(let message): try await transport.send(.event(.error(code: "typed", message: message.text)))
            case .played(let epoch, _): try await transport.send(.cut(epoch: epoch))
            case .interrupt: throw VoiceError(.fault, "the engine broke")
            case .cancelJob(let id): try await transport.send(.event(.error(code: "cancel", message: id)))
            case .farewell(let text):
                return try await transport.send(.event(.error(code: "farewell", message: text)))
            }
        }
    }

    private static func page() throws -> String {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("page-\(UUID().uuidString)")
        try FileManager.default.createDirectory(
            at: folder.appendingPathComponent("audio"),
            withIntermediateDirectories: true
        )
        for (name, content) in [
            "index.html": "<title>page</title>", "audio/capture.js": "export {}", ".hidden": "secret",
            "style.css": "a{}",
        ] {
            try Data(content.utf8).write(to: folder.appendingPathComponent(name))
        }
        return folder.path
    }

    /// Moves a clock in steps of the server's tick, each once the server waits for it.
    static func move(_ clock: ManualClock, by duration: Duration, step: Duration = .milliseconds(250)) async {
        let end = clock.now + duration
        while clock.now < end {
            while clock.sleeperCount == 0 { await Task.yield() }
            clock.advance(by: step)
        }
    }
}

/// Runs a server around `body`, which gets its port, then stops it; the server must end without a failure.
func withRunning(
    _ run: @escaping @Sendable (_ onReady: @escaping @Sendable (Endpoint) async -> Void) async throws -> Void,
    _ body: (Int) async throws -> Void
) async throws {
    let (endpoints, continuation) = AsyncStream.makeStream(of: Endpoint.self)
    try await withThrowingTaskGroup { group in
        group.addTask {
            defer { continuation.finish() }
            try await run { continuation.yield($0) }
        }
        var iterator = endpoints.makeAsyncIterator()
        if let endpoint = await iterator.next() { try await body(endpoint.port) }
        group.cancelAll()
        try await group.waitForAll()
    }
}
