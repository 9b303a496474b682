internal import ArgumentParser
internal import Conversation
internal import Evaluation
internal import Foundation
internal import LanguageModels
internal import SpeechSynthesis
internal import VoiceCore

/// A scripted conversation through the whole agent, scored turn by turn.
struct EvalScenarioCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scenario",
        abstract: "A scripted conversation of many turns: tool use, instructions and facts, scored.",
        discussion: """
            The questions are typed and the answers read, unless --audio has them spoken in real time. All turns are one \
            conversation. The agent is that of --config and of the environment: NVIDIA_LLM_URL and its like name a server. \
            With --judge-url a model behind OpenAI's interface judges as well; its key is in REPARTEE_JUDGE_API_KEY.
            """
    )

    enum Tools: String, ExpressibleByArgument, CaseIterable {
        /// Off where the model refuses them.
        case auto
        case on
        case off
    }

    @OptionGroup var global: GlobalOptions
    @OptionGroup var agent: AgentOptions

    @Argument(help: "The scenario, YAML; docs/eval.md describes it. Benchmarks/eval has some.")
    var scenario: String

    @Option(help: "Conversations to have, one after the other.")
    var runs = 1

    @Flag(help: "Speak the questions, in real time, to the whole agent.")
    var audio = false

    @Option(help: "The voice that speaks the questions.")
    var voice = "rms"

    @Option(help: "Whether the model is told of the tools: auto, on or off.")
    var tools = Tools.auto

    @Option(help: "Seconds that an answer may take, instead of the scenario's.")
    var timeout: Int?

    @Option(help: "A folder for transcripts and scores: one folder a run.")
    var out: String?

    @OptionGroup var judging: JudgeOptions

    @Option(
        name: .customLong("judge-votes"),
        help: "Times that it is asked about a turn, an odd number; the majority counts."
    )
    var judgeVotes = 1

    @Flag(help: "Print what was wrong, turn by turn.")
    var problems = false

    @Flag(help: "Print one JSON object.")
    var json = false

    mutating func validate() throws {
        guard (1...1000).contains(runs) else { throw ValidationError("--runs is from 1 to 1000.") }
        guard timeout.map({ (1...86_400).contains($0) }) ?? true else {
            throw ValidationError("--timeout is from 1 to 86400 seconds.")
        }
        guard judgeVotes % 2 == 1, (1...9).contains(judgeVotes) else {
            throw ValidationError("--judge-votes is 1, 3, 5, 7 or 9.")
        }
        guard FliteVoice(rawValue: voice) != nil else {
            throw ValidationError("'\(voice)' is not a voice of flite; say --list-voices names them.")
        }
    }

    func run() async throws {
        let evaluation = self
        try await Interruptible.run { try await evaluation.evaluate() }
    }

    private func evaluate() async throws {
        var scenario = try ScenarioFile.read(path: scenario)
        if let timeout { scenario.turnTimeout = .seconds(timeout) }
        var settings = try agent.settings()
        let room = settings.languageModelConfiguration.contextLength
        settings.languageModelConfiguration.contextLength = max(room, scenario.contextLength)
        let clock = SystemClock()
        let trace = try agent.traceFile()
        defer { trace?.close() }
        let logger = global.logger()
        let engineRoom = EngineRoom(
            store: global.store,
            settings: settings,
            clock: clock,
            trace: trace,
            logger: logger
        )
        async let _ = engineRoom.pools.run()
        let engines =
            audio
            ? try await engineRoom.engines(sessions: 1) : .writing(with: try await engineRoom.languageModel(chats: 1))
        let judge = try await judge(scenario, clock)
        let model = engines.languageModel
        if model.contextLength < scenario.contextLength {
            StandardError.print(
                "warning: \(model.name) holds \(model.contextLength) tokens, the scenario wants \(scenario.contextLength)"
            )
        }
        let hasTools = try await offersTools(scenario, model)
        let scorer = Scorer(scenario)
        var had: [EvaluatedRun] = []
        for number in 1...runs {
            var configuration = settings.conversation
            configuration.sampling.seed &+= UInt32(number - 1)
            let run = ScenarioRun(
                scenario,
                engines: engines,
                configuration: configuration,
                voice: audio ? FliteSynthesizer(voice: FliteVoice(rawValue: voice) ?? .rms) : nil,
                hasTools: hasTools,
                clock: clock,
                logger: global.logger(),
                timestamp: { Date.now.ISO8601Format(Date.ISO8601FormatStyle(includingFractionalSeconds: true)) }
            )
            let file = try out.map { folder throws(VoiceError) in
                try EvaluationFolder(path: "\(folder)/run-\(number)", model: model.name)
            }
            let records = try await run.run { record in
                try? file?.write(record)
                StandardError.write(".")
            }
            let scores = scorer.scores(of: records)
            let verdicts = try await judge?.verdicts(on: records)
            try file?.write(scores, verdicts)
            had.append(EvaluatedRun(records: records, scores: scores, verdicts: verdicts))
        }
        StandardError.print("")
        let report = ScenarioReport(
            scenario: scenario.name,
            model: model.name,
            mode: audio ? "audio" : "typed",
            hasTools: hasTools,
            turns: scenario.turns.count,
            runs: had
        )
        try show(report, had, scenario)
    }

    private func show(_ report: ScenarioReport, _ runs: [EvaluatedRun], _ scenario: Scenario) throws {
        if json {
            let options = ScenarioReport.Options(
                runs: self.runs,
                tools: tools.rawValue,
                judge: judging.judgeModel,
                judge_votes: judging.isGiven ? judgeVotes : nil
            )
            return try StandardOutput.write(
                json: BenchmarkReport(name: "eval-scenario", settings: options, results: [report])
            )
        }
        StandardOutput.write(report.table)
        guard problems else { return }
        for (number, run) in runs.enumerated() {
            for score in run.scores where !score.passes {
                let words = score.problems.joined(separator: "; ")
                StandardOutput.write("run \(number + 1) turn \(score.turn): \(words)\n")
            }
        }
    }

    /// Whether the model is told of the tools.
    private func offersTools(_ scenario: Scenario, _ model: any LanguageModel) async throws(VoiceError) -> Bool {
        guard tools == .auto, !scenario.tools.isEmpty else { return tools == .on && !scenario.tools.isEmpty }
        let chat = try await model.openChat()
        let options = ChatOptions(tools: scenario.tools.map(\.declaration))
        do throws(VoiceError) {
            try await chat.prefill([ChatMessage(.system, "Hello.")], options: options, urgency: nil)
            return true
        } catch {
            guard error.code == .usage else { throw error }
            StandardError.print("warning: \(model.name) refuses tools, and is told of none: turns with calls will fail")
            return false
        }
    }

    private func judge(_ scenario: Scenario, _ clock: any SessionClock) async throws(VoiceError) -> Judge? {
        guard judging.isGiven else { return nil }
        let model = try await judging.model(store: global.store, clock: clock, patience: .seconds(120))
        return Judge(model, votes: judgeVotes, scenario: scenario)
    }
}
