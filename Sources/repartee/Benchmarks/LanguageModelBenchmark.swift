internal import Conversation
internal import ArgumentParser
internal import LanguageModels
internal import VoiceCore

/// The language engine: first token after how much new text, time per token.
struct LanguageModelBenchmark: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "llm",
        abstract: "Time to first token, cold and with a cached conversation; time per token."
    )

    private struct Options: Encodable {
        var model: String
        var repetitions: Int
        var reply_tokens: Int
    }

    private struct Row: Encodable {
        var model: String
        var threads: Int
        var cached_tokens: Int
        var new_tokens: Int
        var ttft_ms: LatencyFigures
        var decode_ms: LatencyFigures
        var prefill_tokens_per_s: Double
    }

    @OptionGroup var global: GlobalOptions

    @Option(help: "A model of the catalogue, or a GGUF file.")
    var model = ModelCatalogue.defaultLanguageModel

    @Option(parsing: .upToNextOption, help: "Numbers of threads to try.")
    var threads = [1, 2]

    @Option(help: "Repetitions of each case.")
    var repetitions = 5

    @Option(help: "The address of a server with OpenAI's interface, 'serve-llm' for one, to measure instead.")
    var url: String?

    @Option(parsing: .upToNextOption, help: "Replies at the same time to try, where a server is measured.")
    var streams = [1, 2, 4]

    @Flag(help: "Print one JSON object.")
    var json = false

    mutating func validate() throws {
        guard streams.allSatisfy({ (1...256).contains($0) }) else {
            throw ValidationError("--streams are from 1 to 256.")
        }
        guard repetitions > 0, threads.allSatisfy({ (1...256).contains($0) }) else {
            throw ValidationError("--repetitions and --threads are positive.")
        }
    }

    private static let replyTokens = 24

    func run() async throws {
        if let url {
            let benchmark = CompletionBenchmark(
                address: try CompletionAddress(url, from: "--url"),
                repetitions: repetitions
            )
            return try await benchmark.run(streams: streams, json: json)
        }
        var rows: [Row] = []
        for count in threads { rows += try await measure(threads: count) }
        if json {
            let options = Options(model: model, repetitions: repetitions, reply_tokens: Self.replyTokens)
            try StandardOutput.write(json: BenchmarkReport(name: "llm", settings: options, results: rows))
            return
        }
        StandardOutput.write("threads cached   new              " + LatencyFigures.heading + "\n")
        for row in rows {
            let head =
                "\(row.threads)".padded(to: 8) + "\(row.cached_tokens)".padded(to: 9)
                + "\(row.new_tokens)".padded(to: 5)
            StandardOutput.write(head + "first token " + row.ttft_ms.columns + "\n")
            StandardOutput.write("".padded(to: 22) + "per token   " + row.decode_ms.columns + "\n")
            StandardOutput.write("".padded(to: 22) + "prefill     \(Int(row.prefill_tokens_per_s)) tokens/s\n")
        }
    }

    private func measure(threads: Int) async throws -> [Row] {
        var settings = Settings()
        settings.languageModel = model
        settings.languageModelConfiguration.threads = threads
        let engine = try await EngineRoom(store: global.store, settings: settings).localLanguageModel(chats: 2)
        let system = ChatMessage(.system, settings.conversation.systemPrompt)
        let long = ChatMessage(.user, BenchmarkUtterances.long.joined(separator: ". ") + ".")
        var cold: [ReplyTiming] = []
        var coldLong: [ReplyTiming] = []
        var followUp: [ReplyTiming] = []
        for repetition in 0..<repetitions {
            let question = ChatMessage(.user, BenchmarkUtterances.short[repetition % 10] + "?")
            cold.append(
                try await ReplyTiming(try await engine.openChat(), [system, question], tokens: Self.replyTokens)
            )
            let chat = try await engine.openChat()
            let first = try await ReplyTiming(chat, [system, long], tokens: Self.replyTokens)
            coldLong.append(first)
            let next = ChatMessage(.user, BenchmarkUtterances.short[(repetition + 1) % 10] + "?")
            let messages = [system, long, ChatMessage(.assistant, first.text), next]
            followUp.append(try await ReplyTiming(chat, messages, tokens: Self.replyTokens))
        }
        return [
            row(engine.name, threads, cold), row(engine.name, threads, coldLong), row(engine.name, threads, followUp),
        ]
    }

    private func row(_ model: String, _ threads: Int, _ timings: [ReplyTiming]) -> Row {
        let new = timings.map { $0.usage.promptTokens - $0.usage.cachedTokens }
        let first = LatencyFigures(timings.map(\.firstToken))
        let mean = Double(new.reduce(0, +)) / Double(max(1, new.count))
        return Row(
            model: model,
            threads: threads,
            cached_tokens: timings.last?.usage.cachedTokens ?? 0,
            new_tokens: new.last ?? 0,
            ttft_ms: first,
            decode_ms: LatencyFigures(timings.flatMap(\.perToken)),
            prefill_tokens_per_s: first.p50 > 0 ? mean / first.p50 * 1000 : 0
        )
    }
}
