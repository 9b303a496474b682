internal import SpeechRecognition
internal import TurnDetection
internal import LanguageModels
internal import ArgumentParser
internal import Audio
internal import Conversation
internal import Foundation
internal import Transports
internal import VoiceCore
internal import VoiceServer

/// The whole loop in real time: from the person's last sound to the agent's first, on the audio clock.
struct VoiceToVoiceBenchmark: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "v2v",
        abstract: "Voice to voice: spoken questions through the whole loop, in real time.",
        discussion: """
            Ten short and ten long questions, spoken by flite, one conversation for each policy, each question 1 s after \
            the agent has finished. \
            V2V is measured in the recording of both sides: first audible agent sample minus last audible sample of the \
            question. ASR, LLM and TTS are the turns' own tiles. With --transport webrtc the person is a client with \
            aiortc, which records what it gets; it needs the Python environment of scripts/pipecat-environment.
            """
    )

    enum Path: String, ExpressibleByArgument, CaseIterable {
        /// Samples handed over in the same process.
        case file
        /// The server, Opus and UDP, to aiortc.
        case webRTC = "webrtc"
    }

    private struct Options: Encodable {
        var voice: String
        var models: [String: String]
    }

    private struct Row: Encodable {
        var policy: ReplyPolicy
        var transport: Path.RawValue
        var turns: Int
        var v2v_ms: LatencyFigures
        var asr_final_ms: LatencyFigures
        var llm_ttft_ms: LatencyFigures
        var tts_ttfb_ms: LatencyFigures
        var false_starts: Int
        var unanswered: Int
        var speculation_hits: Int
        var speculation_misses: Int
        var wasted_fraction: Double
        var tiles_ms: [String: LatencyFigures]
        /// Each question's own time, in order; null where there was no answer or a false start.
        var questions_ms: [Double?]
        /// How much longer the person waited than the turns' own figures say. By file it is the error of clocks; by WebRTC the way of
        /// sound from the microphone to the server, and from there to the loudspeaker, as far as the server does not know it.
        var beyond_own_ms: LatencyFigures
        /// The most that the person's microphone was late, which counts as waiting.
        var microphone_lag_ms: Double
    }

    @OptionGroup var global: GlobalOptions
    @OptionGroup var agent: AgentOptions

    @Option(help: "Policies to compare, with commas between: reference, interleaved, speculative.")
    var policy = "speculative"

    @Option(help: "How the person is connected: file or webrtc.")
    var transport = Path.file

    @Option(help: "Rounds: each asks all questions once with each policy.")
    var rounds = 1

    @Option(help: "Questions to ask, up to 20.")
    var turns = 20

    @Option(help: "Tokens of a reply at most: what is measured is over when replies begin.")
    var replyTokens = 32

    @Option(help: "The voice of the person.")
    var voice = "rms"

    @Option(help: "A stereo WAV file for the conversation.")
    var out: String?

    @Flag(help: "Print one JSON object.")
    var json = false

    mutating func validate() throws {
        guard (1...20).contains(turns) else { throw ValidationError("--turns is from 1 to 20.") }
        guard (1...1000).contains(replyTokens) else {
            throw ValidationError("--reply-tokens is from 1 to 1000.")
        }
        guard (1...20).contains(rounds) else { throw ValidationError("--rounds is from 1 to 20.") }
        _ = try policies()
    }

    private func policies() throws -> [ReplyPolicy] {
        try policy.split(separator: ",").map { name in
            guard let policy = ReplyPolicy(rawValue: name.trimmingCharacters(in: .whitespaces)) else {
                throw ValidationError("'\(name)' is not a policy: reference, interleaved or speculative.")
            }
            return policy
        }
    }

    func run() async throws {
        var settings = try agent.settings()
        settings.conversation.greeting = ""
        settings.conversation.sampling.maxTokens = replyTokens
        let clock = SystemClock()
        let trace = try agent.traceFile()
        defer { trace?.close() }
        let room = EngineRoom(store: global.store, settings: settings, clock: clock, trace: trace)
        async let _ = room.pools.run()
        let engines = try await room.engines(sessions: 1)
        let questions = Array(try await SpokenQuestions.all(voice: voice, store: global.store).prefix(turns))
        let policies = try policies()
        var conversations: [ReplyPolicy: [Conversed]] = [:]
        // In turn, so that what else the machine does falls on all of them.
        for _ in 0..<rounds {
            for policy in policies {
                settings.conversation.policy = policy
                let conversed =
                    switch transport {
                    case .file: try await converse(questions, engines, settings.conversation, clock, trace)
                    case .webRTC: try await call(questions, engines, settings.conversation, clock, trace)
                    }
                conversations[policy, default: []].append(conversed)
            }
        }
        let rows = policies.map { evaluate($0, conversations[$0] ?? []) }
        if json {
            let names = engines.names
            let options = Options(
                voice: voice,
                models: ["vad": names.vad, "turn": names.turn, "asr": names.asr, "llm": names.llm, "tts": names.tts]
            )
            try StandardOutput.write(json: BenchmarkReport(name: "v2v", settings: options, results: rows))
        } else {
            rows.forEach(print)
        }
    }

    /// A conversation that was had.
    private struct Conversed {
        var report: ConversationReport
        var recorded: RecordedLatency
        var questions: Int
        /// The most that the person's microphone was late, in milliseconds.
        var lag = 0.0
    }

    private func converse(
        _ questions: [(samples: [Float], rate: SampleRate)],
        _ engines: Engines,
        _ configuration: ConversationConfiguration,
        _ clock: SystemClock,
        _ trace: TraceFile?
    ) async throws -> Conversed {
        var schedule = FileTransport.Schedule()
        schedule.expectsGreeting = false
        schedule.leadIn = .seconds(2)
        let transport = FileTransport(utterances: questions, schedule: schedule, clock: clock)
        let conversation = Conversation(
            engines: engines,
            configuration: configuration,
            clock: clock,
            logger: global.logger(),
            trace: trace?.sink,
            name: configuration.policy.rawValue
        )
        let report = try await conversation.run(over: transport)
        if let out { try transport.recording.write(path: out) }
        let recording = transport.recording
        let recorded = RecordedLatency(
            agent: recording.channels().agent,
            rate: recording.rate,
            spoken: transport.spoken
        )
        return Conversed(report: report, recorded: recorded, questions: transport.spoken.count)
    }

    /// The same conversation over the real server.
    private func call(
        _ questions: [(samples: [Float], rate: SampleRate)],
        _ engines: Engines,
        _ configuration: ConversationConfiguration,
        _ clock: SystemClock,
        _ trace: TraceFile?
    ) async throws -> Conversed {
        let talker = try Talker(questions)
        defer { talker.remove() }
        let (ready, continuation) = AsyncStream.makeStream(of: Endpoint.self)
        let (reports, finished) = AsyncStream.makeStream(of: ConversationReport.self)
        let server = VoiceServer(
            configuration: VoiceServer.Configuration(port: 0, maxSessions: 1),
            logger: global.logger(),
            clock: clock,
            describe: { ServerDescription(version: Version.current, models: engines.names) },
            runSession: { transport, session in
                let conversation = Conversation(
                    engines: engines,
                    configuration: configuration,
                    clock: clock,
                    logger: session.logger,
                    trace: trace?.sink,
                    name: configuration.policy.rawValue
                )
                defer { finished.finish() }
                finished.yield(try await conversation.run(over: transport))
            }
        )
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                defer { continuation.finish() }
                try await server.run { continuation.yield($0) }
            }
            guard let endpoint = await ready.first(where: { _ in true }) else {
                try await group.waitForAll()
                throw VoiceError(.unavailable, "the server ended before it began")
            }
            let talk = try await talker.talk(to: "127.0.0.1:\(endpoint.port)")
            guard let report = await reports.first(where: { _ in true }) else {
                throw VoiceError(.unavailable, "the conversation failed")
            }
            group.cancelAll()
            if let out { try talk.write(path: out) }
            let recorded = RecordedLatency(
                agent: talk.file.channels.last ?? [],
                rate: talk.file.rate,
                spoken: talk.spoken
            )
            return Conversed(report: report, recorded: recorded, questions: talk.spoken.count, lag: talk.lag)
        }
    }

    private func evaluate(_ policy: ReplyPolicy, _ conversations: [Conversed]) -> Row {
        let turns = conversations.flatMap(\.report.turns)
        let tiles = turns.compactMap(\.tiles)
        func figures(_ tile: KeyPath<LatencyTiles, Double>) -> LatencyFigures {
            LatencyFigures(tiles.map { $0[keyPath: tile] })
        }
        let differences = conversations.flatMap { conversed -> [Double] in
            let own = conversed.report.turns.compactMap(\.voiceToVoice)
            let recorded = conversed.recorded.voiceToVoice
            return own.count == recorded.count ? zip(recorded, own).map { $0 - $1 } : []
        }
        let speculation = conversations.map(\.report.summary.speculation)
        let generated = speculation.reduce(0) { $0 + $1.generatedTokens }
        let wasted = speculation.reduce(0) { $0 + $1.wastedTokens }
        return Row(
            policy: policy,
            transport: transport.rawValue,
            turns: conversations.reduce(0) { $0 + $1.questions },
            v2v_ms: LatencyFigures(conversations.flatMap(\.recorded.voiceToVoice)),
            asr_final_ms: figures(\.asrFinal),
            llm_ttft_ms: figures(\.llmFirstToken),
            tts_ttfb_ms: figures(\.ttsFirstAudio),
            false_starts: conversations.reduce(0) { $0 + $1.recorded.falseStarts },
            unanswered: conversations.reduce(0) { $0 + $1.recorded.unanswered },
            speculation_hits: turns.count { $0.speculation == .hit },
            speculation_misses: turns.count { $0.speculation == .miss },
            wasted_fraction: generated > 0 ? Double(wasted) / Double(generated) : 0,
            tiles_ms: [
                "endpoint_wait": figures(\.endpointWait), "turn_detection": figures(\.turnDetection),
                "asr_final": figures(\.asrFinal), "llm_first_token": figures(\.llmFirstToken),
                "llm_first_segment": figures(\.llmFirstSegment), "tts_first_audio": figures(\.ttsFirstAudio),
                "output": figures(\.output),
            ],
            questions_ms: conversations.flatMap(\.recorded.questions),
            beyond_own_ms: LatencyFigures(differences),
            microphone_lag_ms: conversations.map(\.lag).max() ?? 0
        )
    }

    private func print(_ row: Row) {
        StandardOutput.write("\n\(row.policy.rawValue), ms".padded(to: 20) + LatencyFigures.heading + "\n")
        let lines = [
            ("ASR final", row.asr_final_ms), ("LLM first token", row.llm_ttft_ms), ("TTS first audio", row.tts_ttfb_ms),
            ("V2V", row.v2v_ms), ("beyond own V2V", row.beyond_own_ms),
        ]
        for (name, figures) in lines { StandardOutput.write(name.padded(to: 20) + figures.columns + "\n") }
        StandardOutput.write(
            "\(row.turns) questions, \(row.v2v_ms.n) answered, \(row.unanswered) not, \(row.false_starts) false starts; drafts: "
                + "\(row.speculation_hits) right, \(row.speculation_misses) wrong, "
                + "\(Int((row.wasted_fraction * 100).rounded())) % of tokens wasted\n"
        )
    }
}
