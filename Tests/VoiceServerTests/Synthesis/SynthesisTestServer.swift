internal import Foundation
internal import Logging
internal import NIOCore
internal import Testing
internal import Transports
internal import VoiceCore
internal import VoiceTesting

@testable internal import VoiceServer

/// A synthesis server on a port chosen by the system. Its voices are `one`, which is given, and `two`; it sends as fast as they speak.
enum SynthesisTestServer {
    /// Runs a server around `body`, then stops it; the server must end without a failure.
    static func run(
        _ voice: CountingSynthesizer,
        _ configure: (inout SynthesisServer.Configuration) -> Void = { _ in },
        aliases: [String: String] = [:],
        clock: any SessionClock = SystemClock(),
        _ body: (Int) async throws -> Void
    ) async throws {
        var configuration = SynthesisServer.Configuration(port: 0, rate: nil)
        configuration.limits.closeTimeout = .milliseconds(50)
        configuration.speed = nil
        configure(&configuration)
        let server = SynthesisServer(
            voices: try voices(voice, aliases: aliases),
            version: "1.2.3",
            configuration: configuration,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            clock: clock
        )
        try await withRunning({ try await server.run(onReady: $0) }, body)
    }

    /// The voices: `one`, and `two`, which also speaks German.
    static func voices(_ voice: CountingSynthesizer, aliases: [String: String] = [:]) throws -> VoiceTable {
        try VoiceTable(
            [
                ServedVoice(name: "one", synthesizer: voice),
                ServedVoice(
                    name: "two",
                    synthesizer: CountingSynthesizer(sampleRate: .wideband),
                    languages: ["en", "de"]
                ),
            ],
            aliases: aliases
        )
    }
}

/// What came of a stream.
struct HeardStream {
    /// The messages about it.
    var messages: [String] = []
    /// Bytes of audio.
    var audio = 0

    /// The last message of a type.
    func message(_ type: String) -> JSONValue? {
        messages.compactMap { JSONValue(json: $0) }.last { $0["type"]?.text == type }
    }
}

extension RawClient {
    /// Connects as the reference's clients do, and runs `body`.
    static func synthesis(
        on port: Int,
        receiveBuffer: Int? = nil,
        _ body: (inout RawClient) async throws -> Void
    ) async throws {
        try await webSocket(to: port, path: "/ws/tts/stream", receiveBuffer: receiveBuffer, body)
    }

    /// Reads up to a message of a type, that included, or to the end.
    mutating func hear(until type: String) async -> HeardStream {
        var heard = HeardStream()
        while true {
            switch await frame() {
            case .text(let text):
                heard.messages.append(text)
                if text.contains(#""type":"\#(type)""#) { return heard }
            case .binary(let bytes): heard.audio += bytes.count
            case .close, .end: return heard
            case .ping, .pong: break
            }
        }
    }

    func say(_ text: String, _ more: String = "") async throws {
        try await sendText(#"{"type":"text","text":"\#(text)"\#(more)}"#)
    }
}
