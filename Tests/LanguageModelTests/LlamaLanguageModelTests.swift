import Foundation
import Inference
import Testing
import VoiceCore

@testable import LanguageModels

/// On random weights: what is said makes no sense, but everything about how it is computed shows.
@Suite(.serialized) struct LlamaLanguageModelTests {
    static let models = [Models.attention, Models.hybrid]
    private let opening = [ChatMessage(.system, "Be brief."), ChatMessage(.user, "Hello there!")]

    @Test(arguments: models)
    func `a reply is the same each time and counts its tokens`(path: String) async throws {
        let model = try await Models.load(path)
        let first = try await model.openChat().say(opening)
        #expect(first == (try await model.openChat().say(opening)))
        #expect(first.usage.cachedTokens == 0)
        #expect(first.usage.promptTokens > 20)
        #expect(first.usage.generatedTokens == 24 && first.truncated)
    }

    @Test(arguments: models)
    func `the next turn reads only what is new, and says what a fresh chat says`(path: String) async throws {
        let model = try await Models.load(path)
        let chat = try await model.openChat()
        var messages = opening
        var memory = 0
        for turn in 0..<5 {
            let said = try await chat.say(messages)
            // A reply that reached its limit has one token that was chosen and not read.
            let held = memory - 1
            if turn > 0 { #expect(said.usage.cachedTokens == held) }
            let fresh = try await model.openChat().say(messages)
            // Random weights may say "t", "h" where a tokenizer writes "th": then a fresh chat reads other tokens.
            if fresh.usage.promptTokens == said.usage.promptTokens { #expect(said.text == fresh.text) }
            memory = said.usage.promptTokens + said.usage.generatedTokens
            messages += [ChatMessage(.assistant, said.text), ChatMessage(.user, "And number \(turn)?")]
        }
    }

    @Test(arguments: models)
    func `after an interruption only what was not heard is read again`(path: String) async throws {
        let model = try await Models.load(path)
        let chat = try await model.openChat()
        let said = try await chat.say(opening)
        let heard = String(said.text.prefix(said.text.count / 2))
        let next = opening + [ChatMessage(.assistant, heard), ChatMessage(.user, "Wait.")]
        let reply = try await chat.say(next)
        let isHybrid = path == Models.hybrid
        // Pure attention keeps the heard tokens; a hybrid goes back to the end of the prompt, less its last token.
        if isHybrid {
            #expect(reply.usage.cachedTokens == said.usage.promptTokens - 1)
        } else {
            #expect(reply.usage.cachedTokens >= said.usage.promptTokens)
            #expect(reply.usage.cachedTokens < said.usage.promptTokens + said.usage.generatedTokens)
        }
        // The memory is what a chat has that reads those very tokens.
        let again = try await chat.say(next)
        #expect(again.text == reply.text)
        #expect(again.usage.cachedTokens == reply.usage.promptTokens - 1)
    }

    @Test(arguments: models)
    func `a heard text of whole words continues as in a fresh chat`(path: String) async throws {
        let model = try await Models.load(path)
        let chat = try await model.openChat()
        _ = try await chat.say(opening)
        // Nothing of the reply was heard: the memory must be as if it had never been said.
        let next = opening + [ChatMessage(.assistant, ""), ChatMessage(.user, "Hello?")]
        let reply = try await chat.say(next)
        let fresh = try await model.openChat().say(next)
        #expect(reply.text == fresh.text)
        #expect(reply.usage.cachedTokens > 0)
    }

    @Test(arguments: models)
    func `a prefill is read once, and a growing one reads what grew`(path: String) async throws {
        let model = try await Models.load(path)
        let chat = try await model.openChat()
        let system = try await chat.prefill([opening[0]])
        #expect(system.cachedTokens == 0 && system.generatedTokens == 0)
        let partial = try await chat.prefill([opening[0], ChatMessage(.user, "Hello")])
        #expect(partial.cachedTokens == system.promptTokens)
        let again = try await chat.prefill([opening[0], ChatMessage(.user, "Hello")])
        #expect(again.cachedTokens == again.promptTokens)
        let reply = try await chat.say(opening)
        #expect(reply.usage.cachedTokens >= partial.promptTokens - 1)
        #expect(reply.text == (try await model.openChat().say(opening)).text)
    }

    @Test(arguments: models)
    func `chats that speak at the same time say what each says alone`(path: String) async throws {
        let model = try await Models.load(path)
        let questions = ["one", "two and more", "three of them, and a longer one at that"]
        var alone: [String] = []
        for question in questions { alone.append(try await model.openChat().say([ChatMessage(.user, question)]).text) }
        let together = try await withThrowingTaskGroup(of: (Int, String).self) { group in
            for (index, question) in questions.enumerated() {
                group.addTask { (index, try await model.openChat().say([ChatMessage(.user, question)]).text) }
            }
            return try await group.reduce(into: [Int: String]()) { $0[$1.0] = $1.1 }
        }
        #expect((0..<3).map { together[$0] } == alone)
    }

    @Test(arguments: models)
    func `a cancelled reply computes no further and the chat goes on`(path: String) async throws {
        let model = try await Models.load(path)
        let chat = try await model.openChat()
        let whole = try await chat.say(opening, .greedy(200))
        let task = Task {
            var pieces = 0
            for try await event in chat.reply(to: opening, sampling: .greedy(200)) {
                if case .finished = event { Issue.record("it was not cancelled") }
                pieces += 1
                if pieces == 3 { withUnsafeCurrentTask { $0?.cancel() } }
            }
            return pieces
        }
        #expect(try await task.value <= 4)
        let again = try await chat.say(opening, .greedy(200))
        #expect(again.text == whole.text)
    }

    @Test func `a cancelled prefill keeps what it has read`() async throws {
        let model = try await Models.load(Models.attention)
        let chat = try await model.openChat()
        let messages = [ChatMessage(.user, String(repeating: "many words ", count: 40))]
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            try await chat.prefill(messages)
        }
        await #expect(throws: VoiceError.self) { try await task.value }
        #expect(try await chat.say(messages).usage.cachedTokens == 0)
    }

    @Test(arguments: models)
    func `a conversation beyond the context goes on`(path: String) async throws {
        let model = try await Models.load(path, chats: 2, contextLength: 256)
        let chat = try await model.openChat()
        var messages = [opening[0]]
        for turn in 0..<12 {
            messages.append(ChatMessage(.user, "This is question number \(turn), please say something."))
            let said = try await chat.say(messages, .greedy(40))
            #expect(said.usage.promptTokens + said.usage.generatedTokens <= 256)
            #expect(said.usage.generatedTokens == 40 || !said.truncated)
            messages.append(ChatMessage(.assistant, said.text))
        }
        let long = try await chat.say([ChatMessage(.user, String(repeating: "word ", count: 20_000))], .greedy(10))
        #expect(long.usage.promptTokens > 200 && long.usage.generatedTokens > 0)
    }

    @Test func `a reply that fills the context is cut there`() async throws {
        let model = try await Models.load(Models.attention, chats: 1, contextLength: 64)
        let said = try await model.openChat().say([ChatMessage(.user, "Hi")], .greedy(10_000))
        #expect(said.usage.promptTokens + said.usage.generatedTokens <= 64)
        #expect(said.truncated)
    }

    @Test func `one chat too many is refused, and a chat that goes makes room`() async throws {
        let model = try await Models.load(Models.attention, chats: 2)
        let first = try await model.openChat()
        var second: (any Chat)? = try await model.openChat()
        let secondText = try await second?.say(opening).text
        let error = await #expect(throws: VoiceError.self) { try await model.openChat() }
        #expect(error?.code == .exhausted)
        second = nil
        let third = try await model.openChat()
        let said = try await third.say(opening)
        #expect(said.usage.cachedTokens == 0)
        #expect(said.text == secondText)
        _ = first
    }

    @Test func `an error in one chat leaves the others alone`() async throws {
        let model = try await Models.load(Models.attention)
        let (good, bad) = (try await model.openChat(), try await model.openChat())
        let before = try await good.say(opening)
        await #expect(throws: VoiceError.self) { try await bad.say([]) }
        await #expect(throws: VoiceError.self) { try await bad.prefill([]) }
        #expect(try await good.say(opening).text == before.text)
        #expect(try await bad.say(opening).text == before.text)
    }

    @Test func `a new reply ends the one before it`() async throws {
        let model = try await Models.load(Models.attention)
        let chat = try await model.openChat()
        var old = chat.reply(to: opening, sampling: .greedy()).makeAsyncIterator()
        _ = try await old.next()
        let whole = try await chat.say(opening)
        #expect(try await old.next() == nil)
        #expect(whole.usage.generatedTokens > 0)
    }

    @Test func `limits of nothing and odd requests are answered`() async throws {
        let model = try await Models.load(Models.attention)
        let chat = try await model.openChat()
        let nothing = try await chat.say(opening, .greedy(0))
        #expect(nothing.text.isEmpty && nothing.truncated)
        #expect(try await chat.say([ChatMessage(.assistant, "I spoke first.")]).usage.generatedTokens > 0)
        #expect(try await chat.say([ChatMessage(.user, "")]).usage.generatedTokens > 0)
        #expect(try await chat.say([ChatMessage(.user, "\0 \u{FEFF} \u{202E}")]).usage.generatedTokens > 0)
    }

    @Test(arguments: [(0, 1024), (65, 1024), (4, 10), (4, -1)])
    func `a configuration without meaning is refused`(chats: Int, contextLength: Int) async {
        let error = await #expect(throws: VoiceError.self) {
            try await Models.load(Models.attention, chats: chats, contextLength: contextLength)
        }
        #expect(error?.code == .usage)
    }
}

