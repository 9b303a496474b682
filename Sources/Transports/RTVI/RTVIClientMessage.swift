package import VoiceCore

/// A message of an RTVI client. Source of the forms: Pipecat 1.14, `processors/frameworks/rtvi/models.py`.
package enum RTVIClientMessage: Sendable, Equatable {
    /// The client speaks this version, which may be no version at all, and is ready.
    case ready(version: String?)
    /// The session is to end.
    case disconnect
    /// A message of the application, to be answered.
    case message(type: String, data: JSONValue?)
    /// Typed text.
    case text(TypedMessage)
    /// Keys of a telephone: `0` to `9`, `*`, `#`; at least one.
    case keys([Character])
    /// A job is to be stopped.
    case cancelJob(String)
    /// The result of a function that the client was to call.
    case functionResult(name: String, call: String, arguments: JSONValue, result: JSONValue)
    /// Pieces of sound, mono.
    case audio([[Float]], SampleRate)
    /// A known message that asks for something that no agent here has, or an unknown one.
    case unsupported(type: String)

    /// What a text is.
    package enum Arrival: Sendable, Equatable {
        /// No RTVI at all, to be ignored: other messages share the channel.
        case foreign
        /// An RTVI message without the form that all have.
        case malformed(String)
        /// A message with content that cannot be used, to be answered with an `error-response`.
        case invalid(id: String, String)
        /// A message.
        case message(id: String, RTVIClientMessage)
    }

    /// The label of every RTVI message.
    package static let label = "rtvi-ai"

    /// Reads a text. Any text is legal input.
    package static func read(_ json: String) -> Arrival {
        guard let value = JSONValue(json: json), value["label"]?.text == label else { return .foreign }
        return read(value)
    }

    private static func read(_ envelope: JSONValue) -> Arrival {
        guard let id = envelope["id"]?.text, id.utf8.count <= 256 else {
            return .malformed("an RTVI message needs an `id`, a text")
        }
        guard let type = envelope["type"]?.text, type.utf8.count <= 256 else {
            return .malformed("an RTVI message needs a `type`, a text")
        }
        do throws(Refusal) {
            return .message(id: id, try content(type, envelope["data"] ?? .object([:])))
        } catch {
            return .invalid(id: id, error.reason)
        }
    }

    private struct Refusal: Error { var reason: String }

    private static func content(_ type: String, _ data: JSONValue) throws(Refusal) -> RTVIClientMessage {
        switch type {
        case "client-ready": return .ready(version: data["version"]?.text)
        case "disconnect-bot": return .disconnect
        case "client-message": return .message(type: try field("t", of: data, in: type), data: data["d"])
        case "send-text": return .text(try typed(data))
        case "dtmf": return .keys(try pressed(data))
        case "ui-cancel-job-group": return .cancelJob(try field("job_id", of: data, in: type))
        case "llm-function-call-result":
            return .functionResult(
                name: try field("function_name", of: data, in: type),
                call: try field("tool_call_id", of: data, in: type),
                arguments: data["arguments"] ?? .object([:]),
                result: data["result"] ?? .null
            )
        case "raw-audio", "raw-audio-batch": return try sound(data, in: type)
        default: return .unsupported(type: type)
        }
    }

    private static func field(_ key: String, of data: JSONValue, in type: String) throws(Refusal) -> String {
        guard let text = data[key]?.text else { throw Refusal(reason: "\(type) needs `\(key)`, a text") }
        return text
    }

    private static func typed(_ data: JSONValue) throws(Refusal) -> TypedMessage {
        let content = try field("content", of: data, in: "send-text")
        guard content.utf16.count <= BrowserProtocol.maximumTextLength else {
            throw Refusal(reason: "`content` is longer than \(BrowserProtocol.maximumTextLength) characters")
        }
        let trimmed = content.trimmed
        guard !trimmed.isEmpty else { throw Refusal(reason: "`content` is empty") }
        let options = data["options"]
        return TypedMessage(
            text: trimmed,
            isAnswered: try option("run_immediately", of: options),
            isSpoken: try option("audio_response", of: options)
        )
    }

    /// An option of `send-text`; both are true unless said otherwise.
    private static func option(_ key: String, of options: JSONValue?) throws(Refusal) -> Bool {
        guard let value = options?[key] else { return true }
        guard let flag = value.flag else { throw Refusal(reason: "`options.\(key)` must be true or false") }
        return flag
    }

    /// The keys of version 2.1 and later, or the single key of 2.0.
    private static func pressed(_ data: JSONValue) throws(Refusal) -> [Character] {
        let buttons = data["buttons"]?.elements ?? data["button"].map { [$0] } ?? []
        let keys = buttons.compactMap { $0.text.flatMap(KeypadDigits.key) }
        guard !keys.isEmpty, keys.count == buttons.count, keys.count <= KeypadDigits.capacity else {
            throw Refusal(reason: "dtmf needs `buttons`, 1 to \(KeypadDigits.capacity) of 0 to 9, * and #")
        }
        return keys
    }

    private static func sound(_ data: JSONValue, in type: String) throws(Refusal) -> RTVIClientMessage {
        guard let hertz = data["sampleRate"]?.whole, BrowserProtocol.rates.contains(hertz) else {
            throw Refusal(reason: "\(type) needs `sampleRate`, a whole number of hertz from 8000 to 96000")
        }
        guard let channels = data["numChannels"]?.whole, (1...8).contains(channels) else {
            throw Refusal(reason: "\(type) needs `numChannels`, from 1 to 8")
        }
        let pieces = data["base64AudioBatch"]?.elements ?? data["base64Audio"].map { [$0] } ?? []
        var sounds: [[Float]] = []
        for piece in pieces {
            guard let text = piece.text, let bytes = Base64.decode(text) else {
                throw Refusal(reason: "\(type) needs 16-bit samples in Base64")
            }
            sounds.append(PCM16Frames.mono(bytes, channels: channels))
        }
        return .audio(sounds, SampleRate(hertz))
    }
}
