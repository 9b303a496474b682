internal import Synchronization
public import VoiceCore

/// A language model that says what it is told to, token by token, taking time on the session's clock.
public final class ScriptedLanguageModel: LanguageModel {
    /// What the model answers to a conversation, token by token. The token `!fail` is a failure instead, `!think` a thought, and
    /// `!call` a call of a tool.
    public typealias Script = @Sendable ([ChatMessage]) -> [String]
    /// The same in events, for models that call tools; what the answer cost is added.
    public typealias EventScript = @Sendable ([ChatMessage], ChatOptions) -> [ReplyEvent]

    /// See the protocol.
    public let name = "scripted"
    /// See the protocol.
    public let contextLength = 2048
    /// See the protocol: whether there is a `completeness`.
    public var judgesCompleteness: Bool { completeness != nil }
    private let clock: any SessionClock
    private let timePerToken: Duration
    private let completeness: (@Sendable (String) -> Float)?
    private let script: @Sendable ([ChatMessage], ChatOptions) -> [ReplyEvent?]
    private let asked = Mutex<[(messages: [ChatMessage], options: ChatOptions)]>([])

    /// Makes a model that takes `timePerToken` on `clock` for every token of `script`'s answer.
    /// - Parameter completeness: how likely a user's message is complete, told `timePerToken` before the answer where it is
    ///   asked for; nil for a model that does not tell.
    public init(
        clock: any SessionClock,
        timePerToken: Duration = .milliseconds(20),
        completeness: (@Sendable (String) -> Float)? = nil,
        script: @escaping Script
    ) {
        self.clock = clock
        self.timePerToken = timePerToken
        self.completeness = completeness
        self.script = { messages, _ in script(messages).enumerated().map(Self.event) }
    }

    /// Makes a model that takes `timePerToken` on `clock` for every event of `events`' answer.
    public init(clock: any SessionClock, timePerToken: Duration = .milliseconds(20), events: @escaping EventScript) {
        self.clock = clock
        self.timePerToken = timePerToken
        completeness = nil
        script = { events($0, $1) }
    }

    /// What a token stands for; nil for a failure.
    private static func event(_ index: Int, _ token: String) -> ReplyEvent? {
        switch token {
        case "!fail": nil
        case "!think": .reasoning("Hm.")
        case "!call": .toolCall(ToolCall(id: "\(index)", name: "now", arguments: [:]))
        default: .text(token)
        }
    }

    /// The conversations it was asked to continue, oldest first.
    public var conversations: [[ChatMessage]] { asked.withLock { $0.map(\.messages) } }
    /// What it was asked for each time.
    public var options: [ChatOptions] { asked.withLock { $0.map(\.options) } }
    /// See the protocol: its script says what comes next.
    public var continuesMessages: Bool { true }

    /// See the protocol.
    public func openChat() async throws(VoiceError) -> any Chat { ScriptedChat(model: self) }

    private struct ScriptedChat: Chat {
        let model: ScriptedLanguageModel

        func prefill(
            _ messages: [ChatMessage],
            options: ChatOptions,
            urgency: Urgency?
        ) async throws(VoiceError) -> ReplyUsage {
            ReplyUsage(promptTokens: messages.count, cachedTokens: 0, generatedTokens: 0)
        }

        func reply(
            to messages: [ChatMessage],
            sampling: SamplingOptions,
            options: ChatOptions,
            urgency: Urgency?
        ) -> AsyncThrowingStream<ReplyEvent, any Error> {
            model.asked.withLock { $0.append((messages, options)) }
            var events = model.script(messages, options)
            if options.judgesCompleteness, let probability = model.completeness?(messages.last?.content ?? "") {
                events.insert(.completeness(probability), at: 0)
            }
            let position = Counter()
            return AsyncThrowingStream { [model, events] in
                let index = position.take()
                if index < events.count {
                    try await model.clock.sleep(until: model.clock.now + model.timePerToken)
                    guard let event = events[index] else {
                        throw VoiceError(.fault, "the scripted model fails as it was told to")
                    }
                    return event
                }
                guard index == events.count else { return nil }
                let usage = ReplyUsage(promptTokens: messages.count, cachedTokens: 0, generatedTokens: events.count)
                return .finished(usage, truncated: false)
            }
        }
    }
}

/// Counts the steps of a stream that is unfolded.
final class Counter: Sendable {
    private let value = Mutex(0)

    /// The count before this step.
    func take() -> Int {
        value.withLock { value in
            defer { value += 1 }
            return value
        }
    }
}
