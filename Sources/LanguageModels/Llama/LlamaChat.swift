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
    func prefill(
        _ messages: [ChatMessage],
        options: ChatOptions,
        urgency: Urgency?
    ) async throws(VoiceError) -> ReplyUsage {
        let run = try await engine.begin(seat, messages, options: options, sampling: nil)
        let usage = try await read(run, urgency)
        // Nobody waits: the time to write down for other processes what was read.
        await save()
        return usage
    }

    private func read(_ run: Int, _ urgency: Urgency?) async throws(VoiceError) -> ReplyUsage {
        try await engine.warm(seat, run: run, urgency: urgency)
        while !Task.isCancelled {
            switch try await engine.step(seat, run: run, urgency: urgency) {
            case .working, .events: continue
            case .read(let usage): return usage
            case .over: throw VoiceError(.usage, "A chat was used by two tasks at the same time.")
            }
        }
        throw VoiceError(.cancelled, "Reading a conversation ahead was cancelled.")
    }

    private func save() async {
        guard let warmStart = engine.warmStart, let (head, state) = await engine.takeUnsaved() else { return }
        if await !warmStart.save(state, of: head) { await engine.putBack(head, state) }
    }

    func reply(
        to messages: [ChatMessage],
        sampling: SamplingOptions,
        options: ChatOptions,
        urgency: Urgency?
    ) -> AsyncThrowingStream<ReplyEvent, any Error> {
        let request = Request(messages: messages, sampling: sampling, options: options, urgency: urgency)
        let pull = ReplyPull(chat: self, request: request)
        return AsyncThrowingStream { try await pull.next() }
    }

    /// What a reply is asked for with.
    private struct Request: Sendable {
        var messages: [ChatMessage]
        var sampling: SamplingOptions
        var options: ChatOptions
        var urgency: Urgency?
    }

    /// A reply that is computed as its consumer asks for it: nobody computes for a consumer that went away, and a slow
    /// one holds nothing up but itself.
    private actor ReplyPull {
        private let chat: LlamaChat
        private let request: Request
        private var run: Int?
        /// Events of the last step that nobody has asked for yet.
        private var waiting: ArraySlice<ReplyEvent> = []
        private var isOver = false

        init(chat: LlamaChat, request: Request) {
            self.chat = chat
            self.request = request
        }

        func next() async throws -> ReplyEvent? {
            if let event = waiting.popFirst() { return event }
            if isOver { return nil }
            let run = if let run { run } else { try await start() }
            while !Task.isCancelled {
                guard let step = try await step(run) else { return nil }
                switch step {
                case .working, .read: continue
                case .over: return nil
                case .events(let events):
                    if case .finished? = events.last { isOver = true }
                    waiting = events[...]
                    return waiting.popFirst()
                }
            }
            return nil
        }

        /// nil when the consumer was cancelled while the device was taken.
        private func step(_ run: Int) async throws(VoiceError) -> LlamaEngine.Step? {
            do {
                return try await chat.engine.step(chat.seat, run: run, urgency: request.urgency)
            } catch {
                guard error.code == .cancelled, Task.isCancelled else { throw error }
                return nil
            }
        }

        private func start() async throws -> Int {
            let run = try await chat.engine.begin(
                chat.seat,
                request.messages,
                options: request.options,
                sampling: request.sampling
            )
            self.run = run
            try await chat.engine.warm(chat.seat, run: run, urgency: request.urgency)
            return run
        }
    }
}
