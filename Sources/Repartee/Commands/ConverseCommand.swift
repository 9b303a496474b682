internal import Logging
internal import ArgumentParser
internal import Audio
internal import Conversation
internal import Foundation
internal import Synchronization
internal import Tools
internal import Transports
internal import VoiceCore

/// One conversation without a browser: recordings are the person.
struct ConverseCommand: AsyncParsableCommand {
    enum Pace: String, ExpressibleByArgument, CaseIterable { case realtime, fast }

    static let configuration = CommandConfiguration(
        commandName: "converse",
        abstract: "One conversation, headless: WAV files are the microphone.",
        discussion: """
            Each --mic file is one turn; the next one starts 1 s after the agent has stopped speaking. With --pace fast \
            simulated time passes only while no engine computes: the conversation is over sooner, and its latencies are \
            those of infinitely fast engines.
            """
    )

    @OptionGroup var global: GlobalOptions
    @OptionGroup var agent: AgentOptions

    @Option(help: "A WAV file that is the person's microphone; may be given several times.")
    var mic: [String] = []

    @Option(help: "A stereo WAV file for the conversation: the person left, the agent right.")
    var out: String?

    @Option(help: "A JSON file for the figures; '-' for standard output.")
    var report: String?

    @Option(help: "realtime or fast.")
    var pace: Pace = .realtime

    mutating func validate() throws {
        guard !mic.isEmpty else { throw ValidationError("Give at least one --mic FILE.wav.") }
    }

    func run() async throws {
        let settings = try agent.settings()
        let utterances = try mic.map { path throws(VoiceError) in try Self.utterance(path: path) }
        let clock: any SessionClock = pace == .realtime ? SystemClock() : ManualClock(isSelfDriving: true)
        let trace = try agent.traceFile()
        defer { trace?.close() }
        let logger = global.logger(standard: .info)
        let room = EngineRoom(store: global.store, settings: settings, clock: clock, trace: trace, logger: logger)
        async let _ = room.pools.run()
        let engines = try await room.engines(sessions: 1)
        var schedule = FileTransport.Schedule()
        schedule.expectsGreeting = !settings.conversation.greeting.isEmpty
        // Standard output belongs to the report if it goes there.
        let isQuiet = report == "-"
        let transport = FileTransport(
            utterances: utterances,
            schedule: schedule,
            clock: clock,
            onEvent: { if !isQuiet { Self.show($0) } }
        )
        let servers = try settings.mcpRoom(environment: ProcessInfo.processInfo.environment, logger: logger)
        let result = try await servers.withServers {
            let conversation = Conversation(
                engines: engines,
                configuration: try await Outfit(room, engines, servers: servers, clock: clock).configuration,
                clock: clock,
                logger: logger,
                trace: trace?.sink
            )
            return try await conversation.run(over: transport)
        }
        if let out { try transport.recording.write(path: out) }
        try write(result)
        if result.turns.isEmpty {
            throw VoiceError(
                .malformedInput,
                "the agent answered nothing: is there English speech in \(mic.joined(separator: ", "))?"
            )
        }
    }

    private static func utterance(path: String) throws(VoiceError) -> (samples: [Float], rate: SampleRate) {
        let file = try WAVFile.read(path: path)
        if file.isTruncated {
            StandardError.print("warning: \(path) is cut off; taking the \(file.duration) that are there")
        }
        return (file.mono, file.rate)
    }

    private func write(_ result: ConversationReport) throws {
        guard let report else { return }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let json = try encoder.encode(result)
        if report == "-" {
            StandardOutput.write(String(decoding: json, as: UTF8.self) + "\n")
        } else {
            do { try json.write(to: URL(fileURLWithPath: report), options: .atomic) } catch {
                throw VoiceError(.usage, "the report \(report) cannot be written", cause: error)
            }
        }
    }

    /// Prints what both sides said, turn by turn.
    private static func show(_ event: SessionEvent) {
        switch event {
        case .userTranscript(_, let text, true):
            StandardOutput.write("you:   \(text)\n")
        case .agentTranscript(_, let heard, _, true, let interrupted):
            let heard = heard.trimmingCharacters(in: .whitespacesAndNewlines)
            StandardOutput.write("agent: \(heard)\(interrupted ? " — (interrupted)" : "")\n")
        case .turnDropped(_, let reason):
            StandardOutput.write("(no answer: \(reason))\n")
        case .turnReport(let turn):
            guard let voiceToVoice = turn.voiceToVoice else { return }
            StandardOutput.write("       \(Int(voiceToVoice.rounded())) ms\n")
        case .reply(_, .toolBegan(let call)):
            StandardOutput.write("(calls \(call.name) \(JSONValue.object(call.arguments).json))\n")
        case .reply(_, .toolEnded(let call, let outcome)):
            StandardOutput.write("(\(call.name): \(outcome.text))\n")
        case .job(let report):
            StandardOutput.write("(\(report.id), \(report.tool): \(report.status.rawValue) \(report.text))\n")
        case .handedOver(let agent):
            StandardOutput.write("(\(agent) has the conversation)\n")
        case .error(_, let message):
            StandardError.print("error: \(message)")
        case .userSpeaking, .agentSpeaking, .userTranscript, .agentTranscript, .reply:
            break
        }
    }
}
