internal import Conversation
internal import Foundation
internal import LanguageModels
internal import VoiceCore

/// What the benchmark of the language engine measures, with one number of threads.
struct LanguageModelTrial {
    let store: ModelStore
    let model: String
    let threads: Int
    let slice: Int?
    let repetitions: Int

    static let replyTokens = 24
    /// Long enough that all speak at the same time for most of it.
    private static let streamTokens = 64

    /// Tokens of context for a head of about so many.
    static func contextLength(forHead tokens: Int) -> Int { tokens + tokens / 8 + 512 }

    // MARK: one reply

    /// First questions, short and long, and the next one in the same conversation.
    func single() async throws -> [LanguageModelBenchmark.Row] {
        let engine = try await engine(chats: 2)
        var cold: [ReplyTiming] = []
        var coldLong: [ReplyTiming] = []
        var next: [ReplyTiming] = []
        let long = ChatMessage(.user, BenchmarkUtterances.long.joined(separator: ". ") + ".")
        for repetition in 0..<repetitions {
            // Different each time: what another conversation has read already would not be read again.
            let system = ChatMessage(.system, "\(repetition): " + ConversationConfiguration.defaultSystemPrompt)
            cold.append(try await time(engine.openChat(), [system, question(repetition)]))
            let other = ChatMessage(.system, "\(repetition), long: " + ConversationConfiguration.defaultSystemPrompt)
            let chat = try await engine.openChat()
            let first = try await time(chat, [other, long])
            coldLong.append(first)
            let answer = ChatMessage(.assistant, first.text)
            next.append(try await time(chat, [other, long, answer, question(repetition + 1)]))
        }
        var rows = [row("cold", engine, cold), row("cold_long", engine, coldLong), row("next", engine, next)]
        let times = await engine.parsingTimes(ofReply: coldLong.map(\.text).joined(separator: " "))
        rows[2].parse_us = LatencyFigures(times.map { $0 / .microseconds(1) })
        return rows
    }

    // MARK: several replies

    /// Replies that are made at the same time.
    func streams(_ count: Int) async throws -> LanguageModelBenchmark.Row {
        let engine = try await engine(chats: count)
        var first: [Double] = []
        var steps: [Double] = []
        var rates: [Double] = []
        for repetition in 0..<repetitions {
            let timings = try await together(count, engine, repetition)
            first += timings.map(\.firstToken)
            let begin = timings.compactMap(\.moments.first).max() ?? .zero
            let end = timings.compactMap(\.moments.last).min() ?? .zero
            let shared = timings.map { $0.moments.filter { $0 >= begin && $0 <= end } }
            steps += shared.flatMap { moments in zip(moments.dropFirst(), moments).map { ($0 - $1).milliseconds } }
            let tokens = shared.reduce(0) { $0 + max(0, $1.count - 1) }
            if end > begin { rates.append(Double(tokens) / ((end - begin) / .seconds(1))) }
        }
        return LanguageModelBenchmark.Row(
            case: "streams",
            model: engine.name,
            threads: threads,
            streams: count,
            cached_tokens: 0,
            new_tokens: 0,
            ttft_ms: LatencyFigures(first),
            decode_ms: LatencyFigures(steps),
            prefill_tokens_per_s: 0,
            tokens_per_s: LatencyFigures(rates).p50
        )
    }

    private func together(_ count: Int, _ engine: LlamaLanguageModel, _ repetition: Int) async throws -> [ReplyTiming] {
        var asked: [(chat: any Chat, messages: [ChatMessage])] = []
        for number in 0..<count {
            let chat = try await engine.openChat()
            let question = BenchmarkUtterances.long[(repetition + number) % 10] + "? Tell me all of it."
            let system = ChatMessage(.system, ConversationConfiguration.defaultSystemPrompt)
            // Otherwise some have ended before the last ones begin.
            try await chat.prefill([system, ChatMessage(.user, question)])
            asked.append((chat, [system, ChatMessage(.user, question)]))
        }
        let start = SystemClock().now
        return try await withThrowingTaskGroup(of: ReplyTiming.self) { group in
            for (chat, messages) in asked {
                group.addTask { try await time(chat, messages, tokens: Self.streamTokens, since: start) }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }

    // MARK: long instructions

    /// Instructions of about so many tokens: computed, in memory, copied from another conversation, and read from disk.
    func head(tokens: Int) async throws -> [LanguageModelBenchmark.Row] {
        let folder = NSTemporaryDirectory() + "repartee-bench-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        // A sentence has about nine tokens.
        let facts = (0..<max(1, tokens * 4 / 35)).map {
            "The shop in street number \($0) opens at nine o'clock every day."
        }
        let system = ChatMessage(.system, facts.joined(separator: " "))
        var (computed, cached, copied, fromDisk): ([ReplyTiming], [ReplyTiming], [ReplyTiming], [ReplyTiming]) = (
            [], [], [], []
        )
        let engine = try await engine(chats: 2, head: tokens, folder: folder)
        let chat = try await engine.openChat()
        computed.append(try await time(chat, [system, question(0)]))
        for repetition in 0..<repetitions {
            cached.append(try await time(chat, [system, question(repetition + 1)]))
            copied.append(try await time(engine.openChat(), [system, question(repetition)]))
        }
        // Writes the file.
        try await chat.prefill([system])
        for repetition in 0..<repetitions {
            let engine = try await self.engine(chats: 2, head: tokens, folder: folder)
            fromDisk.append(try await time(engine.openChat(), [system, question(repetition)]))
        }
        return [
            row("head_computed", engine, computed), row("head_cached", engine, cached),
            row("head_copied", engine, copied), row("head_from_disk", engine, fromDisk),
        ]
    }

    // MARK: parts

    private func engine(chats: Int, head: Int? = nil, folder: String? = nil) async throws -> LlamaLanguageModel {
        var settings = Settings()
        settings.languageModel = model
        settings.languageModelConfiguration.threads = threads
        settings.languageModelConfiguration.slice = slice
        settings.warmStart.isOn = folder != nil
        settings.warmStart.folder = folder
        settings.warmStart.megabytes = 1 << 20
        if let head {
            settings.languageModelConfiguration.contextLength = Self.contextLength(forHead: head)
            settings.languageModelConfiguration.exceedsTraining = true
        }
        return try await EngineRoom(store: store, settings: settings).localLanguageModel(chats: chats)
    }

    private func question(_ number: Int) -> ChatMessage {
        ChatMessage(.user, BenchmarkUtterances.short[number % BenchmarkUtterances.short.count] + "?")
    }

    private func time(
        _ chat: any Chat,
        _ messages: [ChatMessage],
        tokens: Int = replyTokens,
        since start: Duration? = nil
    ) async throws -> ReplyTiming {
        try await ReplyTiming(chat, messages, tokens: tokens, since: start)
    }

    private func row(
        _ name: String,
        _ engine: LlamaLanguageModel,
        _ timings: [ReplyTiming]
    ) -> LanguageModelBenchmark.Row {
        let new = timings.map { $0.usage.promptTokens - $0.usage.cachedTokens }
        let first = LatencyFigures(timings.map(\.firstToken))
        let mean = Double(new.reduce(0, +)) / Double(max(1, new.count))
        return LanguageModelBenchmark.Row(
            case: name,
            model: engine.name,
            threads: threads,
            cached_tokens: timings.last?.usage.cachedTokens ?? 0,
            new_tokens: new.last ?? 0,
            ttft_ms: first,
            decode_ms: LatencyFigures(timings.flatMap(\.perToken)),
            prefill_tokens_per_s: first.p50 > 0 ? mean / first.p50 * 1000 : 0
        )
    }
}
