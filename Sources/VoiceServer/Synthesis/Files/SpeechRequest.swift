internal import NIOCore
internal import NIOHTTP1
internal import VoiceCore

/// A request for speech, checked (platform.openai.com, API reference, "Create speech"; `SpeechRequest` of
/// src/nemotron_speech/tts_server.py, pipecat-ai/nemotron-january-2026 @ 70363cd).
struct SpeechRequest: Sendable {
    /// The forms of an answer.
    enum Format: String, Sendable, CaseIterable { case pcm, wav, opus }

    var input: String
    var voice: ServedVoice
    var format = Format.pcm
    /// The rate that was asked for.
    var rate: SampleRate?

    /// The fields of a request. `model` is for servers with several, `instructions` for voices that can act on them.
    private static let fields = [
        "input", "voice", "language", "response_format", "speed", "model", "instructions", "sample_rate",
        "stream_format",
    ]

    /// Checks a request's content.
    ///
    /// - Throws: what to answer instead.
    init(_ body: [ByteBuffer], voices: VoiceTable, textLimit: Int) throws(OpenAIError) {
        let fields = try RequestFields(body, fields: Self.fields, page: "docs/tts-server.md")
        guard let input = try fields.text("input"), input.contains(where: { !$0.isWhitespace }) else {
            throw OpenAIError("input must be a text that is not empty", param: "input")
        }
        guard input.utf8.count <= textLimit else {
            throw OpenAIError(
                "input has more than \(textLimit / 1024) KiB; send the text in parts",
                status: .payloadTooLarge,
                param: "input",
                code: "too_large"
            )
        }
        self.input = input
        voice = try Self.voice(Self.name(fields, "voice"), voices)
        if let language = try fields.text("language"), !voice.speaks(language) {
            let languages = voice.languages.joined(separator: ", ")
            let message = "the voice \(voice.name) speaks \(languages), not '\(language.prefix(40))'"
            throw OpenAIError(message, param: "language")
        }
        if let name = try fields.text("response_format") {
            guard let format = Format(rawValue: name) else {
                let formats = Format.allCases.map(\.rawValue).joined(separator: ", ")
                throw OpenAIError("response_format must be one of \(formats)", param: "response_format")
            }
            self.format = format
        }
        if let speed = fields["speed"], speed != 1 {
            throw OpenAIError("speed must be 1; the voices have one speed", param: "speed")
        }
        if let form = try fields.text("stream_format"), form != "audio" {
            throw OpenAIError("stream_format must be audio, which comes as it is made", param: "stream_format")
        }
        rate = try Self.rate(fields, format)
    }

    private static func voice(_ name: String?, _ voices: VoiceTable) throws(OpenAIError) -> ServedVoice {
        switch voices.find(name) {
        case .voice(let voice): return voice
        case .foreign: return voices.standard
        case .unknown:
            throw OpenAIError(voices.complaint(about: name ?? ""), param: "voice", code: "voice_not_found")
        }
    }

    private static func rate(_ fields: RequestFields, _ format: Format) throws(OpenAIError) -> SampleRate? {
        guard let value = fields["sample_rate"] else { return nil }
        guard let hertz = value.whole, SynthesisProtocol.rates.contains(hertz) else {
            let (low, high) = (SynthesisProtocol.rates.lowerBound, SynthesisProtocol.rates.upperBound)
            throw OpenAIError("sample_rate must be a whole number from \(low) to \(high)", param: "sample_rate")
        }
        guard format != .opus else { throw OpenAIError("opus has a rate of its own", param: "sample_rate") }
        return SampleRate(hertz)
    }

    /// A text, or an object with an `id`, as OpenAI's voices of one's own are named.
    private static func name(_ fields: RequestFields, _ key: String) throws(OpenAIError) -> String? {
        if let id = fields[key]?["id"]?.text { return id }
        return try fields.text(key)
    }
}
