internal import ArgumentParser
internal import LanguageModels
internal import VoiceCore

/// The language engine: first token after how much new text, time per token, alone and beside others.
struct LanguageModelBenchmark: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "llm",
        abstract: "Time to first token, cold, cached and from disk; time per token, alone and beside others."
    )

    private struct Options: Encodable {
        var model: String
        var repetitions: Int
        var reply_tokens: Int
        var slice: Int?
        var context_length: Int?
    }

    struct Row: Encodable {
        /// The case: cold, cold_long, next, streams, head_computed, head_cached, head_copied, head_from_disk.
        var `case`: String
        var model: String
        var threads: Int
        var streams = 1
        var cached_tokens: Int
        var new_tokens: Int
        var ttft_ms: LatencyFigures
        var decode_ms: LatencyFigures
        var prefill_tokens_per_s: Double
        /// Of all streams together while all of them spoke.
        var tokens_per_s: Double?
        /// From a token's number to what is said, thought and called; μs of one token.
        var parse_us: LatencyFigures?
    }

    @OptionGroup var global: GlobalOptions

    @Option(help: "A model of the catalogue, or a GGUF file.")
    var model = ModelCatalogue.defaultLanguageModel

    @Option(parsing: .upToNextOption, help: "Numbers of threads to try.")
    var threads = [1, 2]

    @Option(help: "Repetitions of each case.")
    var repetitions = 5

    @Option(help: "Tokens of a prompt that are read in one go; without it what suits the device.")
    var slice: Int?

    @Option(
        parsing: .upToNextOption,
        help: "Instead of single replies: how many replies are made at the same time, for example 1 2 4 8."
    )
    var streams: [Int] = []

    @Option(
        help: """
            Instead of that: instructions of about so many tokens, computed, then cached, copied from another conversation \
            and read from disk. May be more than the model was trained on: then the words make no sense, but take as long.
            """
    )
    var head: Int?

    @Option(
        help:
            "The address of a server with OpenAI's interface, 'serve-llm' for one, to measure instead; 1, 2 and 4 streams unless said otherwise."
    )
    var url: String?

    @Flag(help: "Print one JSON object.")
    var json = false

    mutating func validate() throws {
        guard repetitions > 0, threads.allSatisfy({ (1...256).contains($0) }) else {
            throw ValidationError("--repetitions and --threads are positive.")
        }
        guard slice.map({ (1...4096).contains($0) }) ?? true else {
            throw ValidationError("--slice is 1 to 4096.")
        }
        guard streams.allSatisfy({ (1...64).contains($0) }) else {
            throw ValidationError("--streams are 1 to 64.")
        }
        guard head.map({ (100...1_000_000).contains($0) }) ?? true else {
            throw ValidationError("--head is 100 to 1000000.")
        }
    }

    func run() async throws {
        if let url {
            let benchmark = CompletionBenchmark(
                address: try CompletionAddress(url, from: "--url"),
                repetitions: repetitions
            )
            return try await benchmark.run(streams: streams.isEmpty ? [1, 2, 4] : streams, json: json)
        }
        var rows: [Row] = []
        for count in threads {
            let trial = LanguageModelTrial(
                store: global.store,
                model: model,
                threads: count,
                slice: slice,
                repetitions: repetitions
            )
            if let head {
                rows += try await trial.head(tokens: head)
            } else if streams.isEmpty {
                rows += try await trial.single()
            } else {
                for number in streams { rows.append(try await trial.streams(number)) }
            }
        }
        if json {
            let options = Options(
                model: model,
                repetitions: repetitions,
                reply_tokens: LanguageModelTrial.replyTokens,
                slice: slice,
                context_length: head.map(LanguageModelTrial.contextLength)
            )
            try StandardOutput.write(json: BenchmarkReport(name: "llm", settings: options, results: rows))
            return
        }
        StandardOutput.write("".padded(to: 58) + LatencyFigures.heading + "\n")
        for row in rows { print(row) }
    }

    private func print(_ row: Row) {
        let head =
            row.case.padded(to: 16) + "threads \(row.threads) ".padded(to: 11)
            + (row.streams > 1 ? "streams \(row.streams)" : "\(row.cached_tokens) cached, \(row.new_tokens) new")
        func line(_ head: String, _ name: String, _ figures: String) {
            StandardOutput.write(head.padded(to: 58 - 12) + name.padded(to: 12) + figures + "\n")
        }
        line(head, "first token", row.ttft_ms.columns)
        if row.decode_ms.n > 0 { line("", "per token", row.decode_ms.columns) }
        if let rate = row.tokens_per_s { line("", "together", "  \(Int(rate)) tokens/s") }
        if row.streams == 1 { line("", "prefill", "  \(Int(row.prefill_tokens_per_s)) tokens/s") }
        if let parse = row.parse_us { line("", "parse, us", parse.columns) }
    }
}
