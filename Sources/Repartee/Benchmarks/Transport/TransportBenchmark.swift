internal import ArgumentParser
internal import Foundation
internal import Logging
internal import Transports
internal import VoiceCore
internal import VoiceServer

/// Audio by WebRTC through the real server with an echo behind it: processor time, memory and round trip.
struct TransportBenchmark: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "transport",
        abstract: "WebRTC with an echo behind it: round trip, processor time and memory a session.",
        discussion: """
            The server is a process of its own without models; people are Benchmarks/peers/client.py of the checkout that this binary \
            was built in, and need the Python environment of scripts/pipecat-environment, which is made when it is not there. \
            --pipecat measures Pipecat's server in turn with ours.
            """
    )

    /// What `Benchmarks/peers/compare.py --json` writes, as far as it is passed on.
    private struct Comparison: Decodable {
        var settings: Options
        var results: [Row]
    }

    private struct Options: Codable {
        var seconds: Double
        var warm_up: Double
        var rounds: Int
        var chunks: Int
        var python: String
    }

    private struct Row: Codable {
        var server: String
        var sessions: Int
        /// From a tone's packet to the first packet with its echo.
        var round_trip_ms: LatencyFigures
        /// From a tone to its echo, packets being spoken and played in the moment they leave and come.
        var sound_ms: LatencyFigures
        /// Cores; the median of the rounds.
        var cpu_per_session: Double
        var rss_mb: Double
        /// Memory before the first session.
        var idle_mb: Double
        /// Tones without an echo.
        var lost: Int
        /// What a session got; 50 where the server kept up.
        var packets_per_s: Double
        var p50_of_rounds_ms: [Double?]
        var cpu_of_rounds: [Double]
        var client_cores: Double
        /// How late the client was with its own work, the worst round's 99th percentile.
        var client_lag_p99_ms: Double
        /// What programs took that are not measured, in the worst round.
        var other_cores: Double
    }

    @OptionGroup var global: GlobalOptions

    @Option(help: "Sessions at a time, with commas between.")
    var sessions = "1,4,16"

    @Option(help: "How long each number of sessions is measured, in seconds.")
    var seconds = 20

    @Option(help: "Rounds: each measures all numbers of sessions once.")
    var rounds = 3

    @Flag(help: "Measure Pipecat's server, too.")
    var pipecat = false

    @Flag(help: "Print one JSON object.")
    var json = false

    @Option(help: ArgumentHelp("Only serve the echo, on this port.", visibility: .hidden))
    var serve: Int?

    mutating func validate() throws {
        guard (2...600).contains(seconds) else { throw ValidationError("--seconds is from 2 to 600, not \(seconds).") }
        guard (1...20).contains(rounds) else { throw ValidationError("--rounds is from 1 to 20, not \(rounds).") }
        if let serve, !(0...65_535).contains(serve) {
            throw ValidationError("--serve is from 0 to 65535, not \(serve).")
        }
        let counts = sessions.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) ?? 0 }
        guard counts.allSatisfy((1...256).contains) else {
            throw ValidationError("--sessions is numbers from 1 to 256 with commas between, not '\(sessions)'.")
        }
    }

    func run() async throws {
        if let serve { return try await self.serve(on: serve) }
        let script = try CheckoutProgram.url("Benchmarks/peers/run", doing: "people to talk to by WebRTC")
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("repartee-\(UUID().uuidString).json")
        defer { try? FileManager.default.removeItem(at: file) }
        try await compare(script, into: file)
        guard json else { return }
        let comparison = try JSONDecoder().decode(Comparison.self, from: try Data(contentsOf: file))
        try StandardOutput.write(
            json: BenchmarkReport(name: "transport", settings: comparison.settings, results: comparison.results)
        )
    }

    // MARK: - the server

    /// Serves the echo until a signal ends it.
    private func serve(on port: Int) async throws {
        let none = "none"
        let clock = SystemClock()
        let server = VoiceServer(
            configuration: VoiceServer.Configuration(port: port, maxSessions: 256, maxConnections: 1_024),
            logger: global.logger(),
            clock: clock,
            describe: {
                ServerDescription(
                    version: Version.current,
                    models: ModelNames(vad: none, turn: none, asr: none, llm: none, tts: none)
                )
            },
            runSession: { transport, session in
                // Where conversations run.
                let skipped = await withTaskExecutorPreference(transport.executor ?? globalConcurrentExecutor) {
                    var echo = EchoSession(transport: transport, clock: transport.executor.map(clock.on) ?? clock)
                    await echo.run()
                    return echo.skipped
                }
                session.logger.info("echo ended", metadata: ["frames.skipped": "\(skipped)"])
            }
        )
        try await Interruptible.run {
            try await server.run { StandardOutput.write("An echo is at \($0.url)\n") }
        }
    }

    // MARK: - the comparison

    /// Runs the comparison; its table goes to standard output unless JSON is wanted.
    private func compare(_ script: URL, into file: URL) async throws(VoiceError) {
        let status = try await CheckoutProgram.run(
            script,
            [
                "--sides", pipecat ? "repartee,pipecat" : "repartee", "--sessions", sessions, "--seconds", "\(seconds)",
                "--rounds", "\(rounds)", "--json", file.path,
            ],
            environment: ["REPARTEE": CheckoutProgram.binary.path],
            speaks: !json
        )
        guard status == 0 else { throw VoiceError(.unavailable, "the measurement failed, as said above") }
    }
}
