internal import ArgumentParser
internal import Audio
internal import Conversation
internal import Foundation
internal import Transports
internal import VoiceCore

/// What the agent does when the person makes a sound while it speaks.
struct InterruptionBenchmark: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "interruptions",
        abstract: "Interruptions, back-channels, noise and echo while the agent is speaking.",
        discussion: """
            The real voice activity detector, recogniser and voice in simulated time: what they compute takes none. Each sound \
            comes once, over a long greeting, with and without the agent's own voice in the microphone. Times count from the \
            sound's first audible sample.
            """
    )

    private struct Options: Encodable {
        var echo_db: Double
        var echo_delay_ms: Double
        var echo_minutes: Double
        var echo_cancellation: Bool
        var interruption: String
        var recognizer: String
    }

    private struct Row: Encodable {
        var kind: String
        var echo: Bool
        var sounds: Int
        /// Sounds at which the agent fell silent, for a moment or for good.
        var paused: Int
        /// Those that ended the reply.
        var ended: Int
        /// Until the agent was silent.
        var silent_ms: LatencyFigures
        /// Until the reply was ended for good.
        var decided_ms: LatencyFigures
        /// Words of the context's last message against what the recogniser hears in the recording of the agent.
        var heard_wer: Double?
        /// The same of whole greetings: the recogniser's own errors.
        var recognizer_wer: Double?
    }

    private struct EchoRow: Encodable {
        var kind = "echo only"
        var minutes: Double
        /// Times that the agent paused because of itself.
        var paused: Int
        /// Times that it interrupted itself.
        var ended: Int
    }

    private enum Result: Encodable {
        case sounds(Row)
        case echo(EchoRow)

        func encode(to encoder: any Encoder) throws {
            switch self {
            case .sounds(let row): try row.encode(to: encoder)
            case .echo(let row): try row.encode(to: encoder)
            }
        }
    }

    @OptionGroup var global: GlobalOptions
    @OptionGroup var agent: AgentOptions

    @Option(help: "The echo's level against the loudspeaker, in dB.")
    var echoDb = -12.0

    @Option(help: "The echo's delay in milliseconds, 60 to 450.")
    var echoDelayMs = 150.0

    @Option(help: "The echo's reverberation time (60 dB) in milliseconds; 0 for a single reflection.")
    var reverberationMs = 0.0

    @Option(help: "How long the agent speaks with nothing but its echo in the microphone, in minutes.")
    var echoMinutes = 5.0

    @Flag(help: "Print one line for each sound.")
    var each = false

    @Flag(help: "Print one JSON object.")
    var json = false

    mutating func validate() throws {
        guard (-60...0).contains(echoDb) else { throw ValidationError("--echo-db is from -60 to 0.") }
        guard (60...450).contains(echoDelayMs) else { throw ValidationError("--echo-delay-ms is from 60 to 450.") }
        guard (0...1000).contains(reverberationMs) else {
            throw ValidationError("--reverberation-ms is from 0 to 1000.")
        }
        guard (0...60).contains(echoMinutes) else { throw ValidationError("--echo-minutes is from 0 to 60.") }
    }

    func run() async throws {
        let settings = try agent.settings()
        var engines = try await EngineRoom(store: global.store, settings: settings).engines(sessions: 1)
        engines.languageModel = SilentModel()
        let sounds = try await SpokenOver.all()
        var results: [Result] = []
        for hasEcho in [false, true] {
            var trials: [InterruptionTrial] = []
            for (index, sound) in sounds.enumerated() {
                let trial = try await InterruptionTrial(
                    sound,
                    // Not always at the same place of the greeting, and after the echo canceller had a moment to learn.
                    at: .milliseconds(3000 + 370 * (index % 7)),
                    echo: hasEcho ? impulseResponse() : [],
                    engines,
                    settings.conversation,
                    global.logger()
                )
                if each { print(trial, sound, hasEcho) }
                trials.append(trial)
            }
            for kind in SpokenOver.Kind.allCases {
                let chosen = zip(sounds, trials).filter { $0.0.kind == kind }.map(\.1)
                results.append(.sounds(try await row(kind, hasEcho, chosen, engines)))
            }
        }
        if echoMinutes > 0 {
            let trial = try await InterruptionTrial(
                nil,
                at: .seconds(echoMinutes * 60),
                echo: impulseResponse(),
                engines,
                settings.conversation,
                global.logger()
            )
            results.append(.echo(EchoRow(minutes: echoMinutes, paused: trial.pauses, ended: trial.ends)))
        }
        try report(results, engines, settings)
    }

    /// A single reflection, or one whose tail of noise fades.
    private func impulseResponse() -> [Float] {
        let rate = Double(SampleRate.speech.hertz)
        let gain = pow(10, echoDb / 20)
        let silence = [Double](repeating: 0, count: Int(echoDelayMs / 1000 * rate))
        var tail = [1.0]
        if reverberationMs > 0 {
            let count = Int(reverberationMs / 1000 * rate)
            let noise = UnspokenSound(kind: .white, level: -20).samples(seconds: 1, seed: 7)
            // Direct sound and tail of equal power: a loudspeaker at arm's length.
            let fading = (0..<count).map { Double(noise[$0]) * pow(10, -3 * Double($0) / Double(count)) }
            let power = fading.reduce(0) { $0 + $1 * $1 }.squareRoot()
            tail = fading.map { $0 / power / 2.0.squareRoot() }
            tail[0] += 1 / 2.0.squareRoot()
        }
        return (silence + tail.map { $0 * gain }).map { Float($0) }
    }

    private func row(
        _ kind: SpokenOver.Kind,
        _ hasEcho: Bool,
        _ trials: [InterruptionTrial],
        _ engines: Engines
    ) async throws -> Row {
        var errors = WordErrors()
        for trial in trials where trial.ends > 0 {
            errors.add(reference: trial.heard, hypothesis: try await transcript(of: trial.agentUntilEnd, engines))
        }
        var own = WordErrors()
        if let whole = trials.first(where: { $0.ends == 0 && $0.pauses == 0 }) {
            own.add(reference: whole.heard, hypothesis: try await transcript(of: whole.agentUntilEnd, engines))
        }
        return Row(
            kind: kind.rawValue,
            echo: hasEcho,
            sounds: trials.count,
            paused: trials.count { $0.pauses > 0 },
            ended: trials.count { $0.ends > 0 },
            silent_ms: LatencyFigures(trials.compactMap(\.silent)),
            decided_ms: LatencyFigures(trials.compactMap(\.decided)),
            heard_wer: errors.words > 0 ? errors.rate : nil,
            recognizer_wer: own.words > 0 ? own.rate : nil
        )
    }

    private func transcript(of samples: [Float], _ engines: Engines) async throws -> String {
        let stream = try await engines.recognizer.openStream(RecognitionOptions())
        _ = try await stream.feed(samples)
        return try await stream.finish().text
    }

    private func print(_ trial: InterruptionTrial, _ sound: SpokenOver, _ hasEcho: Bool) {
        let outcome = trial.ends > 0 ? "ended" : trial.pauses > 0 ? "paused" : "nothing"
        let times = [trial.silent, trial.decided].map { $0.map { "\(Int($0.rounded()))" } ?? "-" }
        StandardOutput.write(
            "\(sound.kind.rawValue.padded(to: 14))\(hasEcho ? "echo " : "     ")\(sound.name.padded(to: 40))"
                + "\(outcome.padded(to: 9))\(times[0].padded(to: 6))\(times[1].padded(to: 6))\(trial.understood)\n"
        )
    }

    private func report(_ results: [Result], _ engines: Engines, _ settings: Settings) throws {
        guard !json else {
            let options = Options(
                echo_db: echoDb,
                echo_delay_ms: echoDelayMs,
                echo_minutes: echoMinutes,
                echo_cancellation: settings.conversation.cancelsEcho,
                interruption: settings.interruption.rule.rawValue,
                recognizer: engines.recognizer.name
            )
            return try StandardOutput.write(
                json: BenchmarkReport(name: "interruptions", settings: options, results: results)
            )
        }
        StandardOutput.write(
            "sound               sounds paused ended  silent p50/max  decided p50/max  heard WER (recogniser's)\n"
        )
        for result in results {
            switch result {
            case .sounds(let row):
                func pair(_ figures: LatencyFigures) -> String {
                    figures.n == 0 ? "-" : "\(Int(figures.p50.rounded())) / \(Int(figures.max.rounded()))"
                }
                let rates = [row.heard_wer, row.recognizer_wer].map { $0.map { String(format: "%.2f", $0) } ?? "-" }
                StandardOutput.write(
                    "\((row.kind + (row.echo ? ", echo" : "")).padded(to: 20))\("\(row.sounds)".padded(to: 7))"
                        + "\("\(row.paused)".padded(to: 7))\("\(row.ended)".padded(to: 7))"
                        + "\(pair(row.silent_ms).padded(to: 16))\(pair(row.decided_ms).padded(to: 17))"
                        + "\(rates[0]) (\(rates[1]))\n"
                )
            case .echo(let row):
                StandardOutput.write(
                    "\(row.minutes) minutes of its own echo: paused \(row.paused) times, ended \(row.ended) times\n"
                )
            }
        }
    }
}
