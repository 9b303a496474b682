internal import NIOCore
internal import NIOHTTP1
internal import VoiceCore

/// What the synthesis server answers: the reference's WebSocket, OpenAI's endpoint, what there is, health and metrics.
struct SynthesisRouter: RequestRouter {
    /// The path of the WebSocket.
    static let stream = "/ws/tts/stream"
    /// The path of OpenAI's endpoint.
    static let speech = "/v1/audio/speech"
    /// The most bytes of a request's content that are read and thrown away, rather than refused.
    private static let bodyLimit = 64 * 1024

    let origins: OriginPolicy
    let sessions: SessionSlots
    /// The most bytes of a request for speech.
    let speechLimit: Int
    let voices: VoiceTable
    /// The rate of the audio for clients that ask for none; nil for the voice's own.
    let rate: SampleRate?
    let metrics: SynthesisMetrics
    /// The content of `/health`. Called on an event loop.
    let health: @Sendable () -> ByteBuffer
    /// The content of `/metrics`. Called on an event loop.
    let metricsText: @Sendable () -> String

    func answer(_ head: HTTPRequestHead) -> Answer {
        let path = path(of: head)
        if path == Self.speech { return speech(head) }
        if let refusal = refusal(of: head, bodyLimit: Self.bodyLimit) { return .respond(refusal) }
        switch path {
        case Self.stream:
            guard asksForWebSocket(head) else {
                return .respond(get(head) { .line(.upgradeRequired, Self.greeting, headers: ["Upgrade": "websocket"]) })
            }
            return webSocket(head)
        case "/v1/audio/config": return .respond(get(head) { .json(configuration) })
        case "/health": return .respond(get(head) { .json(health()) })
        case "/metrics":
            let headers: HTTPHeaders = ["Content-Type": PrometheusText.contentType, "Cache-Control": "no-store"]
            return .respond(get(head) { Response(.ok, headers: headers, body: ByteBuffer(string: metricsText())) })
        default: return .respond(.line(.notFound, Self.greeting))
        }
    }

    private static let greeting =
        "this is a synthesis server: connect a WebSocket at \(stream), or post a text to \(speech)"

    /// The reference's fields (`TTSConfig` of its tts_server.py) and ours.
    private var configuration: ByteBuffer {
        let rate = rate ?? voices.standard.synthesizer.sampleRate
        let value: JSONValue = [
            "sample_rate": .number(Double(rate.hertz)), "channels": 1, "encoding": "pcm_s16le",
            "voices": .array(voices.voices.map { .string($0.name) }),
            "languages": .array(voices.languages.map { .string($0) }),
            "default_voice": .string(voices.standard.name),
            "aliases": .object(
                JSONObject(voices.aliases.sorted { $0.key < $1.key }.map { (key: $0.key, value: .string($0.value)) })
            ),
            "response_formats": .array(SpeechRequest.Format.allCases.map { .string($0.rawValue) }),
        ]
        return ByteBuffer(string: value.json)
    }

    private func webSocket(_ head: HTTPRequestHead) -> Answer {
        if let refusal = refusal(ofHandshake: head, origins) { return .respond(refusal) }
        guard let place = sessions.place() else {
            metrics.refused(.webSocket)
            return .respond(.line(.serviceUnavailable, full, headers: ["Retry-After": "5"], closes: true))
        }
        return .upgrade(place)
    }

    private func speech(_ head: HTTPRequestHead) -> Answer {
        if head.version == .http1_1, head.headers["host"].count != 1 {
            return .respond(OpenAIError("a request needs exactly one header Host").response(closes: true))
        }
        guard head.method == .POST else {
            let error = OpenAIError("only POST works here", status: .methodNotAllowed)
            return .respond(error.response(headers: ["Allow": "POST"]))
        }
        guard origins.allows(origin: head.headers.first(name: "origin"), host: head.headers.first(name: "host")) else {
            let message = "pages of this origin may not ask here; name it among the server's allowed origins"
            return .respond(OpenAIError(message, status: .forbidden).response(closes: true))
        }
        if let length = head.headers.first(name: "content-length").flatMap(Int.init), length > speechLimit {
            return .respond(tooLarge.response(closes: true))
        }
        guard let place = sessions.place() else {
            metrics.refused(.http)
            let error = OpenAIError(full, status: .serviceUnavailable, type: "server_error", code: "exhausted")
            return .respond(error.response(headers: ["Retry-After": "5"], closes: true))
        }
        return .serve(bodyLimit: speechLimit, tooLarge: tooLarge.response(), place)
    }

    private var tooLarge: OpenAIError {
        let message = "the request is larger than \(speechLimit / 1024) KiB; send the text in parts"
        return OpenAIError(message, status: .payloadTooLarge, param: "input", code: "too_large")
    }

    private var full: String { "all \(sessions.counts.maximum) sessions are taken; try again later" }
}
