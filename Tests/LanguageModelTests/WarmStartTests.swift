internal import Foundation
internal import Synchronization
internal import Testing
internal import VoiceCore

@testable internal import LanguageModels

/// Instructions that were read once are read from disk the next time.
@Suite(.serialized) struct WarmStartTests {
    private static let models = [Models.attention, Models.hybrid]
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID())").path
    private let notes = Notes()
    private let system = ChatMessage(.system, String(repeating: "The shop opens at nine and closes at six. ", count: 8))

    private final class Notes: Sendable {
        private let lines = Mutex<[String]>([])
        var all: [String] { lines.withLock { $0 } }
        func add(_ line: String) { lines.withLock { $0.append(line) } }
    }

    private var question: [ChatMessage] { [system, ChatMessage(.user, "When do you open?")] }

    private func load(_ path: String, chats: Int = 2, limit: Int = 1 << 30) async throws -> LlamaLanguageModel {
        var configuration = LlamaLanguageModel.Configuration(chats: chats, contextLength: 1024, threads: 1)
        configuration.warmStart = WarmStartConfiguration(folder: folder, limit: limit) { [notes] in notes.add($0) }
        return try await LlamaLanguageModel(path: path, configuration: configuration)
    }

    private var files: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).map { folder + "/" + $0 }
    }

    private func write(_ path: String) async throws -> (head: ReplyUsage, said: Said) {
        let chat = try await load(path).openChat()
        return (try await chat.prefill([system]), try await chat.say(question))
    }

    @Test(arguments: models) func `the next process reads them from disk, and says the same`(path: String) async throws
    {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let (head, said) = try await write(path)
        #expect(head.promptTokens > 100 && head.cachedTokens == 0 && files.count == 1)
        let model = try await load(path)
        let again = try await model.openChat().prefill([system])
        #expect(again.cachedTokens == head.promptTokens && again.promptTokens == head.promptTokens)
        // A reply needs no prefill before it.
        let warm = try await load(path).openChat().say(question)
        #expect(warm.usage.cachedTokens == head.promptTokens)
        #expect(warm.text == said.text)
        #expect(notes.all.isEmpty && files.count == 1)
    }

    @Test(arguments: models) func `a second chat gets them from the first`(path: String) async throws {
        let model = try await Models.load(path, chats: 3)
        let first = try await model.openChat()
        let said = try await first.say(question)
        #expect(said.usage.cachedTokens == 0)
        let head = try await model.openChat().prefill([system])
        #expect(head.cachedTokens == head.promptTokens)
        let second = try await model.openChat().say(question)
        #expect(second.usage.cachedTokens == head.promptTokens && second.text == said.text)
        // The first goes on as before.
        let more = question + [ChatMessage(.assistant, said.text), ChatMessage(.user, "And on Sundays?")]
        #expect(try await first.say(more).usage.cachedTokens >= said.usage.promptTokens)
    }

    @Test(arguments: models) func `a damaged file is ignored and goes`(path: String) async throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let (head, said) = try await write(path)
        let file = try #require(files.first)
        let whole = try Data(contentsOf: URL(fileURLWithPath: file))
        for place in [0, 20, 40, 60, 300, whole.count / 2, whole.count - 1] {
            var damaged = whole
            damaged[place] ^= 0x10
            try damaged.write(to: URL(fileURLWithPath: file))
            let chat = try await load(path).openChat()
            let reply = try await chat.say(question)
            #expect(reply.usage.cachedTokens == 0 && reply.text == said.text)
            #expect(notes.all.last?.contains("is damaged") == true && files.isEmpty)
        }
        for count in [0, 1, 100, whole.count - 1] {
            try whole.prefix(count).write(to: URL(fileURLWithPath: file))
            #expect(try await load(path).openChat().say(question).usage.cachedTokens == 0)
        }
        try whole.write(to: URL(fileURLWithPath: file))
        #expect(try await load(path).openChat().say(question).usage.cachedTokens == head.promptTokens)
    }

    @Test func `files of another model, context or prompt are not looked at`() async throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        _ = try await write(Models.hybrid)
        #expect(try await load(Models.attention).openChat().say(question).usage.cachedTokens == 0)
        #expect(try await load(Models.hybrid, chats: 3).openChat().say(question).usage.cachedTokens == 0)
        let other = [ChatMessage(.system, system.content + "Today is Monday."), question[1]]
        #expect(try await load(Models.hybrid).openChat().say(other).usage.cachedTokens == 0)
        let tools = ChatOptions(tools: [try ToolDeclaration(name: "now", description: "The time.")])
        #expect(try await load(Models.hybrid).openChat().say(question, .greedy(), tools).usage.cachedTokens == 0)
        #expect(notes.all.isEmpty)
    }

    @Test func `a short prompt is not worth a file`() async throws {
        let chat = try await load(Models.attention).openChat()
        try await chat.prefill([ChatMessage(.system, "Be brief.")])
        #expect(files.isEmpty)
    }

    @Test func `a folder that cannot be written to costs nothing but a note`() async throws {
        try Data("no folder".utf8).write(to: URL(fileURLWithPath: folder))
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let chat = try await load(Models.attention).openChat()
        #expect(try await chat.prefill([system]).promptTokens > 100)
        #expect(try await chat.say(question).usage.generatedTokens > 0)
        #expect(notes.all.count == 1 && notes.all[0].contains("cannot be written"))
    }

    @Test func `the folder keeps to its limit, and what was not used longest goes`() async throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let states = StateFolder(path: folder, limit: 1000)
        for (index, name) in ["a", "b", "c"].enumerated() {
            #expect(try states.write(name + StateFile.ending, [Data(count: 300)]))
            let used = Date(timeIntervalSinceNow: Double(index - 10))
            try FileManager.default.setAttributes([.modificationDate: used], ofItemAtPath: "\(folder)/\(name).state")
        }
        #expect(states.size == (3, 900))
        #expect(states.read("a.state")?.count == 300)
        #expect(try states.write("d.state", [Data(count: 100), Data(count: 301)]))
        #expect(states.has("a.state") && states.has("d.state") && !states.has("b.state") && !states.has("c.state"))
        #expect(states.read("b.state") == nil)
        let cancelled = await withTaskGroup(of: Bool?.self) { group in
            group.addTask {
                withUnsafeCurrentTask { $0?.cancel() }
                return try? states.write("e.state", [Data(count: 10)])
            }
            return await group.next() ?? nil
        }
        #expect(cancelled == false && !states.has("e.state"))
        #expect(files.allSatisfy { $0.hasSuffix(".state") })
    }
}
