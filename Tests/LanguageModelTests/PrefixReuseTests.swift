internal import Testing
internal import VoiceCore

@testable internal import LanguageModels

/// What a conversation costs after its first turn: the tokens of what is new, and none of what was said before.
@Suite(.serialized) struct PrefixReuseTests {
    static let real = Models.hasSmolLM2 ? [Models.smolLM2] : []
    static let models = [Models.attention, Models.hybrid, Models.thinking] + real

    /// A conversation as a session leads it: what was heard is read in the pause after each turn.
    private struct Talk {
        let chat: any Chat
        let vocabulary: Vocabulary
        var options = ChatOptions()
        var messages: [ChatMessage]
        /// Tokens that each reply had to read, and those of what was new for it.
        var costs: [(read: Int, new: Int)] = []

        /// Tokens of a prompt that ends with these messages, from the first of them on.
        private func new(_ count: Int, of messages: [ChatMessage]) -> Int {
            let format = vocabulary.tokenizer.format
            let rendered = format.render(messages, tools: options.tools).messages.suffix(count)
            let opening = format.replyOpening(isThinking: false)
            return vocabulary.tokenizer.tokens(rendered.flatMap(\.segments) + opening).count
        }

        /// Asks for a reply to a conversation whose last `count` messages are new.
        mutating func reply(_ asked: [ChatMessage], new count: Int, tokens: Int = 16) async throws -> String {
            let said = try await chat.say(asked, .greedy(tokens), options)
            costs.append((said.usage.promptTokens - said.usage.cachedTokens, new(count, of: asked)))
            return said.text
        }

        /// A turn is over: what of the answer was heard is in the conversation, and nobody waits.
        mutating func close(_ asked: [ChatMessage], heard: String) async throws {
            messages = asked
            if heard.contains(where: { !$0.isWhitespace }) { messages.append(ChatMessage(.assistant, heard)) }
            try await chat.prefill(messages, options: options, urgency: nil)
        }

        func asked(_ text: String) -> [ChatMessage] { messages + [ChatMessage(.user, text)] }
    }

    private func talk(_ path: String, tools: Bool = false) async throws -> Talk {
        let model = try await Models.load(path, contextLength: 2048)
        let system = ChatMessage(.system, "You are a friendly agent on the telephone. Answer in one short sentence.")
        var talk = Talk(chat: try await model.openChat(), vocabulary: try Vocabulary(path), messages: [system])
        if tools { talk.options.tools = [try ToolDeclaration(name: "now", description: "The time.")] }
        try await talk.chat.prefill([system], options: talk.options, urgency: nil)
        return talk
    }

    private func expectOnlyNew(_ talk: Talk) {
        for (turn, cost) in talk.costs.enumerated() {
            #expect(cost.read <= cost.new + 5, "turn \(turn): \(cost.read) tokens read, \(cost.new) new")
        }
    }

    @Test(arguments: models) func `turns that are heard to their end`(path: String) async throws {
        var talk = try await talk(path)
        for turn in 0..<6 {
            let asked = talk.asked("Question number \(turn): what is it about?")
            try await talk.close(asked, heard: try await talk.reply(asked, new: 1))
        }
        expectOnlyNew(talk)
    }

    @Test(arguments: models) func `a reply that is cut at a heard word`(path: String) async throws {
        var talk = try await talk(path)
        for turn in 0..<6 {
            let asked = talk.asked("Question number \(turn): what is it about?")
            let said = try await talk.reply(asked, new: 1, tokens: 24)
            try await talk.close(asked, heard: String(said.prefix(said.count * (1 + turn % 3) / 4)))
        }
        expectOnlyNew(talk)
    }

    @Test(arguments: models) func `notes that are put in between`(path: String) async throws {
        var talk = try await talk(path)
        for turn in 0..<4 {
            let asked = talk.asked("Question number \(turn): what is it about?")
            let heard = try await talk.reply(asked, new: 1)
            try await talk.close(asked, heard: heard)
            // Nothing is computed when a note comes; it is read with the next question.
            talk.messages.append(ChatMessage(.user, "The order's number is \(turn)."))
            let next = talk.asked("And then?")
            try await talk.close(next, heard: try await talk.reply(next, new: 2))
        }
        expectOnlyNew(talk)
    }

    @Test(arguments: models) func `drafts that are withdrawn, and what is read while the person speaks`(
        path: String
    ) async throws {
        var talk = try await talk(path)
        for turn in 0..<5 {
            let text = "Well, number \(turn), tell me how that came about"
            try await talk.chat.prefill(talk.asked("Well, number \(turn), tell"), options: talk.options, urgency: nil)
            _ = try await talk.chat.say(talk.asked(text), .greedy(4), talk.options)
            // The person goes on, and says it otherwise.
            _ = try await talk.chat.say(talk.asked("Well, number \(turn), do not tell me"), .greedy(3), talk.options)
            let asked = talk.asked(text + " in the end.")
            try await talk.close(asked, heard: try await talk.reply(asked, new: 1))
        }
        expectOnlyNew(talk)
    }

    @Test(arguments: [Models.thinking] + real)
    func `calls and their results`(path: String) async throws {
        var talk = try await talk(path, tools: true)
        for turn in 0..<4 {
            let asked = talk.asked("What time is it, number \(turn)?")
            _ = try await talk.reply(asked, new: 1)
            let call = ToolCall(id: "\(turn)", name: "now", arguments: [:])
            let result = ChatMessage.result(of: call, "ten past \(turn)")
            let called = asked + [ChatMessage(.assistant, "", toolCalls: [call]), result]
            // These models do not call by themselves: the call is new, too.
            try await talk.close(called, heard: try await talk.reply(called, new: 2))
        }
        expectOnlyNew(talk)
    }

    @Test(arguments: models) func `turns are left out while nobody waits`(path: String) async throws {
        let model = try await Models.load(path, chats: 2, contextLength: 512)
        let system = ChatMessage(.system, "You are a friendly agent on the telephone. Answer in one short sentence.")
        var talk = Talk(chat: try await model.openChat(), vocabulary: try Vocabulary(path), messages: [system])
        try await talk.chat.prefill([system])
        var leftOut = 0
        for turn in 0..<24 {
            let asked = talk.asked("Question number \(turn): what is it about?")
            let heard = try await talk.reply(asked, new: 1)
            talk.messages = asked + [ChatMessage(.assistant, heard)]
            let ahead = try await talk.chat.prefill(talk.messages)
            // A turn's own words are a small part of what is read again after others were left out.
            if ahead.promptTokens - ahead.cachedTokens > 60 { leftOut += 1 }
        }
        #expect(leftOut >= 2)
        expectOnlyNew(talk)
    }
}
