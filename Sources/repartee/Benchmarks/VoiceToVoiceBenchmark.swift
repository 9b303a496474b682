internal import SpeechRecognition
internal import TurnDetection
internal import LanguageModels
internal import ArgumentParser
internal import Audio
internal import Conversation
internal import SpeechSynthesis
internal import Transports
internal import VoiceCore

/// The whole loop in real time: from the person's last sound to the agent's first, on the audio clock.
struct VoiceToVoiceBenchmark: AsyncParsableCommand {
    enum Policy: String, ExpressibleByArgument, Encodable { case interleaved }

    static let configuration = CommandConfiguration(
        commandName: "v2v",
        abstract: "Voice to voice: spoken questions through the whole loop, in real time.",
        discussion: """
            Ten short and ten long questions, spoken by flite, one conversation, each 1 s after the agent has finished; \
            replies are at most 32 tokens. \
            V2V is measured in the recording of both sides: first audible agent sample minus last audible sample of the \
            question. ASR, LLM and TTS are the turns' own tiles.
            """
    )

    private struct Options: Encodable {
        var voice: String
        var models: [String: String]
    }

    private struct Row: Encodable {
        var policy: Policy
        var transport: String
        var turns: Int
        var v2v_ms: LatencyFigures
        var asr_final_ms: LatencyFigures
        var llm_ttft_ms: LatencyFigures
        var tts_ttfb_ms: LatencyFigures
        var false_starts: Int
        var unanswered: Int
        var speculation_hits: Int
        var wasted_fraction: Double
        var tiles_ms: [String: LatencyFigures]
        /// Each question's own time, in order; null where there was no answer or a false start.
        var questions_ms: [Double?]
        /// The largest difference between a turn's own V2V and the recording's.
        var clock_error_ms: Double
    }

    @OptionGroup var global: GlobalOptions
    @OptionGroup var agent: AgentOptions

    @Option(help: "interleaved.")
    var policy: Policy = .interleaved

    @Option(help: "Questions to ask, up to 20.")
    var turns = 20

    @Option(help: "The voice of the person.")
    var voice = "rms"

    @Option(help: "A stereo WAV file for the conversation.")
    var out: String?

    @Flag(help: "Print one JSON object.")
    var json = false

    mutating func validate() throws {
        guard (1...20).contains(turns) else { throw ValidationError("--turns is from 1 to 20.") }
    }

    func run() async throws {
        var settings = try agent.settings()
        settings.conversation.greeting = ""
        // Replies need not be heard to their end: what is measured is over when they begin.
        settings.conversation.sampling.maxTokens = 32
        let clock = SystemClock()
        let room = EngineRoom(store: global.store, settings: settings, clock: clock)
        let engines = try await room.engines(sessions: 1)
        let questions = try await spokenQuestions()
        var schedule = FileTransport.Schedule()
        schedule.expectsGreeting = false
        schedule.leadIn = .seconds(2)
        let transport = FileTransport(utterances: questions, schedule: schedule, clock: clock)
        let conversation = Conversation(
            engines: engines,
            configuration: settings.conversation,
            clock: clock,
            logger: global.logger()
        )
        let report = try await conversation.run(over: transport)
        if let out { try transport.recording.write(path: out) }
        let row = evaluate(report, transport)
        if json {
            let names = engines.names
            let options = Options(
                voice: voice,
                models: ["vad": names.vad, "turn": names.turn, "asr": names.asr, "llm": names.llm, "tts": names.tts]
            )
            try StandardOutput.write(json: BenchmarkReport(name: "v2v", settings: options, results: [row]))
        } else {
            print(row)
        }
    }

    /// Short and long questions in turn.
    private func spokenQuestions() async throws -> [(samples: [Float], rate: SampleRate)] {
        let synthesizer = try FliteSynthesizer(voiceNamed: voice)
        let texts = zip(BenchmarkUtterances.short, BenchmarkUtterances.long).flatMap { [$0, $1] }.prefix(turns)
        var questions: [(samples: [Float], rate: SampleRate)] = []
        for text in texts {
            var samples: [Float] = []
            for try await chunk in synthesizer.speak(text + ".") { samples += chunk.samples }
            questions.append((samples, synthesizer.sampleRate))
        }
        return questions
    }

    private func evaluate(_ report: ConversationReport, _ transport: FileTransport) -> Row {
        let recorded = RecordedLatency(transport)
        let tiles = report.turns.compactMap(\.tiles)
        func figures(_ tile: KeyPath<LatencyTiles, Double>) -> LatencyFigures {
            LatencyFigures(tiles.map { $0[keyPath: tile] })
        }
        let own = report.turns.compactMap(\.voiceToVoice)
        let isComparable = own.count == recorded.voiceToVoice.count
        let errors = isComparable ? zip(own, recorded.voiceToVoice).map { abs($0 - $1) } : []
        return Row(
            policy: policy,
            transport: "file",
            turns: transport.spoken.count,
            v2v_ms: LatencyFigures(recorded.voiceToVoice),
            asr_final_ms: figures(\.asrFinal),
            llm_ttft_ms: figures(\.llmFirstToken),
            tts_ttfb_ms: figures(\.ttsFirstAudio),
            false_starts: recorded.falseStarts,
            unanswered: recorded.unanswered,
            speculation_hits: 0,
            wasted_fraction: 0,
            tiles_ms: [
                "endpoint_wait": figures(\.endpointWait), "turn_detection": figures(\.turnDetection),
                "asr_final": figures(\.asrFinal), "llm_first_token": figures(\.llmFirstToken),
                "llm_first_segment": figures(\.llmFirstSegment), "tts_first_audio": figures(\.ttsFirstAudio),
                "output": figures(\.output),
            ],
            questions_ms: recorded.questions,
            clock_error_ms: errors.max() ?? 0
        )
    }

    private func print(_ row: Row) {
        StandardOutput.write("ms".padded(to: 20) + LatencyFigures.heading + "\n")
        let lines = [
            ("ASR final", row.asr_final_ms), ("LLM first token", row.llm_ttft_ms), ("TTS first audio", row.tts_ttfb_ms),
            ("V2V", row.v2v_ms),
        ]
        for (name, figures) in lines { StandardOutput.write(name.padded(to: 20) + figures.columns + "\n") }
        StandardOutput.write(
            "\(row.turns) questions, \(row.v2v_ms.n) answered, \(row.unanswered) not, \(row.false_starts) false starts\n"
        )
    }
}
