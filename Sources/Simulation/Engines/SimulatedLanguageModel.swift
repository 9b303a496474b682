internal import Inference
internal import VoiceCore

/// A language model that reads and writes tokens at a price, with the steps and the memory that `LlamaEngine` has: what it
/// has read it does not read again, a prompt is read in slices, each token is a quantum.
struct SimulatedLanguageModel: LanguageModel {
    static let prefillKind = QuantumKind(engine: "llm", step: "prefill")
    static let decodeKind = QuantumKind(engine: "llm", step: "decode")
    /// As in `LlamaLanguageModel` and `LlamaEngine`.
    static let slice = 32
    static let followUp = Duration.milliseconds(2)

    let name = "simulated"
    let contextLength = 1 << 20
    let machine: SimulatedMachine
    let decoding: SharedSteps
    let habits: TalkerHabits
    let seed: UInt64
    /// The session's number, from 1.
    let session: Int
    /// How many tokens a request brings, where replies are made by several; nil for one request a reply.
    let tokensPerRequest: Int?

    func openChat() async throws(VoiceError) -> any Chat { SimulatedChat(self) }
}

private final class SimulatedChat: Chat {
    private let model: SimulatedLanguageModel
    private let memory: SimulatedMemory

    init(_ model: SimulatedLanguageModel) {
        self.model = model
        memory = SimulatedMemory(habits: model.habits, seed: model.seed, session: model.session)
    }

    func prefill(
        _ messages: [ChatMessage],
        options: ChatOptions,
        urgency: Urgency?
    ) async throws(VoiceError) -> ReplyUsage {
        try options.requireNothing()
        let prompt = await memory.begin(messages, isReply: false)
        try await read(prompt.new, urgency ?? Urgency(.background))
        return ReplyUsage(promptTokens: prompt.all, cachedTokens: prompt.all - prompt.new, generatedTokens: 0)
    }

    func reply(
        to messages: [ChatMessage],
        sampling: SamplingOptions,
        options: ChatOptions,
        urgency: Urgency?
    ) -> AsyncThrowingStream<ReplyEvent, any Error> {
        let urgency = urgency ?? Urgency(.firstAudio)
        let writer = ReplyWriter(chat: self, messages: messages, limit: sampling.maxTokens, urgency: urgency)
        return AsyncThrowingStream {
            try options.requireNothing()
            return try await writer.next()
        }
    }

    private func read(_ count: Int, _ urgency: Urgency) async throws(VoiceError) {
        let costs = model.machine.costs.language
        var left = count
        while left > 0 {
            guard !Task.isCancelled else { throw VoiceError(.cancelled, "Reading ahead was cancelled.") }
            let tokens = min(left, SimulatedLanguageModel.slice)
            let request = request(SimulatedLanguageModel.prefillKind, urgency, units: tokens)
            try await model.machine.compute(request, threads: costs.threads) {
                costs.prefill + costs.prefillToken * tokens
            }
            await memory.read(tokens)
            left -= tokens
        }
    }

    private func decode(_ urgency: Urgency) async throws(VoiceError) {
        try await model.decoding.step(request(SimulatedLanguageModel.decodeKind, urgency, units: 1))
    }

    private func request(_ kind: QuantumKind, _ urgency: Urgency, units: Int) -> QuantumRequest {
        QuantumRequest(
            kind,
            urgency,
            owner: EngineOwner.language.number(model.session),
            units: units,
            followUp: SimulatedLanguageModel.followUp
        )
    }

    /// A reply that is computed as its consumer asks for it.
    private actor ReplyWriter {
        private let chat: SimulatedChat
        private let messages: [ChatMessage]
        private let limit: Int
        private let urgency: Urgency
        private var prompt: (all: Int, new: Int)?
        private var answer: [String] = []
        private var written = 0
        private var isOver = false

        init(chat: SimulatedChat, messages: [ChatMessage], limit: Int, urgency: Urgency) {
            self.chat = chat
            self.messages = messages
            self.limit = limit
            self.urgency = urgency
        }

        func next() async throws -> ReplyEvent? {
            guard !isOver else { return nil }
            do throws(VoiceError) {
                return try await step()
            } catch {
                guard error.code == .cancelled, Task.isCancelled else { throw error }
                return nil
            }
        }

        private func step() async throws(VoiceError) -> ReplyEvent? {
            await request()
            if let prompt {
                guard written < answer.count else {
                    isOver = true
                    let cached = prompt.all - prompt.new
                    let usage = ReplyUsage(promptTokens: prompt.all, cachedTokens: cached, generatedTokens: written)
                    return .finished(usage, truncated: written == limit)
                }
                try await chat.decode(urgency)
            } else {
                // The first token comes out of reading the prompt.
                let begun = await chat.memory.begin(messages, isReply: true)
                prompt = begun
                answer = Array(await chat.memory.answer().prefix(limit))
                try await chat.read(begun.new, urgency)
            }
            guard written < answer.count else { return nil }
            written += 1
            await chat.memory.write(answer[written - 1])
            return .text(answer[written - 1])
        }

        /// Waits for the connection, where this token is the first of a request.
        private func request() async {
            guard let tokens = chat.model.tokensPerRequest, written == 0 || written >= tokens else { return }
            guard (written - tokens) % SimulatedLanguageModel.slice == 0 || written == 0 else { return }
            await chat.model.machine.time.pass(chat.model.machine.costs.language.request)
        }
    }
}
