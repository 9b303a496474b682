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
            return AsyncThrowingStream { continuation in
                if let completeness { continuation.yield(.completeness(completeness)) }
                for text in texts { continuation.yield(.text(text)) }
                continuation.finish(throwing: failure)
            }
        }
    }

    private final class Asked: Sendable { let count = Mutex(0) }

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

    @Test func `a reply that has begun fails`() async throws {
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
