internal import Foundation
internal import LanguageModels
internal import Testing
internal import VoiceCore

/// On the real model: replies that make sense.
@Suite(.serialized, .enabled(if: Models.hasSmolLM2)) struct SmolLM2Tests {
    private let question = [
        ChatMessage(.system, "You are a helpful voice assistant. Answer in one short sentence."),
        ChatMessage(.user, "What is the capital of France?"),
    ]

    @Test func `it answers, remembers, and reads only what is new`() async throws {
        let model = try await Models.load(Models.smolLM2)
        let chat = try await model.openChat()
        let first = try await chat.say(question, .greedy(14))
        #expect(first.text.contains("Paris"))
        #expect(!first.truncated && !first.text.contains("<|"))
        let next = question + [ChatMessage(.assistant, first.text), ChatMessage(.user, "And of Italy?")]
        let second = try await chat.say(next, .greedy(14))
        // Everything but the end of the reply's message is in memory.
        #expect(second.usage.cachedTokens == first.usage.promptTokens + first.usage.generatedTokens)
        #expect(second.text.contains("Rome"))
        #expect(try await model.openChat().say(next, .greedy(14)).text == second.text)
    }

    @Test func `it tells questions from halves of them`() async throws {
        let chat = try await Models.load(Models.smolLM2).openChat()
        var options = ChatOptions()
        options.judgesCompleteness = true
        // By the same weights in NumPy: Reference/LanguageModels/sentence_ends.py. The engine rounds activations to 8 bits.
        for (text, expected) in [
            ("what is the capital of france", 0.9174), ("what is the capital of", 0.00011),
            ("Set a timer for ten minutes.", 0.297), ("Set a timer for.", 0.00002),
        ] as [(String, Float)] {
            let said = try await chat.say([question[0], ChatMessage(.user, text)], .greedy(1), options)
            let found = try #require(said.completeness)
            let difference = log(found / (1 - found)) - log(expected / (1 - expected))
            #expect(abs(difference) < 0.5, "\(text): \(found)")
        }
    }

    @Test func `after an interruption it goes on as if it had said what was heard`() async throws {
        let model = try await Models.load(Models.smolLM2)
        let chat = try await model.openChat()
        let story = [question[0], ChatMessage(.user, "Tell me about the ocean.")]
        let said = try await chat.say(story, .greedy(14))
        let heard = said.text.split(separator: " ").prefix(6).joined(separator: " ")
        #expect(said.text.hasPrefix(heard))
        let next = story + [ChatMessage(.assistant, heard), ChatMessage(.user, "Stop. What is two plus two?")]
        let reply = try await chat.say(next, .greedy(10))
        #expect(reply.usage.cachedTokens >= said.usage.promptTokens + 4)
        #expect(reply.usage.cachedTokens < said.usage.promptTokens + said.usage.generatedTokens)
        #expect(try await model.openChat().say(next, .greedy(10)).text == reply.text)
    }

    @Test func `it goes on with what another process said, wherever that broke off`() async throws {
        let model = try await Models.load(Models.smolLM2)
        let whole = try await model.openChat().say(question, .greedy(14)).text
        let chat = try await model.openChat()
        var options = ChatOptions()
        options.continuesLastMessage = true
        let words = whole.split(separator: " ", omittingEmptySubsequences: false)
        #expect(words.count > 5)
        for count in [1, 3, 5] {
            let begun = words.prefix(count).joined(separator: " ")
            for text in [begun, begun + " "] {
                let rest = try await chat.say(question + [ChatMessage(.assistant, text)], .greedy(14), options).text
                #expect((text + rest).hasPrefix(whole), "\(text)|\(rest)")
            }
        }
    }

    @Test func `two chats at the same time say what each says alone`() async throws {
        let model = try await Models.load(Models.smolLM2)
        let other = [question[0], ChatMessage(.user, "Name three colours of the rainbow.")]
        let alone = [
            try await model.openChat().say(question, .greedy(10)).text,
            try await model.openChat().say(other, .greedy(10)).text,
        ]
        async let one = model.openChat().say(question, .greedy(10)).text
        async let two = model.openChat().say(other, .greedy(10)).text
        #expect(try await [one, two] == alone)
    }

    @Test func `the same seed says the same`() async throws {
        let model = try await Models.load(Models.smolLM2)
        let options = SamplingOptions(temperature: 0.8, seed: 7, maxTokens: 8)
        let first = try await model.openChat().say(question, options)
        #expect(first.text == (try await model.openChat().say(question, options)).text)
    }
}
