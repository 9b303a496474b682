internal import ArgumentParser
internal import CoreMetrics
internal import Foundation
internal import LanguageModels
internal import Logging
internal import ServiceLifecycle
internal import VoiceCore
internal import VoiceServer

/// The language model alone, as a network service.
struct ServeLLMCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve-llm",
        abstract: "A language model as a service with OpenAI's interface; prints the address when ready."
    )

    @OptionGroup var global: GlobalOptions

    @Option(help: "The address to listen on.")
    var host = "127.0.0.1"

    @Option(help: "The port; 0 takes a free one.")
    var port = 8000

    @Option(
        name: .customLong("config"),
        help: "A YAML file with settings, of which those of the language model are followed."
    )
    var settingsFile: String?

    @Option(help: "The model: a name in the catalogue or a GGUF file; without it that of the settings.")
    var model: String?

    @Option(help: "Another name that clients may ask for the model by; may be given several times.")
    var alias: [String] = []

    @Option(help: "Processor threads of the model.")
    var threads: Int?

    @Option(help: "Tokens of a conversation, prompt and reply together (2048 unless the settings say otherwise).")
    var context: Int?

    @Option(help: "Conversations that are remembered, and replies that are made at the same time.")
    var chats = 4

    @Option(help: "Requests that may wait for a chat.")
    var queue = 16

    @Option(
        help:
            "A key that clients have to send; better given as REPARTEE_API_KEY, which other users of the machine cannot see."
    )
    var apiKey: String?

    mutating func validate() throws {
        if !(0...65_535).contains(port) { throw ValidationError("--port is from 0 to 65535, not \(port).") }
        if !(1...64).contains(chats) { throw ValidationError("--chats is from 1 to 64, not \(chats).") }
        if !(0...1_024).contains(queue) { throw ValidationError("--queue is from 0 to 1024, not \(queue).") }
        if let threads, !(1...256).contains(threads) {
            throw ValidationError("--threads is from 1 to 256, not \(threads).")
        }
        if let context, !(256...1_048_576).contains(context) {
            throw ValidationError("--context is from 256 to 1048576, not \(context).")
        }
    }

    func run() async throws {
        let metrics = PrometheusRegistry()
        // Once in a process, so here.
        MetricsSystem.bootstrap(metrics)
        let clock = SystemClock()
        let engine = try await EngineRoom(store: global.store, settings: settings()).localLanguageModel(chats: chats)
        let server = CompletionServer(
            model: engine,
            version: Version.current,
            configuration: CompletionServer.Configuration(
                host: host,
                port: port,
                chats: chats,
                waiting: queue,
                aliases: alias,
                key: key
            ),
            metrics: metrics,
            logger: global.logger(standard: .info),
            clock: clock
        )
        try await ServiceGroup.run(CompletionService(server: server, model: engine.name, startup: clock.now))
    }

    private func settings() throws(VoiceError) -> Settings {
        var settings = Settings()
        if let settingsFile { settings = try SettingsFile.read(path: settingsFile) }
        if let model { settings.languageModel = model }
        if let threads { settings.languageModelConfiguration.threads = threads }
        if let context { settings.languageModelConfiguration.contextLength = context }
        return settings
    }

    /// The option goes before the variable; an empty one is none.
    private var key: String? {
        let key = apiKey ?? ProcessInfo.processInfo.environment["REPARTEE_API_KEY"] ?? ""
        return key.isEmpty ? nil : key
    }
}

/// The server as a service: a signal ends it.
private struct CompletionService: Service {
    let server: CompletionServer
    let model: String
    /// From the process's start until the model was loaded.
    let startup: Duration

    func run() async throws {
        try await cancelWhenGracefulShutdown {
            try await server.run { endpoint in
                StandardOutput.write("Repartee replies at \(endpoint.url) (stop with Ctrl-C)\n")
                StandardError.print("\(model) loaded in \(Int(startup.milliseconds)) ms")
            }
        }
    }
}
