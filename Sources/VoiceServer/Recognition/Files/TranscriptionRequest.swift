internal import Audio
internal import NIOHTTP1
internal import VoiceCore

/// A request for the transcript of a file, checked (platform.openai.com, API reference, "Create transcription").
struct TranscriptionRequest: Sendable {
    /// The forms of an answer.
    enum Format: String, Sendable, CaseIterable {
        case json, text, srt, vtt
        case verbose = "verbose_json"
    }

    /// What the times in a `verbose_json` belong to.
    enum Granularity: String, Sendable, CaseIterable { case word, segment }

    /// The recording.
    var audio: WAVFile
    var options: RecognitionOptions
    var format = Format.json
    var granularities: [Granularity] = []
    /// True if the text is to be sent while it is made.
    var streams = false

    /// Model names that clients of OpenAI send; they stand for whatever is loaded.
    static let aliases = ["whisper-1", "gpt-4o-transcribe", "gpt-4o-mini-transcribe"]
    /// The fields of a form. `temperature` has no effect: there is one best transcript, nothing is drawn by chance.
    static let fields = [
        "file", "model", "language", "prompt", "response_format", "timestamp_granularities[]", "stream", "temperature",
    ]
    /// The least rate of a recording. Less is no speech, and would grow a lot on the way to 16 kHz.
    private static let minimumRate = 8_000

    /// Checks a form.
    ///
    /// - Parameters:
    ///   - model: the loaded model's name.
    ///   - standard: the options that the form changes.
    /// - Throws: what to answer instead.
    init(
        _ form: MultipartForm,
        model: String,
        standard: RecognitionOptions = RecognitionOptions()
    ) throws(OpenAIError) {
        guard form.files.count == 1, let file = form.files.first, file.field == "file" else {
            throw OpenAIError("the form must have one file, in the field 'file'", param: "file")
        }
        audio = try Self.audio(file)
        options = standard
        for field in form.fields { try take(field, model: model) }
        if streams, format != .json, format != .text {
            throw OpenAIError("stream works with the response formats json and text only", param: "stream")
        }
        if !granularities.isEmpty, format != .verbose {
            let message = "timestamp_granularities[] works with the response format verbose_json only"
            throw OpenAIError(message, param: "timestamp_granularities[]")
        }
    }

    private mutating func take(_ field: MultipartForm.Field, model: String) throws(OpenAIError) {
        let value = field.value
        switch field.name {
        case "model":
            guard value == model || Self.aliases.contains(value) else {
                throw OpenAIError(
                    "there is no model '\(value.prefix(80))' here, only '\(model)'",
                    status: .notFound,
                    param: "model",
                    code: "model_not_found"
                )
            }
        case "language": options.language = value.isEmpty ? nil : String(value.prefix(35))
        case "prompt": options.phrases = Self.phrases(value)
        case "response_format": format = try Self.choice(field)
        case "timestamp_granularities[]", "timestamp_granularities": granularities.append(try Self.choice(field))
        case "stream":
            guard ["true", "false"].contains(value.lowercased()) else {
                throw OpenAIError("stream must be true or false", param: "stream")
            }
            streams = value.lowercased() == "true"
        case "temperature":
            guard let temperature = Double(value), (0...1).contains(temperature) else {
                throw OpenAIError("temperature must be a number from 0 to 1", param: "temperature")
            }
        default:
            let nearest = Spelling.nearest(to: field.name, among: Self.fields) ?? ""
            throw OpenAIError(
                "there is no field '\(field.name.prefix(40))'; did you mean '\(nearest)'?",
                param: String(field.name.prefix(40))
            )
        }
    }

    /// A prompt's phrases: what stands between commas, semicolons and line ends.
    private static func phrases(_ prompt: String) -> [String] {
        prompt.split { $0 == "," || $0 == ";" || $0.isNewline }
            .map { $0.split(separator: " ").joined(separator: " ") }
            .filter { !$0.isEmpty }
    }

    private static func choice<Choice: RawRepresentable & CaseIterable>(
        _ field: MultipartForm.Field
    ) throws(OpenAIError) -> Choice where Choice.RawValue == String {
        guard let choice = Choice(rawValue: field.value) else {
            let names = Choice.allCases.map(\.rawValue).joined(separator: ", ")
            let message = "\(field.name) must be one of \(names), not '\(field.value.prefix(40))'"
            throw OpenAIError(message, param: field.name)
        }
        return choice
    }

    private static func audio(_ file: MultipartForm.File) throws(OpenAIError) -> WAVFile {
        let name = file.name.isEmpty ? "the file" : String(file.name.prefix(80))
        let wav: WAVFile
        do {
            wav = try WAVFile(bytes: file.bytes, name: name)
        } catch {
            let isOther = !file.bytes.isEmpty && !file.bytes.starts(with: "RIFF".utf8)
            let message = error.message + "; only WAV files can be read"
            throw OpenAIError(
                message,
                status: isOther ? .unsupportedMediaType : .badRequest,
                param: "file",
                code: isOther ? "unsupported_format" : "invalid_file"
            )
        }
        guard wav.rate.hertz >= minimumRate else {
            throw OpenAIError("\(name) has \(wav.rate); send 8000 Hz or more", param: "file", code: "invalid_file")
        }
        return wav
    }
}
