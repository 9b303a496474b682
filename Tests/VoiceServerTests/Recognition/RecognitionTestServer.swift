internal import Foundation
internal import Logging
internal import NIOCore
internal import Testing
internal import Transports
internal import VoiceCore

@testable internal import VoiceServer

/// A recognition server on a port chosen by the system.
enum RecognitionTestServer {
    /// Runs a server around `body`, then stops it; the server must end without a failure.
    static func run(
        _ recognizer: any SpeechRecognizer,
        _ configure: (inout RecognitionServer.Configuration) -> Void = { _ in },
        clock: any SessionClock = SystemClock(),
        _ body: (Int) async throws -> Void
    ) async throws {
        var configuration = RecognitionServer.Configuration(port: 0)
        configuration.limits.closeTimeout = .milliseconds(50)
        configure(&configuration)
        let server = RecognitionServer(
            recognizer: recognizer,
            version: "1.2.3",
            configuration: configuration,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            clock: clock
        )
        try await withRunning({ try await server.run(onReady: $0) }, body)
    }

    /// Asks for `/metrics` until the text is as wished.
    static func expectMetrics(on port: Int, _ isFine: (String) -> Bool) async throws {
        try await expect("/metrics", on: port, isFine)
    }

    /// Asks for a page until it is as wished; the suite's time limit ends the wait.
    static func expect(_ path: String, on port: Int, _ isFine: (String) -> Bool) async throws {
        while true {
            var body = ""
            try await RawClient.connect(to: port) { body = try await $0.get(path).body }
            if isFine(body) { return }
            await Task.yield()
        }
    }

    /// A WAV file of silence.
    static func wav(samples: Int, rate: Int = 16_000) -> [UInt8] {
        func number(_ value: Int, _ width: Int) -> [UInt8] { (0..<width).map { UInt8(value >> (8 * $0) & 0xff) } }
        return Array("RIFF".utf8) + number(36 + 2 * samples, 4) + Array("WAVEfmt ".utf8) + number(16, 4) + number(1, 2)
            + number(1, 2) + number(rate, 4) + number(2 * rate, 4) + number(2, 2) + number(16, 2) + Array("data".utf8)
            + number(2 * samples, 4) + [UInt8](repeating: 0, count: 2 * samples)
    }
}

extension RawClient {
    /// Connects as the reference's clients do, waits for `ready`, runs `body`.
    static func recognition(
        on port: Int,
        receiveBuffer: Int? = nil,
        _ body: (inout RawClient) async throws -> Void
    ) async throws {
        try await webSocket(to: port, receiveBuffer: receiveBuffer) { client in
            #expect(await client.frame() == .text(#"{"type":"ready"}"#))
            try await body(&client)
        }
    }

    /// The sending half, for a task beside the one that reads.
    struct Writer: Sendable {
        let channel: any Channel

        func sendText(_ text: String) async throws {
            try await channel.writeAndFlush(ByteBuffer(bytes: frame(1, Array(text.utf8))))
        }

        /// Sends so much silence at 16 kHz.
        func sendSilence(_ samples: Int) async throws {
            let bytes = frame(2, [UInt8](repeating: 0, count: 2 * samples))
            try await channel.writeAndFlush(ByteBuffer(bytes: bytes))
        }
    }

    var writer: Writer { Writer(channel: channel) }

    func sendBytes(_ bytes: [UInt8]) async throws { try await send(Self.frame(2, bytes)) }

    func sendSilence(_ samples: Int) async throws { try await writer.sendSilence(samples) }

    /// The next final transcript's JSON; nil if the connection ends before.
    mutating func final() async -> String? {
        while true {
            switch await frame() {
            case .text(let text) where text.contains(#""is_final":true"#): return text
            case .end, .close: return nil
            default: break
            }
        }
    }

    /// The JSON of a final transcript of the reference's form.
    static func final(words: Int, isHard: Bool = true) -> String {
        let text = words == 0 ? "" : (1...words).map { "w\($0)" }.joined(separator: " ")
        return #"{"finalize":\#(isHard),"is_final":true,"text":"\#(text)","type":"transcript"}"#
    }

    /// Content that comes in chunks, after ``reply(hasBody:)`` has read the head.
    mutating func chunks() async -> String? {
        var content = ""
        while let size = await line().flatMap({ Int($0, radix: 16) }) {
            guard let chunk = await bytes(size), await line() == "" else { return nil }
            if size == 0 { return content }
            content += String(decoding: chunk, as: UTF8.self)
        }
        return nil
    }
}
