internal import ArgumentParser
internal import Inference
internal import SpeechRecognition
internal import VoiceCore

/// The same work on every device: how far a GPU's results are from the CPU's.
struct DeviceBenchmark: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "devices",
        abstract: "What each device computes, compared with the CPU: recognisers, language models, voices, codecs."
    )

    private struct Options: Encodable {
        var audio: String
        var steps: Int
        var threads: Int
    }

    struct Row: Encodable {
        var engine: String
        var model: String
        var device: String
        /// Of recognisers.
        var lookahead: Int?
        /// How far the encoder's frames, the scores of the next token, a voice's decoder output or a codec's samples are from the
        /// CPU's; those of voices from the CPU's in F32.
        var error: ResultError
        /// Tokens recognised, or the most probable token of each step.
        var tokens: Int?
        /// Of those, the share that the CPU gives too, at the same place.
        var agreement: Double?
        /// Of voices: the local transformer's scores, which have the decoder's error in them.
        var scores: ResultError?
        /// Of voices: what comes before the first frame of a text.
        var beginning_ms: Double?
        /// Of language models: the same steps a second time, after their memory was copied back, against the first time.
        var restored: ResultError?
        /// Of language models: a step of one token, the first time and after the copy; a copy there or back. Of voices and codecs: a
        /// step of one frame.
        var step_ms: LatencyFigures?
        var restored_step_ms: LatencyFigures?
        var copy_ms: LatencyFigures?
        /// Of voices: the local transformer's part of a frame.
        var local_ms: LatencyFigures?
    }

    @OptionGroup var global: GlobalOptions

    @Option(
        help: "A recogniser: a name in the catalogue or a GGUF file in NVIDIA's layout; can be given several times."
    )
    var asr: [String] = []

    @Option(help: "A language model: a name in the catalogue or a GGUF file; can be given several times.")
    var llm: [String] = []

    @Option(help: "Magpie: a name in the catalogue or a GGUF file; can be given several times.")
    var tts: [String] = []

    @Option(help: "A NanoCodec: a name in the catalogue or a GGUF file; can be given several times.")
    var codec: [String] = []

    @Option(help: "The recognisers' lookahead in frames of 80 ms; can be given several times.")
    var lookahead = [1]

    @Option(help: "Tokens that a language model, frames that a voice or a codec computes one at a time.")
    var steps = 64

    @Option(help: "Processor threads.")
    var threads = 2

    @Option(help: "A WAV file with speech; without it, flite speaks.")
    var audio: String?

    @Flag(help: "Print one JSON object.")
    var json = false

    mutating func validate() throws {
        guard !(asr + llm + tts + codec).isEmpty else { throw ValidationError("Give --asr, --llm, --tts or --codec.") }
        guard (1...512).contains(steps), (1...256).contains(threads) else {
            throw ValidationError("--steps is from 1 to 512, --threads from 1 to 256.")
        }
    }

    func run() async throws {
        // The CPU first: the others are compared with it.
        let cpu = try Device.cpu()
        let devices = [cpu] + Device.all.filter { $0 != cpu && $0.kind != .accelerator }
        var rows: [Row] = []
        if !asr.isEmpty {
            let speech = try await BenchmarkSpeech.samples(of: audio)
            for model in asr {
                for lookahead in lookahead { rows += try recogniser(model, lookahead, speech, devices) }
            }
        }
        for model in llm { rows += try languageModel(model, devices) }
        for model in tts { rows += try voice(model, devices) }
        for model in codec { rows += try await codec(model, devices) }
        if json {
            let options = Options(audio: audio ?? "flite", steps: steps, threads: threads)
            try StandardOutput.write(json: BenchmarkReport(name: "devices", settings: options, results: rows))
            return
        }
        for row in rows { StandardOutput.write(Self.line(row)) }
    }

    private func recogniser(
        _ model: String,
        _ lookahead: Int,
        _ speech: [Float],
        _ devices: [Device]
    ) throws -> [Row] {
        let path = try global.store.resolve(model)
        var reference: NemotronRecognizer.Encoding?
        var rows: [Row] = []
        for device in devices {
            let encoding = try NemotronRecognizer.encoding(
                of: speech,
                lookahead: lookahead,
                path: path,
                on: device,
                threads: threads
            )
            let expected = reference ?? encoding
            reference = expected
            rows.append(
                Row(
                    engine: "asr",
                    model: model,
                    device: device.description,
                    lookahead: lookahead,
                    error: ResultError(encoding.frames, expected.frames),
                    tokens: encoding.tokens.count,
                    agreement: Self.agreement(encoding.tokens, expected.tokens)
                )
            )
        }
        return rows
    }

    private func languageModel(_ model: String, _ devices: [Device]) throws -> [Row] {
        let path = try global.store.resolve(model)
        var reference: LanguageModelScores?
        var rows: [Row] = []
        for device in devices {
            let scores = try LanguageModelScores(
                path: path,
                device: device,
                threads: threads,
                steps: steps,
                choices: reference?.choices
            )
            let expected = reference ?? scores
            reference = expected
            rows.append(
                Row(
                    engine: "llm",
                    model: model,
                    device: device.description,
                    error: ResultError(scores.first, expected.first),
                    tokens: scores.best.count,
                    agreement: Self.agreement(scores.best, expected.best),
                    restored: ResultError(scores.second, scores.first),
                    step_ms: LatencyFigures(scores.firstTimes),
                    restored_step_ms: LatencyFigures(scores.secondTimes),
                    copy_ms: LatencyFigures(scores.copyTimes)
                )
            )
        }
        return rows
    }

    /// The share of places at which both have the same token.
    static func agreement<Token: Equatable>(_ tokens: [Token], _ expected: [Token]) -> Double {
        let most = max(tokens.count, expected.count)
        guard most > 0 else { return 1 }
        return Double(zip(tokens, expected).count { $0 == $1 }) / Double(most)
    }

    private static func line(_ row: Row) -> String {
        let lookahead = row.lookahead.map { " lookahead \($0)" } ?? ""
        var text = "\(row.engine) \(row.model)\(lookahead) on \(row.device): error \(row.error)"
        if let tokens = row.tokens, let agreement = row.agreement {
            text += ", \(tokens) tokens, \(agreement * 100) % as on the CPU"
        }
        if let scores = row.scores { text += ", scores \(scores)" }
        if let beginning = row.beginning_ms { text += ", \(Int(beginning.rounded())) ms before the first frame" }
        text += "\n"
        if let restored = row.restored { text += "    after copies of its memory: error \(restored)\n" }
        let times = [
            ("step", row.step_ms), ("step after a copy", row.restored_step_ms), ("copy", row.copy_ms),
            ("local transformer", row.local_ms),
        ]
        for case (let name, let figures?) in times {
            text += "    \(name), ms:".padded(to: 28) + figures.columns + "\n"
        }
        return text
    }
}
