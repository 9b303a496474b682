internal import Audio
internal import NIOCore
internal import NIOHTTP1
internal import VoiceCore

/// Answers one request for the transcript of a file. ``run()`` is called once, by the task that owns the exchange; when it
/// is cancelled it answers with status 503.
struct FileTranscription: Sendable {
    let recognizer: any SpeechRecognizer
    /// How speakers are recognised unless the client asks for something else.
    let options: RecognitionOptions
    let metrics: RecognitionMetrics
    let clock: any SessionClock
    let exchange: HTTPExchange

    /// Answers.
    func run() async {
        do throws(OpenAIError) {
            let request = try request()
            if request.streams { try await stream(request) } else { try await answer(request) }
        } catch {
            note(error)
            exchange.respond(error.response())
        }
    }

    private func request() throws(OpenAIError) -> TranscriptionRequest {
        let form: MultipartForm
        do {
            let type = exchange.head.headers.first(name: "content-type") ?? ""
            form = try MultipartForm(contentType: type, body: exchange.body)
        } catch {
            throw OpenAIError(error)
        }
        return try TranscriptionRequest(form, model: recognizer.name, standard: options)
    }

    private func answer(_ request: TranscriptionRequest) async throws(OpenAIError) {
        do throws(VoiceError) {
            let stream = try await recognizer.openStream(request.options)
            let answer = try await transcribe(request, stream) { _ throws(VoiceError) in }
            exchange.respond(answer.response(request.format, request.granularities))
        } catch {
            throw OpenAIError(error)
        }
    }

    /// Sends the text as it becomes stable. A failure after the response's head is an event too.
    private func stream(_ request: TranscriptionRequest) async throws(OpenAIError) {
        guard exchange.head.version == .http1_1 else {
            throw OpenAIError("stream needs HTTP/1.1, which has chunks", param: "stream")
        }
        let stream: any RecognizerStream
        do {
            stream = try await recognizer.openStream(request.options)
        } catch {
            throw OpenAIError(error)
        }
        exchange.begin(.events)
        do throws(VoiceError) {
            var sent = ""
            let answer = try await transcribe(request, stream) { transcript throws(VoiceError) in
                let stable = String(transcript.text.prefix(utf8Count: transcript.stableLength))
                guard stable.hasPrefix(sent), stable != sent else { return }
                let delta = String(stable.dropFirst(sent.count))
                sent = stable
                try await exchange.write(TranscriptionAnswer.delta(delta))
            }
            try await exchange.write(answer.done)
        } catch {
            let failure = OpenAIError(error)
            note(failure)
            try? await exchange.write(TranscriptionAnswer.event(json: failure.json))
        }
        exchange.end()
    }

    /// Feeds the file piece by piece; `progress` hears of every transcript, the final one included.
    private func transcribe(
        _ request: TranscriptionRequest,
        _ stream: any RecognizerStream,
        _ progress: (Transcript) async throws(VoiceError) -> Void
    ) async throws(VoiceError) -> TranscriptionAnswer {
        let samples = request.audio.mono
        var resampler = Resampler(from: request.audio.rate, to: .speech)
        let piece = request.audio.rate.hertz / 2
        for start in stride(from: 0, to: samples.count, by: piece) {
            let part = Array(samples[start..<min(samples.count, start + piece)])
            try await feed(resampler.feed(part), stream, progress)
        }
        try await feed(resampler.flush(), stream, progress)
        let began = clock.now
        let transcript = try await stream.finish(flushing: .lookahead)
        metrics.finished(after: clock.now - began)
        try await progress(transcript)
        let duration = request.audio.duration
        return TranscriptionAnswer(transcript: transcript, duration: duration, language: request.options.language)
    }

    private func feed(
        _ samples: [Float],
        _ stream: any RecognizerStream,
        _ progress: (Transcript) async throws(VoiceError) -> Void
    ) async throws(VoiceError) {
        guard !Task.isCancelled else { throw VoiceError(.cancelled, "the server is shutting down; ask again later") }
        guard !samples.isEmpty else { return }
        let partial = try await stream.feed(samples)
        metrics.service.worked(on: SampleRate.speech.duration(ofSamples: samples.count))
        if let partial { try await progress(partial) }
    }

    private func note(_ error: OpenAIError) {
        let code: VoiceError.Code = error.status.code < 500 ? .malformedInput : .fault
        metrics.service.failed(code)
    }
}

extension Response {
    /// The head of a stream of server-sent events.
    fileprivate static var events: Response {
        let headers: HTTPHeaders = ["Content-Type": "text/event-stream", "Cache-Control": "no-store"]
        var response = Response(.ok, headers: headers)
        // Its length is not known.
        response.headers.remove(name: "Content-Length")
        return response
    }
}
