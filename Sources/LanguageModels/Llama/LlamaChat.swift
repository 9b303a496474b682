internal import Inference
internal import VoiceCore

/// A conversation with a model in this process. See ``VoiceCore/Chat``.
final class LlamaChat: Chat {
    private let engine: LlamaEngine
    private let seat: Int

    init(engine: LlamaEngine, seat: Int) {
        self.engine = engine
        self.seat = seat
    }

    deinit {
        engine.seating.leave(seat)
    }

    @discardableResult
    func prefill(_ messages: [ChatMessage]) async throws(VoiceError) -> ReplyUsage {
        try await read(messages, urgency: nil)
    }

    @discardableResult
    func prefill(_ messages: [ChatMessage], urgency: Urgency) async throws(VoiceError) -> ReplyUsage {
        try await read(messages, urgency: urgency)
    }

    private func read(_ messages: [ChatMessage], urgency: Urgency?) async throws(VoiceError) -> ReplyUsage {
        let run = try await engine.begin(seat, messages, sampling: nil)
        while !Task.isCancelled {
            switch try await engine.step(seat, run: run, urgency: urgency) {
            case .working, .event: continue
            case .read(let usage): return usage
            case .over: throw VoiceError(.usage, "A chat was used by two tasks at the same time.")
            }
        }
        throw VoiceError(.cancelled, "Reading a conversation ahead was cancelled.")
    }

    func reply(to messages: [ChatMessage], sampling: SamplingOptions) -> AsyncThrowingStream<ReplyEvent, any Error> {
        stream(messages, sampling, urgency: nil)
    }

    func reply(
        to messages: [ChatMessage],
        sampling: SamplingOptions,
        urgency: Urgency
    ) -> AsyncThrowingStream<ReplyEvent, any Error> {
        stream(messages, sampling, urgency: urgency)
    }

    private func stream(
        _ messages: [ChatMessage],
        _ sampling: SamplingOptions,
        urgency: Urgency?
    ) -> AsyncThrowingStream<ReplyEvent, any Error> {
        let pull = ReplyPull(chat: self, messages: messages, sampling: sampling, urgency: urgency)
        return AsyncThrowingStream { try await pull.next() }
    }

    /// A reply that is computed as its consumer asks for it: nobody computes for a consumer that went away, and a slow
    /// one holds nothing up but itself.
    private actor ReplyPull {
        private let chat: LlamaChat
        private let messages: [ChatMessage]
        private let sampling: SamplingOptions
        private let urgency: Urgency?
        private var run: Int?
        private var isOver = false

        init(chat: LlamaChat, messages: [ChatMessage], sampling: SamplingOptions, urgency: Urgency?) {
            self.chat = chat
            self.messages = messages
            self.sampling = sampling
            self.urgency = urgency
        }

        func next() async throws -> ReplyEvent? {
            if isOver { return nil }
            let run = if let run { run } else { try await start() }
            while !Task.isCancelled {
                guard let step = try await step(run) else { return nil }
                switch step {
                case .working, .read: continue
                case .over: return nil
                case .event(let event):
                    if case .finished = event { isOver = true }
                    return event
                }
            }
            return nil
        }

        /// nil when the consumer was cancelled while the device was taken.
        private func step(_ run: Int) async throws(VoiceError) -> LlamaEngine.Step? {
            do {
                return try await chat.engine.step(chat.seat, run: run, urgency: urgency)
            } catch {
                guard error.code == .cancelled, Task.isCancelled else { throw error }
                return nil
            }
        }

        private func start() async throws -> Int {
            let run = try await chat.engine.begin(chat.seat, messages, sampling: sampling)
            self.run = run
            return run
        }
    }
}
