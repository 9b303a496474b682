internal import ArgumentParser
internal import Conversation
internal import Evaluation
internal import Foundation
internal import SpeechSynthesis
internal import Tools
internal import Transports
internal import VoiceCore
internal import WebSocketClient

/// Scripted conversations: say this, expect that within so many milliseconds.
struct EvalScriptCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "script",
        abstract: "Scripted conversations in the format of Pipecat's evals: say this, expect that in time.",
        discussion: """
            Plays each scenario with the agent of --config, in this process, or with the one at --url, and says what was not as expected. The exit status is 0 if \
            every scenario passed, and 1 if one failed or was skipped. docs/eval-scripts.md describes the files.
            """
    )

    @OptionGroup var global: GlobalOptions
    @OptionGroup var agent: AgentOptions
    @OptionGroup var judging: JudgeOptions

    @Argument(help: "Scenario files, or folders of them.")
    var files: [String]

    @Option(
        help:
            "A server that speaks RTVI in Pipecat's frames, instead of an agent in this process: ws://localhost:7860/ws-client."
    )
    var url: String?

    @Option(help: "How often each scenario is run.")
    var `repeat` = 1

    @Option(help: "How many run at the same time. More than one makes an agent slower, and its times with it.")
    var parallel = 1

    @Option(help: "Milliseconds that an expectation without 'within_ms' has.")
    var timeoutMs = 60_000

    @Option(help: "The flite voice of a person who speaks.")
    var userVoice = FliteVoice.slt.rawValue

    @Option(help: "A JSON file for everything that happened; '-' for standard output.")
    var report: String?

    @Flag(help: "Everything that happened as one JSON object on standard output.")
    var json = false

    @Option(help: "A file for the results in JUnit's XML.")
    var junit: String?

    @Flag(help: "Skipped scenarios do not change the exit status.")
    var allowSkipped = false

    @Flag(help: "Only reads the files and prints what they mean, as JSON.")
    var parse = false

    mutating func validate() throws {
        guard (1...1000).contains(self.repeat) else { throw ValidationError("--repeat is from 1 to 1000.") }
        guard (1...64).contains(parallel) else { throw ValidationError("--parallel is from 1 to 64.") }
        guard (1...86_400_000).contains(timeoutMs) else { throw ValidationError("--timeout-ms is from 1 to 86400000.") }
        guard FliteVoice(rawValue: userVoice) != nil else {
            let names = FliteVoice.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("There is no voice '\(userVoice)' for the person; choose one of \(names).")
        }
    }

    func run() async throws {
        let loaded = try ScenarioFolder.paths(files).map { path throws(VoiceError) in try ScriptFile.load(path: path) }
        if parse { return StandardOutput.write(Self.meaning(of: loaded).json + "\n") }
        let runs = loaded.flatMap { file in
            file.entries.flatMap { entry in
                (1...self.repeat).map {
                    ScriptRun(entry: entry, file: file.path, number: $0, place: url == nil ? .here : .server)
                }
            }
        }
        let report = ScriptReport(try await play(runs))
        try write(report)
        if report.failed > 0 || report.skipped > 0 && !allowSkipped { throw ExitCode(1) }
    }

    private static func meaning(of files: [ScriptFile]) -> JSONValue {
        .array(
            files.map { file in
                let scenarios: [JSONValue] = file.entries.map { entry in
                    switch entry {
                    case .script(let scenario): scenario.json
                    case .simulation(let name): ["name": .string(name), "simulation": true]
                    }
                }
                return ["name": .string(file.name), "path": .string(file.path), "scenarios": .array(scenarios)]
            }
        )
    }

    /// Plays all runs, so many at a time, and keeps their order.
    private func play(_ runs: [ScriptRun]) async throws -> [ScriptResult] {
        let ready = runs.filter { $0.obstacle == nil }
        guard !ready.isEmpty else { return runs.compactMap(\.skipped) }
        let settings = try agent.settings()
        let clock = SystemClock()
        let needsJudge = ready.contains { !$0.criteria.isEmpty }
        if needsJudge, !judging.isGiven {
            let name = ready.first { !$0.criteria.isEmpty }?.name ?? ""
            throw VoiceError(
                .usage,
                "\(name) has 'eval' criteria and there is no judge: give --judge-url and --judge-model, or --judge-config"
            )
        }
        let trace = try agent.traceFile()
        defer { trace?.close() }
        let logger = global.logger()
        let room = EngineRoom(store: global.store, settings: settings, clock: clock, trace: trace, logger: logger)
        async let _ = room.pools.run()
        let environment = ProcessInfo.processInfo.environment
        // An agent elsewhere has its own tools.
        let servers = try (url == nil ? settings : Settings()).mcpRoom(
            environment: environment,
            logger: logger
        )
        return try await servers.withServers {
            let (agent, recognizer) = try await called(ready, room, settings, clock, servers)
            var limits = ScriptMachine.Limits()
            limits.expectation = .milliseconds(timeoutMs)
            let runner = ScriptRunner(
                agent: agent,
                recognizer: recognizer,
                person: PersonVoice(FliteSynthesizer(voice: FliteVoice(rawValue: userVoice) ?? .slt)),
                judge: needsJudge
                    ? LanguageModelJudge(
                        try await judging.model(store: global.store, clock: clock, patience: .seconds(50)),
                        clock: clock
                    ) : nil,
                limits: limits,
                clock: clock
            )
            return try await play(runs, with: runner)
        }
    }

    private func play(_ runs: [ScriptRun], with runner: ScriptRunner) async throws -> [ScriptResult] {
        var results: [Int: ScriptResult] = [:]
        try await withThrowingTaskGroup(of: (Int, ScriptResult).self) { group in
            var waiting = runs.enumerated().makeIterator()
            func beginNext() {
                guard let (index, run) = waiting.next() else { return }
                group.addTask { (index, try await run.play(with: runner)) }
            }
            for _ in 0..<parallel { beginNext() }
            while let (index, result) = try await group.next() {
                results[index] = result
                StandardError.print("\(result.statusName)  \(result.name)")
                beginNext()
            }
        }
        return results.sorted { $0.key < $1.key }.map(\.value)
    }

    /// The agent to call, and what hears it.
    private func called(
        _ runs: [ScriptRun],
        _ room: EngineRoom,
        _ settings: Settings,
        _ clock: any SessionClock,
        _ servers: MCPRoom
    ) async throws(VoiceError) -> (ScriptedAgent, (any SpeechRecognizer)?) {
        guard let url else {
            let engines = try await room.engines(sessions: parallel)
            let here = AgentInProcess(
                engines: engines,
                configuration: try await Outfit(room, engines, servers: servers, clock: clock).configuration,
                about: RTVIAbout(library: "repartee", version: Version.current),
                clock: clock,
                logger: global.logger()
            )
            return ({ scenario, deliver throws(VoiceError) in try here.line(scenario, deliver) }, engines.recognizer)
        }
        let address = try ServerAddress(url, from: "--url", like: "ws://localhost:7860/ws-client")
        let recognizer: (any SpeechRecognizer)? =
            runs.contains(where: \.hearsAgent) ? try await room.recognizer(streams: parallel) : nil
        return (
            { _, deliver throws(VoiceError) in try RemoteLine(address: address, clock: clock, deliver: deliver) },
            recognizer
        )
    }

    private func write(_ report: ScriptReport) throws(VoiceError) {
        if json || self.report == "-" {
            StandardOutput.write(report.json.json + "\n")
        } else {
            StandardOutput.write(report.text + "\n")
        }
        if let path = self.report, path != "-" { try Self.write(report.json.json + "\n", to: path) }
        if let junit { try Self.write(report.junit, to: junit) }
    }

    private static func write(_ text: String, to path: String) throws(VoiceError) {
        do { try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .atomic) } catch {
            throw VoiceError(.usage, "the report \(path) cannot be written", cause: error)
        }
    }
}

/// One run of one scenario.
private struct ScriptRun: Sendable {
    var entry: ScriptFile.Entry
    var file: String
    var number: Int
    var place: ScriptScenario.Place

    var name: String {
        switch entry {
        case .script(let scenario): scenario.name
        case .simulation(let name): name
        }
    }

    var criteria: [String] { if case .script(let scenario) = entry { scenario.criteria } else { [] } }

    /// Whether somebody has to hear what the agent says aloud.
    var hearsAgent: Bool { if case .script(let scenario) = entry { scenario.hearsAgent } else { false } }

    /// Why it cannot be played.
    var obstacle: String? {
        switch entry {
        case .script(let scenario): scenario.obstacle(place)
        case .simulation: "a simulated person is not played here"
        }
    }

    /// The result of a run that cannot be played.
    var skipped: ScriptResult? { obstacle.map { .skipped(name, file: file, run: number, $0) } }

    func play(with runner: ScriptRunner) async throws(VoiceError) -> ScriptResult {
        if let skipped { return skipped }
        guard case .script(let scenario) = entry else {
            throw VoiceError(.fault, "\(name) is no script")
        }
        return try await runner.play(scenario, run: number)
    }
}
