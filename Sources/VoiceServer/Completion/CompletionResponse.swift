internal import NIOCore
internal import NIOHTTP1
internal import VoiceCore

/// A reply on its way to a client, as server-sent events. Its head goes out with the first piece, so that what fails before that
/// has a status of its own.
struct CompletionResponse {
    /// Whether anything was sent.
    private(set) var hasBegun = false
    private let exchange: HTTPExchange
    private let form: CompletionForm
    private let awaitsUsage: Bool

    init(_ exchange: HTTPExchange, _ form: CompletionForm, awaitsUsage: Bool) {
        self.exchange = exchange
        self.form = form
        self.awaitsUsage = awaitsUsage
    }

    /// Sends a piece of the reply and waits until the socket has taken it.
    /// - Throws: ``VoiceError/Code/unavailable`` once the client has gone.
    mutating func send(_ delta: JSONObject) async throws(VoiceError) {
        var bytes = begin()
        bytes.writeImmutableBuffer(CompletionForm.event(form.chunk(delta, awaitsUsage: awaitsUsage)))
        try await exchange.write(bytes)
    }

    /// Ends the stream.
    mutating func finish(_ reason: String, _ cost: CompletionCost) async {
        var bytes = begin()
        bytes.writeImmutableBuffer(CompletionForm.event(form.chunk([:], reason: reason, awaitsUsage: awaitsUsage)))
        if awaitsUsage { bytes.writeImmutableBuffer(CompletionForm.event(form.usageChunk(cost))) }
        bytes.writeImmutableBuffer(CompletionForm.end)
        await end(bytes)
    }

    /// Ends the stream with what went wrong, as vLLM and llama-server do, and without the sign that it is complete.
    func fail(_ error: OpenAIError) async {
        var bytes = ByteBuffer(string: "data: ")
        bytes.writeImmutableBuffer(error.json)
        bytes.writeString("\n\n")
        await end(bytes)
    }

    private func end(_ bytes: ByteBuffer) async {
        do throws(VoiceError) {
            try await exchange.write(bytes)
            exchange.end()
        } catch {
            // Whoever has left need not be told.
            exchange.abort()
        }
    }

    /// The head and the first chunk, which says who speaks; nothing once they are out.
    private mutating func begin() -> ByteBuffer {
        guard !hasBegun else { return ByteBuffer() }
        hasBegun = true
        var head = Response(
            .ok,
            headers: ["Content-Type": "text/event-stream", "Cache-Control": "no-cache", "X-Accel-Buffering": "no"]
        )
        head.headers.remove(name: "Content-Length")
        exchange.begin(head)
        return CompletionForm.event(form.chunk(["role": "assistant", "content": ""], awaitsUsage: awaitsUsage))
    }
}