@Suite struct RefusedModelTests {
    private func refusal(_ data: Data) async throws -> VoiceError {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID()).gguf").path
        try data.write(to: URL(fileURLWithPath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try #require(await #expect(throws: VoiceError.self) { try await LlamaLanguageModel(path: path) })
    }

    @Test func `a file that is missing, empty or cut off is refused`() async throws {
        let error = await #expect(throws: VoiceError.self) { try await LlamaLanguageModel(path: "/no/such/model.gguf") }
        #expect(error?.code == .missingInput)
        let whole = try Data(contentsOf: URL(fileURLWithPath: Models.attention))
        for length in [0, 3, 100, 5000, whole.count / 2, whole.count - 64] {
            #expect(try await refusal(whole.prefix(length)).code == .malformedInput)
        }
    }

    /// Replaces text of the same length in a good file.
    @Test(arguments: [
        ("<|im_start|>", "<|im_begin|>", "<|im_start|>"),
        ("gpt2", "bert", "tokenizer"),
        ("general.architecture", "general.Architecture", "general.architecture"),
        ("tokenizer.ggml.tokens", "tokenizer.ggml.Tokens", "tokenizer.ggml.tokens"),
        ("\u{5}\0\0\0\0\0\0\0llama", "\u{5}\0\0\0\0\0\0\0lamas", "llama.cpp does not load it"),
        ("llama.block_count", "llama.block_Count", "llama.block_count"),
        ("blk.1.ffn_gate.weight", "blk.1.ffn_gaTe.weight", "llama.cpp does not load it"),
        ("output_norm.weight", "output_Norm.weight", "llama.cpp does not load it"),
    ])
    func `a model of another kind is refused by name`(old: String, new: String, mention: String) async throws {
        var data = try Data(contentsOf: URL(fileURLWithPath: Models.attention))
        let range = try #require(data.range(of: Data(old.utf8)))
        data.replaceSubrange(range, with: Data(new.utf8))
        // The template names the token as well; a renamed one is missing from the vocabulary.
        let error = try await refusal(data)
        #expect(error.code == .malformedInput)
        #expect(error.message.contains(mention), "\(error.message)")
    }

    /// Numbers that llama.cpp asserts about instead of reporting.
    @Test(arguments: [
        ("llama.block_count", 0), ("llama.block_count", 100_000), ("llama.embedding_length", 0),
        ("llama.attention.head_count_kv", 3), ("llama.context_length", 0),
    ])
    func `a model with impossible numbers is refused`(key: String, value: UInt32) async throws {
        var data = try Data(contentsOf: URL(fileURLWithPath: Models.attention))
        let range = try #require(data.range(of: Data(key.utf8)))
        let start = range.upperBound + 4
        withUnsafeBytes(of: value.littleEndian) { data.replaceSubrange(start..<(start + 4), with: $0) }
        #expect(try await refusal(data).code == .malformedInput)
    }

    @Test func `a vocabulary with a token twice is refused`() async throws {
        var data = try Data(contentsOf: URL(fileURLWithPath: Models.attention))
        let range = try #require(data.range(of: Data("</s>".utf8)))
        data.replaceSubrange(range, with: Data("<s>>".utf8))
        let other = try #require(data.range(of: Data("<unk>".utf8)))
        data.replaceSubrange(other, with: Data("<s>>\0".utf8))
        // "<s>>" and "<s>>\0" differ; make them equal by shortening nothing: the merge "the" is there once only.
        let the = try #require(data.range(of: Data("\u{2}\0\0\0\0\0\0\0in".utf8)))
        data.replaceSubrange(the, with: Data("\u{2}\0\0\0\0\0\0\0th".utf8))
        let error = try await refusal(data)
        #expect(error.message.contains("'th' twice"), "\(error.message)")
    }
}
