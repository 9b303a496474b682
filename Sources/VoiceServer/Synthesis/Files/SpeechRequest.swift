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
        var bytes = ByteBuffer()
        for piece in body { bytes.writeImmutableBuffer(piece) }
        guard case .object(let values)? = JSONValue(json: String(buffer: bytes)) else {
            throw OpenAIError("the request is not a JSON object; see docs/tts-server.md for its form")
        }
        for key in values.keys.sorted() where !Self.fields.contains(key) {
            let nearest = Spelling.nearest(to: key, among: Self.fields) ?? ""
            throw OpenAIError(
                "there is no field '\(key.prefix(40))'; did you mean '\(nearest)'?",
                param: String(key.prefix(40))
            )
        }
        let fields = Fields(values: values)
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
        voice = try Self.voice(fields.name("voice"), voices)
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

    private static func rate(_ fields: Fields, _ format: Format) throws(OpenAIError) -> SampleRate? {
        guard let value = fields["sample_rate"] else { return nil }
        guard let hertz = value.whole, SynthesisProtocol.rates.contains(hertz) else {
            let (low, high) = (SynthesisProtocol.rates.lowerBound, SynthesisProtocol.rates.upperBound)
            throw OpenAIError("sample_rate must be a whole number from \(low) to \(high)", param: "sample_rate")
        }
        guard format != .opus else { throw OpenAIError("opus has a rate of its own", param: "sample_rate") }
        return SampleRate(hertz)
    }

    /// The values of a request.
    private struct Fields {
        var values: JSONObject

        subscript(key: String) -> JSONValue? { values[key].flatMap { $0 == .null ? nil : $0 } }

        func text(_ key: String) throws(OpenAIError) -> String? {
            guard let value = self[key] else { return nil }
            guard let text = value.text else { throw OpenAIError("\(key) must be a text", param: key) }
            return text
        }

        /// A text, or an object with an `id`, as OpenAI's voices of one's own are named.
        func name(_ key: String) throws(OpenAIError) -> String? {
            if let id = self[key]?["id"]?.text { return id }
            return try text(key)
        }
    }
}
