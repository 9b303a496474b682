internal import ArgumentParser
internal import CoreMetrics
internal import Logging
internal import ServiceLifecycle
internal import VoiceCore
internal import VoiceServer

/// The voices alone, as a network service.
struct ServeTTSCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve-tts",
        abstract: "Speech synthesis as a service: a WebSocket and OpenAI's endpoint; prints the address when ready."
    )

    @OptionGroup var global: GlobalOptions

    @Option(help: "The address to listen on.")
    var host = "127.0.0.1"

    @Option(help: "The port; 0 takes a free one.")
    var port = 8001

    @Option(name: .customLong("config"), help: "A YAML file with settings, of which those of the voice are followed.")
    var settingsFile: String?

    @Option(
        help:
            "The voice that speaks unless a client asks for another, see 'say --list-voices'; without it that of the settings."
    )
    var voice: String?

    @Option(help: "Another name for a voice, as NAME=VOICE; may be given several times.")
    var voiceAlias: [String] = []

    @Option(help: "The rate of the audio for clients that ask for none, in hertz; 0 for the voice's own.")
    var sampleRate = SynthesisServer.Configuration.referenceRate.hertz

    @Option(help: "The most sessions at a time.")
    var sessions = 16

    mutating func validate() throws {
        if !(0...65_535).contains(port) { throw ValidationError("--port is from 0 to 65535, not \(port).") }
        if !(1...1_024).contains(sessions) { throw ValidationError("--sessions is from 1 to 1024, not \(sessions).") }
        if sampleRate != 0, !(8_000...48_000).contains(sampleRate) {
            throw ValidationError("--sample-rate is 0 or from 8000 to 48000, not \(sampleRate).")
        }
        for alias in voiceAlias where !alias.dropFirst().dropLast().contains("=") {
            throw ValidationError("--voice-alias is NAME=VOICE, not '\(alias)'.")
        }
    }

    func run() async throws {
        let metrics = PrometheusRegistry()
        // Once in a process, so here.
        MetricsSystem.bootstrap(metrics)
        let clock = SystemClock()
        let voices = try await voices()
        let server = SynthesisServer(
            voices: voices,
            version: Version.current,
            configuration: SynthesisServer.Configuration(
                host: host,
                port: port,
                maxSessions: sessions,
                rate: sampleRate == 0 ? nil : SampleRate(sampleRate)
            ),
            metrics: metrics,
            logger: global.logger(standard: .info),
            clock: clock
        )
        let service = SynthesisService(server: server, voice: voices.standard.name, startup: clock.now)
        try await ServiceGroup.run(service)
    }

    private func voices() async throws(VoiceError) -> VoiceTable {
        var settings = Settings()
        if let settingsFile { settings = try SettingsFile.read(path: settingsFile) }
        if let voice { settings.voice.name = voice }
        let room = EngineRoom(store: global.store, settings: settings)
        let (voices, standard) = try await room.servedVoices(streams: sessions)
        var aliases: [String: String] = [:]
        for alias in voiceAlias {
            let parts = alias.split(separator: "=", maxSplits: 1).map(String.init)
            aliases[parts[0]] = parts[1]
        }
        return try VoiceTable(voices, standard: standard, aliases: aliases)
    }
}

/// The server as a service: a signal ends it.
private struct SynthesisService: Service {
    let server: SynthesisServer
    let voice: String
    /// From the process's start until the voices were loaded.
    let startup: Duration

    func run() async throws {
        try await cancelWhenGracefulShutdown {
            try await server.run { endpoint in
                StandardOutput.write("Repartee speaks at \(endpoint.url) (stop with Ctrl-C)\n")
                StandardError.print("\(voice) loaded in \(Int(startup.milliseconds)) ms")
            }
        }
    }
}
