internal import ArgumentParser
internal import Cluster
internal import Conversation
internal import Foundation
internal import Inference
internal import Logging
internal import CoreMetrics
internal import SpeechSynthesis
internal import Tools
internal import Transports
internal import VoiceCore
internal import VoiceServer

/// The agent with its page.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "The agent with its playground; prints the address when ready."
    )

    @OptionGroup var global: GlobalOptions
    @OptionGroup var agent: AgentOptions

    @Option(help: "The address to listen on (127.0.0.1 unless the configuration says otherwise).")
    var host: String?

    @Option(help: "The port (7860 unless the configuration says otherwise); 0 takes a free one.")
    var port: Int?

    @Option(help: "The most conversations at a time (4 unless the configuration says otherwise).")
    var maxSessions: Int?

    @Option(
        help: ArgumentHelp(
            "An IP address under which people reach this machine's WebRTC port; may be given several times.",
            valueName: "address"
        )
    )
    var publicAddress: [String] = []

    @Option(help: ArgumentHelp("The Redis of the cluster that this is a worker of.", valueName: "url"))
    var cluster: String?

    @Option(help: "This worker's name in the cluster (the host's name and the port unless said otherwise).")
    var worker: String?

    @Option(
        help: ArgumentHelp(
            "Host and port by which the cluster's edge and other workers reach this one.",
            valueName: "host:port"
        )
    )
    var workerAddress: String?

    @Option(
        help: ArgumentHelp(
            "For how long conversations may go on after SIGTERM (3600 unless the configuration says otherwise).",
            valueName: "seconds"
        )
    )
    var drainTimeout: Int?

    @Flag(help: "Let everybody talk, from other machines too, without an API key.")
    var insecurePublic = false

    mutating func validate() throws {
        if let port, !(0...65_535).contains(port) { throw ValidationError("--port is from 0 to 65535, not \(port).") }
        if let maxSessions, !(1...10_000).contains(maxSessions) {
            throw ValidationError("--max-sessions is from 1 to 10000, not \(maxSessions).")
        }
    }

    func run() async throws {
        var settings = try agent.settings()
        settings.door.redis = cluster ?? settings.door.redis
        settings.door.worker = worker ?? settings.door.worker
        settings.door.workerAddress = workerAddress ?? settings.door.workerAddress
        if let drainTimeout { settings.door.drainTimeout = .seconds(drainTimeout) }
        if let maxSessions { settings.maxSessions = maxSessions }
        DescriptorLimit.raise()
        let logger = global.logger(standard: .info)
        warnOfRecording(logger)
        let clock = SystemClock()
        let trace = try agent.traceFile()
        defer { trace?.close() }
        let room = EngineRoom(store: global.store, settings: settings, clock: clock, trace: trace, logger: logger)
        async let _ = room.pools.run()
        let engines = try await room.engines(sessions: settings.maxSessions)
        let servers = try settings.mcpRoom(environment: ProcessInfo.processInfo.environment, logger: logger)
        try await servers.withServers {
            let outfit = try await Outfit(room, engines, servers: servers, clock: clock)
            try await serve(engines, outfit, settings, room: room, clock: clock, trace: trace, logger: logger)
        }
    }

    private func serve(
        _ engines: Engines,
        _ outfit: Outfit,
        _ settings: Settings,
        room: EngineRoom,
        clock: SystemClock,
        trace: TraceFile?,
        logger: Logger
    ) async throws {
        let advice = RecognizerAdvice.text(for: engines.recognizer)
        if settings.voice.name == nil, engines.synthesizer is PiperSynthesizer {
            StandardError.print(
                "the voice joe is CC0 by its card and was finetuned from one under a research licence; 'voice: {name: slt}' is free of that"
            )
        }
        var configuration = VoiceServer.Configuration(
            host: host ?? settings.host,
            port: port ?? settings.port,
            maxSessions: settings.maxSessions,
            maxConnections: DescriptorLimit.connections(for: settings.maxSessions),
            allowedOrigins: settings.allowedOrigins
        )
        configuration.publicURL = settings.publicURL.isEmpty ? nil : settings.publicURL
        configuration.webRTC = settings.webRTCSettings(environment: ProcessInfo.processInfo.environment)
        if !publicAddress.isEmpty { configuration.webRTC?.publicAddresses = publicAddress }
        configuration.pipecatRate = settings.pipecatRate.rate
        configuration.telephony = settings.telephonyAccounts(environment: ProcessInfo.processInfo.environment)
        configuration.allowsStrangers = insecurePublic
        configuration.load = { [lane = room.lane] in lane.utilisation() }
        configuration.whenQuiet = { FreeMemory.giveBack() }
        try settings.door.apply(to: &configuration, environment: ProcessInfo.processInfo.environment)
        MetricsSystem.bootstrap(configuration.metrics)
        let directory = try settings.door.directory(of: &configuration, clock: clock, logger: logger)
        let server = VoiceServer(
            configuration: configuration,
            logger: logger,
            clock: clock,
            describe: { ServerDescription(version: Version.current, models: engines.names, advice: advice) },
            runSession: { transport, session in
                let conversation = Conversation(
                    engines: engines,
                    configuration: outfit.configuration,
                    clock: clock,
                    logger: session.logger,
                    trace: trace?.sink,
                    name: "session \(session.id)",
                    past: session.past
                )
                let report = try await conversation.run(over: transport)
                session.report(report)
                session.logger.info(
                    "Session ended",
                    metadata: [
                        "turns": "\(report.summary.turns)",
                        "v2v.p50.ms": "\(Int(report.summary.voiceToVoice.p50.rounded()))",
                        "v2v.p90.ms": "\(Int(report.summary.voiceToVoice.p90.rounded()))",
                    ]
                )
            }
        )
        let startup = clock.now
        try await Draining.run(drain: { server.drain() }) {
            async let _ = directory?.run()
            try await server.run { endpoint in
                StandardOutput.write("Repartee is ready: open \(endpoint.url) (stop with Ctrl-C)\n")
                StandardError.print(
                    "engines loaded in \(Int(startup.milliseconds)) ms; \(engines.names.asr) recognises speech"
                )
                if let advice { StandardError.print(advice) }
            }
            // The server has told the others that it goes; what is left of the directory's work is cancelled here.
        }
    }

    /// A setting of another stack that this version cannot follow is said aloud, not ignored.
    private func warnOfRecording(_ logger: Logger) {
        guard ProcessInfo.processInfo.environment["ENABLE_RECORDING"] != nil else { return }
        logger.warning("This version records nothing: ENABLE_RECORDING has no effect")
    }
}

extension Engines {
    /// The engines' names, for pages and reports.
    var names: ModelNames {
        ModelNames(
            vad: voiceActivity.name,
            turn: turnDetector.name,
            asr: recognizer.name,
            llm: languageModel.name,
            tts: synthesizer.name
        )
    }
}
