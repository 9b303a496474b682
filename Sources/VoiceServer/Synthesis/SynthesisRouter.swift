internal import NIOCore
internal import NIOHTTP1
internal import VoiceCore

/// What the synthesis server answers: the reference's WebSocket, OpenAI's endpoint, what there is, health and metrics.
struct SynthesisRouter: ServiceRouter {
    /// The path of the WebSocket.
    static let stream = "/ws/tts/stream"
    /// The path of OpenAI's endpoint.
    static let speech = "/v1/audio/speech"

    let origins: OriginPolicy
    let sessions: SessionSlots
    /// The most bytes of a request for speech.
    let speechLimit: Int
    let voices: VoiceTable
    /// The rate of the audio for clients that ask for none; nil for the voice's own.
    let rate: SampleRate?
    let counts: ServiceMetrics
    /// The content of `/health`. Called on an event loop.
    let health: @Sendable () -> ByteBuffer
    /// The content of `/metrics`. Called on an event loop.
    let metricsText: @Sendable () -> String

    func answer(_ head: HTTPRequestHead) -> Answer {
        let path = path(of: head)
        if path == Self.speech { return post(head, limit: speechLimit, tooLarge: tooLarge) }
        if let refusal = refusal(of: head, bodyLimit: Self.bodyLimit) { return .respond(refusal) }
        switch path {
        case Self.stream:
            guard asksForWebSocket(head) else {
                return .respond(get(head) { .line(.upgradeRequired, Self.greeting, headers: ["Upgrade": "websocket"]) })
            }
            return webSocket(head)
        case "/v1/audio/config": return .respond(get(head) { .json(configuration) })
        default: return state(head) ?? .respond(.line(.notFound, Self.greeting))
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

    private var tooLarge: OpenAIError {
        let message = "the request is larger than \(speechLimit / 1024) KiB; send the text in parts"
        return OpenAIError(message, status: .payloadTooLarge, param: "input", code: "too_large")
    }
}
