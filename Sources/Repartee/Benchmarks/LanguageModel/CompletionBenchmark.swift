internal import Conversation
internal import Foundation
internal import LanguageModels
internal import VoiceCore

/// A server of a language model under several conversations at once: what each waits for, and how many tokens come in all.
struct CompletionBenchmark {
    private struct Options: Encodable {
        var url: String
        var repetitions: Int
        var reply_tokens: Int
    }

    private struct Row: Encodable {
        var model: String
        var streams: Int
        var cached_tokens: Int
        var new_tokens: Int
        var ttft_ms: LatencyFigures
        var decode_ms: LatencyFigures
        var tokens_per_s: Double
    }

    let address: CompletionAddress
    /// Turns of each conversation, the first of which is not counted: nothing is remembered then.
    let repetitions: Int

    private static let replyTokens = 64

    /// Measures and prints.
    func run(streams: [Int], json: Bool) async throws {
        let configuration = RemoteLanguageModel.Configuration(
            key: ProcessInfo.processInfo.environment["NVIDIA_LLM_API_KEY"],
            firstTokenTimeout: .seconds(120),
            tokenTimeout: .seconds(60)
        )
        let model = try await RemoteLanguageModel(address: address, configuration: configuration)
        var rows: [Row] = []
        for count in streams { rows.append(try await measure(model, streams: count)) }
        if json {
            let options = Options(url: address.description, repetitions: repetitions, reply_tokens: Self.replyTokens)
            return try StandardOutput.write(json: BenchmarkReport(name: "llm", settings: options, results: rows))
        }
        StandardOutput.write("streams cached   new              " + LatencyFigures.heading + "\n")
        for row in rows {
            let head =
                "\(row.streams)".padded(to: 8) + "\(row.cached_tokens)".padded(to: 9)
                + "\(row.new_tokens)".padded(to: 5)
            StandardOutput.write(head + "first token " + row.ttft_ms.columns + "\n")
            StandardOutput.write("".padded(to: 22) + "per token   " + row.decode_ms.columns + "\n")
            StandardOutput.write("".padded(to: 22) + "all streams \(Int(row.tokens_per_s.rounded())) tokens/s\n")
        }
    }

    private func measure(_ model: RemoteLanguageModel, streams: Int) async throws -> Row {
        let clock = SystemClock()
        let (timings, seconds) = try await withThrowingTaskGroup(of: [ReplyTiming].self) { group in
            let start = clock.now
            for number in 0..<streams { group.addTask { try await converse(model, number) } }
            var timings: [ReplyTiming] = []
            for try await some in group { timings += some }
            return (timings, (clock.now - start).milliseconds / 1000)
        }
        let later = timings.filter { $0.usage.cachedTokens > 0 }
        return Row(
            model: model.name,
            streams: streams,
            cached_tokens: later.last?.usage.cachedTokens ?? 0,
            new_tokens: later.last.map { $0.usage.promptTokens - $0.usage.cachedTokens } ?? 0,
            ttft_ms: LatencyFigures(later.map(\.firstToken)),
            decode_ms: LatencyFigures(timings.flatMap(\.perToken)),
            tokens_per_s: Double(timings.reduce(0) { $0 + $1.usage.generatedTokens }) / max(0.001, seconds)
        )
    }

    /// One conversation: a question, and the same number of questions about the answers as there are repetitions.
    private func converse(_ model: RemoteLanguageModel, _ number: Int) async throws -> [ReplyTiming] {
        let chat = try await model.openChat()
        var messages = [
            ChatMessage(.system, "You are person \(number)'s agent. " + Settings().conversation.systemPrompt)
        ]
        var timings: [ReplyTiming] = []
        for turn in 0...repetitions {
            messages.append(ChatMessage(.user, BenchmarkUtterances.short[(number + turn) % 10] + "?"))
            let timing = try await ReplyTiming(chat, messages, tokens: Self.replyTokens)
            messages.append(ChatMessage(.assistant, timing.text))
            timings.append(timing)
        }
        return timings
    }
}
