internal import ArgumentParser
internal import Conversation
internal import Foundation
internal import VoiceCore

/// Ends of turns: how often each rule cuts a person off in a pause, against how long it lets them wait.
struct EndpointingBenchmark: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "endpointing",
        abstract: "Rules for the end of a turn: false cuts against waiting time, over a set of recordings with pauses.",
        discussion: """
            The agent's own voice activity, turn detector and turn machine hear each recording in simulated time. Silence alone, \
            the detector's verdict and the adaptive wait are compared, each with its parameter varied; with --words also the adaptive \
            wait where the language model says how likely the words are complete.
            """
    )

    private struct Options: Encodable {
        var set: String
        var part: String
        var recordings: Int
        var verdict_ms: Double
        var words: String?
        var words_ms: Double?
        var reply_ms: Double
    }

    @OptionGroup var global: GlobalOptions

    @Option(help: "A folder with set.json and recordings; Training/starter-asr/pause_sets.py makes one.")
    var set: String

    @Option(help: "Parts of the set, with commas: tune, test, robotic, people; all without it.")
    var part: String?

    @Option(help: "Milliseconds that the turn detector takes for a verdict; without it, what it takes here.")
    var verdictMs: Double?

    @Option(
        help: """
            Let the language model read as well: what was spoken by the set's list ('spoken'), or what a recogniser hears: \
            'pocketsphinx', a name in the catalogue, or a GGUF file.
            """
    )
    var words: String?

    @Option(help: "Milliseconds from a silence until the language model has read the words.")
    var wordsMs = 70.0

    @Option(help: "Milliseconds from the end of a turn until the reply is heard.")
    var replyMs = 250.0

    @Option(help: "A file that keeps the detector's verdicts for the next run.")
    var cache: String?

    @Flag(help: "Print one JSON object.")
    var json = false

    @Option(help: "Draw false cuts against mean wait into this SVG file.")
    var svg: String?

    func run() async throws {
        let room = EngineRoom(store: global.store, settings: Settings())
        let parts = part.map { Set($0.split(separator: ",").map(String.init)) }
        let recordings = try PausedRecording.list(of: set).filter { parts?.contains($0.part) ?? true }
        guard !recordings.isEmpty else {
            throw VoiceError(.missingInput, "\(set)/set.json has no recordings of the part '\(part ?? "")'")
        }
        let activity = try await room.voiceActivity()
        let detector = try await room.turnDetector(threads: 1)
        let latency: Duration
        if let verdictMs {
            latency = .milliseconds(verdictMs)
        } else {
            latency = try await self.latency(of: detector, on: recordings[0])
        }
        let cache = try VerdictCache(detector, path: cache)
        let judge = try await wordsJudge(room)
        let rules = EndpointRule.all + (judge == nil ? [] : EndpointRule.reading)
        var scores = rules.map { EndpointScore(rule: $0.family, parameter: $0.parameter, value: $0.value) }
        for (number, recording) in recordings.enumerated() {
            let samples = try recording.samples(in: set)
            let digest = VerdictCache.digest(of: samples)
            let heard = try await HeardRecording(
                samples,
                activity: activity,
                configuration: ConversationConfiguration()
            )
            for (index, rule) in rules.enumerated() {
                let trial = try await EndpointTrial(
                    rule.policy,
                    on: heard,
                    latency: latency,
                    reading: rule.readsWords ? judge.map { reading($0, recording, samples, digest, heard) } : nil
                ) { position throws(VoiceError) in
                    let start = heard.turnStart ?? 0
                    return try await cache.verdict(on: samples, digest: digest, from: start, to: position)
                }
                scores[index].add(trial.commits, to: recording, reply: .milliseconds(replyMs))
            }
            if number % 50 == 49 {
                try await cache.save()
                StandardError.write("\(number + 1) of \(recordings.count) recordings\n")
            }
        }
        try await cache.save()
        for index in scores.indices { scores[index].finish() }
        try report(scores, rules, latency, recordings)
    }

    /// The language model and where its words come from; nil without `--words`.
    private func wordsJudge(_ room: EngineRoom) async throws(VoiceError) -> WordsJudge? {
        guard let words else { return nil }
        let model = try await room.localLanguageModel(chats: 1)
        guard words != "spoken" else { return try await WordsJudge(model, source: .spoken) }
        return try await WordsJudge(model, source: .recognised(room.recognizer(model: words, streams: 1, threads: 1)))
    }

    private func reading(
        _ judge: WordsJudge,
        _ recording: PausedRecording,
        _ samples: [Float],
        _ digest: String,
        _ heard: HeardRecording
    ) -> EndpointTrial.Reading {
        EndpointTrial.Reading(latency: .milliseconds(wordsMs)) { position throws(VoiceError) in
            let start = heard.turnStart ?? 0
            return try await judge.words(of: recording, samples, digest: digest, from: start, to: position)
        } completeness: { text throws(VoiceError) in
            try await judge.completeness(of: text)
        }
    }

    /// Median processor time of a verdict on a turn of 8 s, one thread.
    private func latency(of detector: any TurnDetector, on recording: PausedRecording) async throws -> Duration {
        let samples = try recording.samples(in: set)
        let turn = Array((samples + samples + samples).prefix(8 * SampleRate.speech.hertz))
        var times: [Duration] = []
        for _ in 0..<7 {
            let used = Machine.processorTime
            _ = try await detector.endProbability(ofTurn: turn)
            times.append(Machine.processorTime - used)
        }
        return times.sorted()[3]
    }

    private func report(
        _ scores: [EndpointScore],
        _ rules: [EndpointRule],
        _ latency: Duration,
        _ recordings: [PausedRecording]
    ) throws {
        if let svg { try Data(plot(scores, rules).svg.utf8).write(to: URL(fileURLWithPath: svg)) }
        guard json else { return StandardOutput.write(table(scores)) }
        let options = Options(
            set: URL(fileURLWithPath: set).lastPathComponent,
            part: part ?? "all",
            recordings: recordings.count,
            verdict_ms: latency.milliseconds,
            words: words,
            words_ms: words == nil ? nil : wordsMs,
            reply_ms: replyMs
        )
        try StandardOutput.write(json: BenchmarkReport(name: "endpointing", settings: options, results: scores))
    }

    private func table(_ scores: [EndpointScore]) -> String {
        let heading = [
            "rule".padded(to: 26), "value".padded(to: 8), "false cuts".padded(to: 22), "heard".padded(to: 8),
            "elsewhere".padded(to: 11), "unheard".padded(to: 9), "mean wait  ", LatencyFigures.heading,
        ]
        let rows = scores.map { score in
            [
                score.rule.padded(to: 26), "\(score.value)".padded(to: 8),
                "\(score.false_cuts) of \(score.pauses), \(percent(score.false_cut_share))".padded(to: 22),
                percent(score.audible_start_share).padded(to: 8),
                "\(score.cuts_elsewhere)".padded(to: 11), "\(score.unheard)".padded(to: 9),
                "\(Int(score.wait_mean_ms.rounded())) ms".padded(to: 11), score.wait_ms.columns,
            ]
        }
        return ([heading] + rows).map { $0.joined() + "\n" }.joined()
    }

    private func percent(_ share: Double) -> String { "\((share * 1000).rounded() / 10) %" }

    private func plot(_ scores: [EndpointScore], _ rules: [EndpointRule]) -> EndpointPlot {
        var families: [String] = []
        for rule in rules where !families.contains(rule.family) { families.append(rule.family) }
        let lines = families.map { family in
            let members = zip(rules, scores).filter { $0.0.family == family }
            return EndpointPlot.Line(
                name: family,
                points: members.map { ($0.1.wait_mean_ms, $0.1.false_cut_share * 100) },
                marks: members.filter(\.0.isMarked).map {
                    let name =
                        family == "silence" ? "\(Int($0.0.value)) ms" : family.hasPrefix("adaptive") ? "default" : "0.5"
                    return ($0.1.wait_mean_ms, $0.1.false_cut_share * 100, name)
                }
            )
        }
        return EndpointPlot(title: "Ends of turns: false cuts against waiting", lines: lines)
    }
}
