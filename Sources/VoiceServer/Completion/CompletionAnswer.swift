internal import NIOCore
internal import NIOHTTP1
internal import VoiceCore

/// Answers one request for a reply. ``run()`` is called once, by the task that owns the exchange; cancelling it ends the reply
/// within a token.
struct CompletionAnswer: Sendable {
    let host: CompletionRequest.Host
    let pool: ChatPool
    let form: CompletionForm
    /// The seed of requests that bring none.
    let seed: UInt32
    let makeCallID: @Sendable () -> String
    let metrics: CompletionMetrics
    let clock: any SessionClock
    let exchange: HTTPExchange

    /// Answers.
    func run() async {
        do throws(OpenAIError) {
            let request = try CompletionRequest(exchange.body, host: host, seed: seed)
            guard !request.isStreamed || exchange.head.version == .http1_1 else {
                throw OpenAIError("a stream needs HTTP/1.1, which has chunks", param: "stream")
            }
            let arrived = clock.now
            let lease = try await chat(for: request)
            metrics.waited(clock.now - arrived)
            let failure = await withTaskCancellationHandler {
                await reply(to: request, with: lease, arrived: arrived)
            } onCancel: {
                lease.expectEnd()
            }
            if let failure { throw failure }
        } catch {
            metrics.service.failed(error.status.code < 500 ? .malformedInput : .fault)
            let isBusy = error.status == .serviceUnavailable
            exchange.respond(error.response(headers: isBusy ? ["Retry-After": "5"] : [:]))
        }
    }

    private func chat(for request: CompletionRequest) async throws(OpenAIError) -> ChatLease {
        do {
            return try await pool.take(for: request.prompt)
        } catch {
            throw OpenAIError(error)
        }
    }

    /// Replies. A failure after the first token is the stream's last event.
    /// - Returns: a failure before that.
    private func reply(
        to request: CompletionRequest,
        with lease: ChatLease,
        arrived: Duration
    ) async -> OpenAIError? {
        var reply = CompletionReply(allowsSeveralCalls: request.allowsSeveralCalls, makeID: makeCallID)
        var stream = request.isStreamed ? CompletionResponse(exchange, form, awaitsUsage: request.tellsUsage) : nil
        let began = clock.now
        var first: Duration?
        do throws(VoiceError) {
            try await events(of: request, lease) { event throws(VoiceError) in
                if first == nil {
                    first = clock.now
                    metrics.spoke(after: clock.now - arrived)
                }
                if let delta = reply.take(event) { try await stream?.send(delta) }
            }
        } catch {
            // What cannot be asked for is refused before anything is read; other failures leave nothing behind.
            lease.giveBack(
                remembering: error.code == .usage ? nil : error.code == .fault ? Prompt() : memory(request, reply)
            )
            metrics.ended(error.code == .cancelled || error.code == .unavailable ? "cancelled" : "failed")
            guard let stream, stream.hasBegun else { return OpenAIError(error) }
            metrics.service.failed(error.code)
            await stream.fail(OpenAIError(error))
            return nil
        }
        lease.giveBack(remembering: memory(request, reply))
        metrics.ended(reply.reason)
        let now = clock.now
        let tokens = reply.usage ?? ReplyUsage(promptTokens: 0, cachedTokens: 0, generatedTokens: 0)
        metrics.cost(tokens)
        let cost = CompletionCost(tokens: tokens, reading: (first ?? now) - began, speaking: now - (first ?? now))
        guard stream == nil else {
            await stream?.finish(reply.reason, cost)
            return nil
        }
        exchange.respond(.json(ByteBuffer(string: form.whole(reply.message, reason: reply.reason, cost).json)))
        return nil
    }

    private func memory(_ request: CompletionRequest, _ reply: CompletionReply) -> Prompt {
        var memory = request.prompt
        var said = reply.said
        if request.options.continuesLastMessage, let begun = memory.messages.popLast() {
            said.content = begun.content + said.content
        }
        memory.messages.append(said)
        return memory
    }

    private func events(
        of request: CompletionRequest,
        _ lease: ChatLease,
        _ take: (ReplyEvent) async throws(VoiceError) -> Void
    ) async throws(VoiceError) {
        do {
            let events = lease.chat.reply(
                to: request.messages,
                sampling: request.sampling,
                options: request.options,
                urgency: nil
            )
            for try await event in events {
                try await take(event)
                if case .finished = event { return }
            }
        } catch {
            throw VoiceError.wrapping(error, doing: "the language model failed")
        }
        throw VoiceError(.cancelled, "the server is shutting down; ask again later")
    }
}

extension CompletionRequest {
    /// What the model reads.
    var prompt: Prompt { Prompt(messages: messages, tools: options.tools) }
}
