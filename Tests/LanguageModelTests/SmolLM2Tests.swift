import LanguageModels
import Testing
import VoiceCore

/// On the real model: replies that make sense.
@Suite(.serialized, .enabled(if: Models.hasSmolLM2)) struct SmolLM2Tests {
    private let question = [
        ChatMessage(.system, "You are a helpful voice assistant. Answer in one short sentence."),
        ChatMessage(.user, "What is the capital of France?"),
    ]

    @Test func `it answers, remembers, and reads only what is new`() async throws {
        let model = try await Models.load(Models.smolLM2)
        let chat = try await model.openChat()
        let first = try await chat.say(question, .greedy(40))
        #expect(first.text.contains("Paris"))
        #expect(!first.truncated && !first.text.contains("<|"))
        let next = question + [ChatMessage(.assistant, first.text), ChatMessage(.user, "What is it famous for?")]
        let second = try await chat.say(next, .greedy(40))
        // Everything but the end of the reply's message is in memory.
        #expect(second.usage.cachedTokens == first.usage.promptTokens + first.usage.generatedTokens)
        #expect(second.text.contains("Paris") || second.text.contains("Eiffel"))
        #expect(try await model.openChat().say(next, .greedy(40)).text == second.text)
    }

    @Test func `after an interruption it goes on as if it had said what was heard`() async throws {
        let model = try await Models.load(Models.smolLM2)
        let chat = try await model.openChat()
        let story = [question[0], ChatMessage(.user, "Tell me about the ocean.")]
        let said = try await chat.say(story, .greedy(40))
        let heard = said.text.split(separator: " ").prefix(6).joined(separator: " ")
        #expect(said.text.hasPrefix(heard))
        let next = story + [ChatMessage(.assistant, heard), ChatMessage(.user, "Stop. What is two plus two?")]
        let reply = try await chat.say(next, .greedy(30))
        #expect(reply.usage.cachedTokens >= said.usage.promptTokens + 4)
        #expect(reply.usage.cachedTokens < said.usage.promptTokens + said.usage.generatedTokens)
        #expect(try await model.openChat().say(next, .greedy(30)).text == reply.text)
    }

    @Test func `two chats at the same time say what each says alone`() async throws {
        let model = try await Models.load(Models.smolLM2)
        let other = [question[0], ChatMessage(.user, "Name three colours of the rainbow.")]
        let alone = [
            try await model.openChat().say(question, .greedy(30)).text,
            try await model.openChat().say(other, .greedy(30)).text,
        ]
        async let one = model.openChat().say(question, .greedy(30)).text
        async let two = model.openChat().say(other, .greedy(30)).text
        #expect(try await [one, two] == alone)
    }

    @Test func `the same seed says the same`() async throws {
        let model = try await Models.load(Models.smolLM2)
        let options = SamplingOptions(temperature: 0.8, seed: 7, maxTokens: 20)
        let first = try await model.openChat().say(question, options)
        #expect(first.text == (try await model.openChat().say(question, options)).text)
    }
}
