internal import ArgumentParser
internal import Logging
internal import VoiceCore

/// Options of every command.
struct GlobalOptions: ParsableArguments {
    @Option(
        name: .customLong("log-level"),
        help: "trace, debug, info, notice, warning, error or critical.",
        transform: Self.level
    )
    var logLevel: Logger.Level?

    @Option(name: .customLong("models"), help: "The folder of the models.")
    var modelsDirectory: String?

    /// Where models are looked for.
    var store: ModelStore { ModelStore(directory: modelsDirectory) }

    private static func level(_ name: String) throws -> Logger.Level {
        guard let level = Logger.Level(rawValue: name) else {
            let names = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("There is no log level '\(name)'; choose one of \(names).")
        }
        return level
    }

    /// The logger of this command: lines on standard error.
    ///
    /// - Parameter standard: the level when the person chose none.
    func logger(standard: Logger.Level = .warning) -> Logger {
        var logger = Logger(label: "repartee", factory: StreamLogHandler.standardError(label:))
        logger.logLevel = logLevel ?? standard
        return logger
    }
}

/// The options of commands that run an agent.
struct AgentOptions: ParsableArguments {
    @Option(name: .customLong("config"), help: "A YAML file with settings; docs/configuration.md lists them.")
    var settingsFile: String?

    @Option(help: "A JSON file for a trace: what the device computed and who spoke when; ui.perfetto.dev shows it.")
    var trace: String?

    @Option(
        help: ArgumentHelp(
            "models, or scripted: engines that compute nothing, for tests of everything else.",
            visibility: .hidden
        )
    )
    var engines: EngineChoice?

    /// The trace's file, if one is wanted.
    func traceFile() throws(VoiceError) -> TraceFile? {
        guard let trace else { return nil }
        return try TraceFile(path: trace)
    }

    /// The settings of the file, or the defaults.
    func settings() throws(VoiceError) -> Settings {
        var settings = Settings()
        if let path = settingsFile ?? VoiceAgent.settingsFile { settings = try SettingsFile.read(path: path) }
        if let engines { settings.engines = engines }
        return settings
    }
}
