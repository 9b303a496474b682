internal import Foundation
internal import Inference
internal import Synchronization
internal import Testing
internal import VoiceCore

@testable internal import LanguageModels

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
    func `a reply tells first how likely its question is complete, and is the same for that`(path: String) async throws
    {
        let model = try await Models.load(path)
        #expect(model.judgesCompleteness)
        var options = ChatOptions()
        options.judgesCompleteness = true
        let plain = try await model.openChat().say(opening)
        #expect(plain.completeness == nil)
        let chat = try await model.openChat()
        let first = try await chat.say(opening, .greedy(), options)
        #expect(first.text == plain.text && first.usage == plain.usage)
        let probability = try #require(first.completeness)
        #expect(probability > 0 && probability < 1)
        // What is in memory already is asked again; signs at the end change nothing.
        for text in ["Hello there!", "Hello there", "Hello there...", "Hello there?"] {
            let again = try await chat.say([opening[0], ChatMessage(.user, text)], .greedy(2), options)
            #expect(abs(try #require(again.completeness) - probability) < 1e-3)
        }
        // Other words, read in several batches.
        let long = String(repeating: "and then some more ", count: 30)
        let other = try await chat.say([opening[0], ChatMessage(.user, long)], .greedy(2), options)
        #expect(other.completeness != nil)
    }

    @Test(arguments: models)
    func `a reply that was cut off goes on where it was, and costs no reading`(path: String) async throws {
        let model = try await Models.load(path)
        #expect(model.continuesMessages)
        let chat = try await model.openChat()
        let whole = try await chat.say(opening, .greedy(16))
        var options = ChatOptions()
        options.continuesLastMessage = true
        var compared = 0
        for count in [1, 5, 9, 15] {
            let begun = try await chat.say(opening, .greedy(count))
            // A tokenizer may make other tokens of what is no text that anybody would write.
            guard begun.text.contains(where: { !$0.isWhitespace }), !begun.text.contains("\u{FFFD}"),
                begun.text.last?.isWhitespace == false, begun.text.first?.isWhitespace == false
            else { continue }
            compared += 1
            let asked = opening + [ChatMessage(.assistant, begun.text)]
            let rest = try await chat.say(asked, .greedy(16 - count), options)
            #expect(begun.text + rest.text == whole.text, "\(count) tokens")
            #expect(rest.usage.promptTokens == whole.usage.promptTokens + count)
            // The next turn finds both parts.
            let next = opening + [ChatMessage(.assistant, whole.text), ChatMessage(.user, "And?")]
            let reply = try await chat.say(next, .greedy(4))
            #expect(reply.usage.cachedTokens >= whole.usage.promptTokens + 15)
            #expect(reply.text == (try await model.openChat().say(next, .greedy(4))).text)
        }
        #expect(compared > 0)
    }

    @Test func `only words of the assistant can be gone on with`() async throws {
        let chat = try await Models.load(Models.attention).openChat()
        var options = ChatOptions()
        options.continuesLastMessage = true
        let call = ToolCall(id: "1", name: "now", arguments: [:])
        for last in [
            ChatMessage(.user, "Hi"), ChatMessage(.assistant, "\n "),
            ChatMessage(.assistant, "Hi", toolCalls: [call]),
        ] {
            let error = await #expect(throws: VoiceError.self) {
                _ = try await chat.say(opening + [last], .greedy(2), options)
            }
            #expect(error?.code == .usage)
        }
        // One that is longer than the context.
        let long = String(repeating: "and then some more ", count: 400)
        let said = try await chat.say(opening + [ChatMessage(.assistant, long)], .greedy(4), options)
        #expect(said.usage.generatedTokens > 0 && said.usage.promptTokens < 1024)
    }

    @Test func `a question without words, and the results of calls, are not judged`() async throws {
        let model = try await Models.load(Models.attention)
        let chat = try await model.openChat()
        var options = ChatOptions()
        options.judgesCompleteness = true
        for text in ["", "?"] {
            let said = try await chat.say([ChatMessage(.user, text)], .greedy(2), options)
            #expect(said.completeness == nil && said.usage.generatedTokens > 0)
        }
        let answered = opening + [ChatMessage(.assistant, "Hi.")]
        #expect(try await chat.say(answered, .greedy(2), options).completeness == nil)
        #expect(try await chat.say([opening[0]], .greedy(2), options).completeness == nil)
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
    func `replies that want their next token at the same time get it from one step`(path: String) async throws {
        let quanta = Mutex<[Quantum]>([])
        let lane = Lane(name: "test") { quantum in quanta.withLock { $0.append(quantum) } }
        var configuration = LlamaLanguageModel.Configuration(chats: 4, contextLength: 1024, threads: 1, lane: lane)
        configuration.name = "tiny"
        let model = try await LlamaLanguageModel(path: path, configuration: configuration)
        // Read before anybody speaks: what nobody waits for comes last.
        var chats: [any Chat] = []
        for _ in 0..<4 { chats.append(try await model.openChat()) }
        for chat in chats { try await chat.prefill(opening) }
        // While another engine has the device all four come to wait for it, however slowly their threads are woken.
        let other = Task {
            while !Task.isCancelled {
                let request = QuantumRequest(QuantumKind(engine: "other", step: "step"), .recognition)
                try? await lane.occupy(request) { () async throws(VoiceError) in
                    try? await Task.sleep(for: .milliseconds(2))
                }
            }
        }
        defer { other.cancel() }
        let said = try await withThrowingTaskGroup(of: Said.self) { group in
            for (number, chat) in chats.enumerated() {
                group.addTask { try await chat.say(opening + [ChatMessage(.user, "\(number)")], .greedy(100)) }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(said.allSatisfy { $0.usage.generatedTokens == 100 })
        let steps = quanta.withLock { $0 }.filter { $0.request.kind.description == "llm.decode" }
        // The first token comes with the end of the prompt, on hybrid models in a step of its own.
        let tokens = 4 * (path == Models.hybrid ? 100 : 99)
        // Replies that have reached their limit end with a step that computes nothing.
        let units = steps.reduce(0) { $0 + $1.request.units }
        #expect((tokens...(tokens + 4)).contains(units))
        #expect(steps.count < tokens / 2, "\(steps.count) steps for \(tokens) tokens")
    }

    @Test(arguments: models)
    func `a cancelled reply computes no further and the chat goes on`(path: String) async throws {
        let model = try await Models.load(path)
        let chat = try await model.openChat()
        let whole = try await chat.say(opening, .greedy(200))
        let events = try await inCancellableTask {
            var events = 0
            for try await event in chat.reply(to: opening, sampling: .greedy(200)) {
                if case .finished = event { Issue.record("it was not cancelled") }
                events += 1
                if events == 3 { withUnsafeCurrentTask { $0?.cancel() } }
            }
            return events
        }
        #expect((3...4).contains(events))
        let again = try await chat.say(opening, .greedy(200))
        #expect(again.text == whole.text)
    }

    @Test func `a cancelled prefill keeps what it has read`() async throws {
        let model = try await Models.load(Models.attention)
        let chat = try await model.openChat()
        let messages = [ChatMessage(.user, String(repeating: "many words ", count: 40))]
        let error = await #expect(throws: VoiceError.self) {
            try await inCancellableTask {
                withUnsafeCurrentTask { $0?.cancel() }
                return try await chat.prefill(messages)
            }
        }
        #expect(error?.code == .cancelled)
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

    @Test func `a model that thinks ends its thoughts when their budget is spent, and then speaks`() async throws {
        let model = try await Models.load(Models.thinking)
        let options = ChatOptions(reasoning: .budget(7))
        let said = try await model.openChat().say(opening, .greedy(5), options)
        #expect(said.reasoning.count >= 5 && said.text.count >= 5 && !said.text.contains("think"))
        // Seven thoughts, the two line breaks and the mark that end them, five words.
        #expect(said.usage.generatedTokens == 7 + 3 + 5 && said.truncated)
        #expect(said == (try await model.openChat().say(opening, .greedy(5), options)))
    }

    @Test(arguments: [Reasoning.off, .budget(0)])
    func `a model that may not think speaks at once`(reasoning: Reasoning) async throws {
        let model = try await Models.load(Models.thinking)
        let said = try await model.openChat().say(opening, .greedy(5), ChatOptions(reasoning: reasoning))
        #expect(said.reasoning.isEmpty && said.usage.generatedTokens == 5)
    }

    @Test func `in the form of Nemotron only new tokens are read, with tools and after their results`() async throws {
        let model = try await Models.load(Models.thinking, contextLength: 4096)
        let chat = try await model.openChat()
        let options = ChatOptions(tools: [try ToolDeclaration(name: "now", description: "The time.")])
        var messages = opening
        var memory = 0
        for turn in 0..<4 {
            let ahead = try await chat.prefill(messages, options: options, urgency: nil)
            if turn > 0 { #expect(ahead.cachedTokens == memory) }
            let said = try await chat.say(messages, .greedy(12), options)
            #expect(said.usage.cachedTokens > memory)
            // A reply that reached its limit has one token that was chosen and not read.
            memory = said.usage.promptTokens + said.usage.generatedTokens - 1
            messages += [ChatMessage(.assistant, said.text), ChatMessage(.user, "And number \(turn)?")]
        }
    }

    @Test func `thoughts of earlier turns are not in the prompt, and cost their answers only`() async throws {
        let model = try await Models.load(Models.thinking)
        let chat = try await model.openChat()
        let options = ChatOptions(reasoning: .budget(20))
        let first = try await chat.say(opening, .greedy(5), options)
        let next = opening + [ChatMessage(.assistant, first.text), ChatMessage(.user, "And?")]
        let second = try await chat.say(next, .greedy(5), options)
        // All but the line break after <think>, which is where the prompts part.
        #expect(second.usage.cachedTokens == first.usage.promptTokens - 1)
    }

    @Test func `what a model cannot do is refused, and the chat goes on`() async throws {
        let model = try await Models.load(Models.attention)
        let chat = try await model.openChat()
        let error = await #expect(throws: VoiceError.self) {
            try await chat.say(opening, .greedy(), ChatOptions(reasoning: .on))
        }
        #expect(error?.code == .usage)
        #expect(try await chat.say(opening).usage.generatedTokens > 0)
    }

    @Test(arguments: [(0, 1024), (65, 1024), (4, 10), (4, -1)])
    func `a configuration without meaning is refused`(chats: Int, contextLength: Int) async {
        let error = await #expect(throws: VoiceError.self) {
            try await Models.load(Models.attention, chats: chats, contextLength: contextLength)
        }
        #expect(error?.code == .usage)
    }
}

/// Runs `body` in a task of its own, which it may cancel.
private func inCancellableTask<Value: Sendable>(
    _ body: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    try await withThrowingTaskGroup(of: Value.self) { group in
        group.addTask { try await body() }
        return try #require(await group.next())
    }
}
