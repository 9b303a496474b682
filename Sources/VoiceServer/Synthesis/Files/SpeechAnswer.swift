internal import NIOCore
internal import NIOHTTP1
internal import VoiceCore

/// Answers one request for speech, as it is made. ``run()`` is called once, by the task that owns the exchange.
struct SpeechAnswer: Sendable {
    let voices: VoiceTable
    /// The rate of the audio for clients that ask for none; nil for the voice's own.
    let rate: SampleRate?
    /// The most bytes of a text.
    let textLimit: Int
    let metrics: SynthesisMetrics
    let clock: any SessionClock
    let exchange: HTTPExchange

    /// Answers.
    func run() async {
        let began = clock.now
        do throws(OpenAIError) {
            guard exchange.head.version == .http1_1 else {
                throw OpenAIError("speech needs HTTP/1.1, which has chunks")
            }
            let request = try SpeechRequest(exchange.body, voices: voices, textLimit: textLimit)
            try await speak(request, since: began)
        } catch {
            metrics.service.failed(error.status.code < 500 ? .malformedInput : .fault)
            exchange.respond(error.response())
        }
    }

    /// Sends the audio. A failure after the response's head breaks the connection off, so that nobody takes what came for all.
    private func speak(_ request: SpeechRequest, since began: Duration) async throws(OpenAIError) {
        var form: SpeechForm
        do {
            form = try SpeechForm(request, usually: rate)
        } catch {
            throw OpenAIError(error)
        }
        var hasBegun = false
        let urgency = Urgency(.firstAudio)
        do throws(VoiceError) {
            for clause in ClauseCutter.sentences(of: request.input, start: 0) {
                try await speak(clause.text, request.voice, urgency) { samples throws(VoiceError) in
                    if !hasBegun, !samples.isEmpty {
                        hasBegun = true
                        urgency.level = .refill(by: nil)
                        metrics.spoke(after: clock.now - began)
                        exchange.begin(form.head)
                        try await send(form.begin())
                    }
                    try await send(form.feed(samples))
                }
            }
            if hasBegun { try await send(form.finish()) }
        } catch {
            guard hasBegun else { throw OpenAIError(error) }
            // Whoever has left need not be told.
            if error.code != .unavailable { metrics.service.failed(error.code) }
            return exchange.abort()
        }
        guard hasBegun else {
            let message = "the voice \(request.voice.name) finds nothing to speak in the input"
            throw OpenAIError(message, param: "input", code: VoiceError.Code.malformedInput.description)
        }
        exchange.end()
    }

    private func speak(
        _ text: String,
        _ voice: ServedVoice,
        _ urgency: Urgency,
        _ take: ([Float]) async throws(VoiceError) -> Void
    ) async throws(VoiceError) {
        do {
            var from = clock.now
            for try await chunk in voice.synthesizer.speak(text, urgency: urgency) {
                metrics.made(
                    voice.synthesizer.sampleRate.duration(ofSamples: chunk.samples.count),
                    in: clock.now - from
                )
                try await take(chunk.samples)
                from = clock.now
            }
        } catch {
            throw VoiceError.wrapping(error, doing: "the voice \(voice.name) failed")
        }
        guard !Task.isCancelled else { throw VoiceError(.cancelled, "the server is shutting down; ask again later") }
    }

    private func send(_ bytes: [UInt8]) async throws(VoiceError) {
        guard !bytes.isEmpty else { return }
        try await exchange.write(ByteBuffer(bytes: bytes))
    }
}
