internal import ArgumentParser
internal import CoreMetrics
internal import Logging
internal import ServiceLifecycle
internal import VoiceCore
internal import VoiceServer

/// The recogniser alone, as a network service.
struct ServeASRCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve-asr",
        abstract: "Speech recognition as a service: a WebSocket and OpenAI's endpoint; prints the address when ready."
    )

    @OptionGroup var global: GlobalOptions

    @Option(help: "The address to listen on.")
    var host = "127.0.0.1"

    @Option(help: "The port; 0 takes a free one.")
    var port = 8080

    @Option(
        help:
            "The recogniser: a name in the catalogue, a GGUF file, or pocketsphinx; without it the best that is there."
    )
    var model: String?

    @Option(help: "Processor threads of the recogniser.")
    var threads: Int?

    @Option(
        help: "Frames of 80 ms that a streaming FastConformer may look ahead unless a client asks for another number."
    )
    var lookahead: Int?

    @Option(help: "The most sessions at a time.")
    var sessions = 16

    mutating func validate() throws {
        if !(0...65_535).contains(port) { throw ValidationError("--port is from 0 to 65535, not \(port).") }
        if !(1...1_024).contains(sessions) { throw ValidationError("--sessions is from 1 to 1024, not \(sessions).") }
        if let threads, !(1...256).contains(threads) {
            throw ValidationError("--threads is from 1 to 256, not \(threads).")
        }
    }

    func run() async throws {
        let metrics = PrometheusRegistry()
        // Once in a process, so here.
        MetricsSystem.bootstrap(metrics)
        let clock = SystemClock()
        let recognizer = try await EngineRoom(store: global.store, settings: Settings())
            .recognizer(model: model, streams: sessions, threads: threads)
        let options = RecognitionOptions(lookahead: lookahead)
        // What the recogniser does not offer is said now, not to every client.
        _ = try await recognizer.openStream(options)
        let server = RecognitionServer(
            recognizer: recognizer,
            version: Version.current,
            configuration: RecognitionServer.Configuration(
                host: host,
                port: port,
                maxSessions: sessions,
                options: options
            ),
            metrics: metrics,
            logger: global.logger(standard: .info),
            clock: clock
        )
        let service = RecognitionService(server: server, model: recognizer.name, startup: clock.now)
        try await ServiceGroup.run(service)
    }
}

/// The server as a service: a signal ends it.
private struct RecognitionService: Service {
    let server: RecognitionServer
    let model: String
    /// From the process's start until the recogniser was loaded.
    let startup: Duration

    func run() async throws {
        try await cancelWhenGracefulShutdown {
            try await server.run { endpoint in
                StandardOutput.write("Repartee recognises speech at \(endpoint.url) (stop with Ctrl-C)\n")
                StandardError.print("\(model) loaded in \(Int(startup.milliseconds)) ms")
            }
        }
    }
}
