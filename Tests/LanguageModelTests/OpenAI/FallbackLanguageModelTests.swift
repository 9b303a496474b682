internal import Synchronization
internal import Testing
internal import VoiceCore

@testable internal import LanguageModels

@Suite struct FallbackLanguageModelTests {
    /// Says texts, then fails or ends.
    private struct Model: LanguageModel, Chat {
        var name: String
        var texts: [String]
        var failure: VoiceError?
        var completeness: Float?
        var thoughts: String?
        var continuesMessages = false
        let contextLength = 100
        let asked = Asked()

        func openChat() async throws(VoiceError) -> any Chat { self }

        func prefill(
            _ messages: [ChatMessage],
            options: ChatOptions,
            urgency: Urgency?
        ) async throws(VoiceError) -> ReplyUsage {
            ReplyUsage(promptTokens: 0, cachedTokens: 0, generatedTokens: 0)
        }

        func reply(
            to messages: [ChatMessage],
            sampling: SamplingOptions,
            options: ChatOptions,
            urgency: Urgency?
        ) -> AsyncThrowingStream<ReplyEvent, any Error> {
            asked.count.withLock { $0 += 1 }
            asked.last.withLock { $0 = (messages, sampling, options) }
            return AsyncThrowingStream { continuation in
                if let completeness { continuation.yield(.completeness(completeness)) }
                if let thoughts { continuation.yield(.reasoning(thoughts)) }
                for text in texts { continuation.yield(.text(text)) }
                continuation.finish(throwing: failure)
            }
        }
    }

    private final class Asked: Sendable {
        let count = Mutex(0)
        let last = Mutex<(messages: [ChatMessage], sampling: SamplingOptions, options: ChatOptions)?>(nil)
    }

    private static let failure = VoiceError(.unavailable, "away")

    private func texts(_ chat: any Chat) async throws -> [ReplyEvent] {
        var events: [ReplyEvent] = []
        for try await event in chat.reply(to: [ChatMessage(.user, "?")], sampling: SamplingOptions()) {
            events.append(event)
        }
        return events
    }

    @Test func `what the first thinks of a question is no beginning of an answer`() async throws {
        var first = Model(name: "first", texts: [], failure: Self.failure)
        first.completeness = 0.5
        let model = FallbackLanguageModel(first, else: Model(name: "second", texts: ["b"]), clock: ManualClock())
        #expect(try await texts(model.openChat()) == [.completeness(0.5), .text("b")])
    }

    @Test func `the second answers where the first fails before it spoke, and for a while after`() async throws {
        let (first, second) = (
            Model(name: "first", texts: [], failure: Self.failure), Model(name: "second", texts: ["b"])
        )
        let clock = ManualClock()
        let reported = Mutex<[String]>([])
        let model = FallbackLanguageModel(first, else: second, pause: .seconds(10), clock: clock) { error in
            reported.withLock { $0.append(error.message) }
        }
        let chat = try await model.openChat()
        #expect(model.name == "first")
        #expect(try await texts(chat) == [.text("b")])
        #expect(try await texts(chat) == [.text("b")])
        #expect(first.asked.count.withLock { $0 } == 1)
        #expect(reported.withLock { $0 } == ["away"])
    }

    @Test func `what was only thought is thought again`() async throws {
        var first = Model(name: "first", texts: [], failure: Self.failure)
        first.thoughts = "Hm."
        let second = Model(name: "second", texts: ["b"])
        let chat = try await FallbackLanguageModel(first, else: second).openChat()
        #expect(try await texts(chat) == [.reasoning("Hm."), .text("b")])
        #expect(second.asked.last.withLock { $0 }?.messages == [ChatMessage(.user, "?")])
    }

    @Test func `a reply that has begun is finished by one that can`() async throws {
        let first = Model(name: "first", texts: ["a ", "b "], failure: Self.failure)
        var second = Model(name: "second", texts: ["c"])
        second.continuesMessages = true
        let chat = try await FallbackLanguageModel(first, else: second).openChat()
        #expect(try await texts(chat) == [.text("a "), .text("b "), .text("c")])
        let asked = try #require(second.asked.last.withLock { $0 })
        #expect(asked.messages == [ChatMessage(.user, "?"), ChatMessage(.assistant, "a b ")])
        #expect(asked.options.continuesLastMessage)
        #expect(asked.sampling.maxTokens == SamplingOptions().maxTokens - 2)
    }

    @Test func `a reply that has begun fails where nobody goes on with it`() async throws {
        let (first, second) = (
            Model(name: "first", texts: ["a"], failure: Self.failure), Model(name: "second", texts: ["b"])
        )
        let chat = try await FallbackLanguageModel(first, else: second).openChat()
        let error = await #expect(throws: VoiceError.self) { _ = try await texts(chat) }
        #expect(error?.code == .unavailable)
        #expect(second.asked.count.withLock { $0 } == 0)
    }

    @Test func `wrong usage is nobody's failure`() async throws {
        let first = Model(name: "first", texts: [], failure: VoiceError(.usage, "no"))
        let second = Model(name: "second", texts: ["b"])
        let chat = try await FallbackLanguageModel(first, else: second).openChat()
        let error = await #expect(throws: VoiceError.self) { _ = try await texts(chat) }
        #expect(error?.code == .usage)
    }
}
