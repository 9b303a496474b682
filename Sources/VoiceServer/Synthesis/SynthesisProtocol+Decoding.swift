internal import NIOCore
internal import VoiceCore

extension SynthesisProtocol {
    /// The rates a client may ask for.
    static let rates = 8_000...48_000
    /// The most bytes of a context's name.
    private static let longestName = 128

    /// Reads a text message. Any bytes are legal input.
    ///
    /// - Throws: ``VoiceError/Code/malformedInput`` if it is no JSON object with a known `type`, or a field has no legal value.
    static func decode(_ bytes: ByteBuffer) throws(VoiceError) -> ClientMessage {
        guard case .object(let fields)? = JSONValue(json: String(buffer: bytes)) else {
            throw VoiceError(.malformedInput, "a message is not a JSON object; see docs/tts-server.md for its form")
        }
        guard let type = fields["type"]?.text else {
            throw VoiceError(.malformedInput, "a message lacks `type`, a text")
        }
        let message = Fields(type: type, values: fields)
        switch type {
        case "init": return .begin(try wishes(message))
        case "text":
            guard let text = fields["text"]?.text else {
                throw VoiceError(.malformedInput, "text: `text` must be a text")
            }
            let isFlushed = try message.flag("flush") ?? false
            return .text(text, context: try message.name("context_id"), isFlushed: isFlushed)
        case "flush": return .flush
        case "close": return .close(context: try message.name("context_id"))
        case "cancel":
            let played = try message.number("played_ms", 0...86_400_000)
            return .cancel(
                context: try message.name("context_id"),
                played: played.map { .nanoseconds(Int64($0 * 1e6)) }
            )
        case "ping": return .ping
        default:
            let known = ["init", "text", "flush", "close", "cancel", "ping"]
            let nearest = Spelling.nearest(to: type, among: known) ?? ""
            throw VoiceError(
                .malformedInput,
                "there is no message of type '\(type.prefix(40))'; did you mean '\(nearest)'?"
            )
        }
    }

    /// The keys of `init`. `default_mode` has no effect: audio always comes as it is made, and there is one quality.
    static let keys = [
        "type", "voice", "language", "default_mode", "sample_rate", "context_id", "tokens", "words", "acknowledge",
        "sentence_pause_ms",
    ]

    private static func wishes(_ message: Fields) throws(VoiceError) -> Wishes {
        var wishes = Wishes()
        wishes.voice = try message.name("voice")
        wishes.language = try message.name("language")
        wishes.context = try message.name("context_id")
        wishes.isTokenwise = try message.flag("tokens") ?? false
        wishes.showsWords = try message.flag("words") ?? false
        // Who names contexts wants to know what became of them.
        wishes.acknowledges = try message.flag("acknowledge") ?? (wishes.context != nil)
        wishes.sentencePause = .milliseconds(Int(try message.number("sentence_pause_ms", 0...10_000) ?? 0))
        wishes.rate = try rate(message)
        wishes.unknownKeys = message.values.keys.filter { !keys.contains($0) }.sorted()
        return wishes
    }

    private static func rate(_ message: Fields) throws(VoiceError) -> Rate? {
        switch message.values["sample_rate"] {
        case nil, .null?: return nil
        case .string("voice")?: return .voice
        case let value?:
            guard let hertz = value.whole, rates.contains(hertz) else {
                throw message.refusal(
                    "sample_rate",
                    "a whole number from \(rates.lowerBound) to \(rates.upperBound), or 'voice' for the voice's own"
                )
            }
            return .rate(SampleRate(hertz))
        }
    }

    /// A message's fields, with its type for errors.
    private struct Fields {
        var type: String
        var values: JSONObject

        func refusal(_ key: String, _ wanted: String) -> VoiceError {
            VoiceError(.malformedInput, "\(type): `\(key)` must be \(wanted)")
        }

        func flag(_ key: String) throws(VoiceError) -> Bool? {
            guard let value = values[key], value != .null else { return nil }
            guard let flag = value.flag else { throw refusal(key, "true or false") }
            return flag
        }

        func name(_ key: String) throws(VoiceError) -> String? {
            guard let value = values[key], value != .null else { return nil }
            guard let name = value.text, (1...longestName).contains(name.utf8.count) else {
                throw refusal(key, "a text of at most \(longestName) bytes")
            }
            return name
        }

        func number(_ key: String, _ range: ClosedRange<Double>) throws(VoiceError) -> Double? {
            guard let value = values[key], value != .null else { return nil }
            guard case .number(let number) = value, range.contains(number) else {
                throw refusal(key, "a number from \(Int(range.lowerBound)) to \(Int(range.upperBound))")
            }
            return number
        }
    }
}
