internal import NIOCore
internal import VoiceCore

extension RecognitionProtocol {
    /// Reads a text message. Any bytes are legal input; nesting is bounded by the JSON parser (128 levels).
    ///
    /// - Parameter standard: the options that `config` changes.
    /// - Throws: ``VoiceError/Code/malformedInput`` if it is no JSON object with a known `type`, or a field has no legal
    ///   value; ``VoiceError/Code/usage`` for a key of `config` that does not exist.
    static func decode(
        _ text: ByteBuffer,
        _ standard: RecognitionOptions = RecognitionOptions()
    ) throws(VoiceError) -> ClientMessage {
        guard text.readableBytes <= longestText else {
            throw VoiceError(.malformedInput, "a text message is larger than \(longestText / 1024) KiB")
        }
        guard let fields = JSONValue(json: String(decoding: text.readableBytesView, as: UTF8.self))?.members else {
            throw VoiceError(
                .malformedInput,
                "a text message is not a JSON object; see docs/asr-server.md for its form"
            )
        }
        switch fields["type"] {
        case .string("reset"), .string("end"):
            switch fields["finalize"] {
            case .bool(let isHard): return .reset(isHard: isHard)
            case nil: return .reset(isHard: true)
            default: throw VoiceError(.malformedInput, "`finalize` must be true or false")
            }
        case .string("config"): return .configure(try settings(fields, standard))
        case .string(let type):
            let known = ["reset", "end", "config"]
            let nearest = Spelling.nearest(to: type, among: known) ?? ""
            throw VoiceError(
                .malformedInput,
                "there is no message of type '\(type.prefix(40))'; did you mean '\(nearest)'?"
            )
        default: throw VoiceError(.malformedInput, "a text message lacks `type`, a text")
        }
    }

    /// The most bytes of a text message: a long list of phrases.
    private static let longestText = 256 * 1024

    private typealias Key = @Sendable (inout RecognitionSettings, Field) throws(VoiceError) -> Void

    /// The keys of `config` besides `type`, in the order of `docs/asr-server.md`.
    private static let keys: [(name: String, apply: Key)] = [
        ("sample_rate", { s, f throws(VoiceError) in s.rate = SampleRate(try f.count(RecognitionSettings.rates)) }),
        ("lookahead", { s, f throws(VoiceError) in s.options.lookahead = try f.count(0...100) }),
        // BCP 47, section 4.4.1
        ("language", { s, f throws(VoiceError) in s.options.language = try f.text(longest: 35) }),
        ("words", { s, f throws(VoiceError) in s.showsWords = try f.flag() }),
        ("confidences", { s, f throws(VoiceError) in s.showsConfidences = try f.flag() }),
        ("stable", { s, f throws(VoiceError) in s.showsStable = try f.flag() }),
        (
            "endpoint_silence_ms",
            { s, f throws(VoiceError) in s.options.endpointSilence = .milliseconds(try f.count(80...60_000)) }
        ),
        ("phrases", { s, f throws(VoiceError) in s.options.phrases = try f.texts(most: 1_000, longest: 200) }),
        ("phrase_boost", { s, f throws(VoiceError) in s.options.phraseBoost = Float(try f.number(0...10)) }),
        ("amendments", { s, f throws(VoiceError) in s.sendsAmendments = try f.flag() }),
    ]

    private static func settings(
        _ fields: JSONObject,
        _ standard: RecognitionOptions
    ) throws(VoiceError) -> RecognitionSettings {
        var settings = RecognitionSettings(options: standard)
        for (name, value) in fields.sorted(by: { $0.key < $1.key }) where name != "type" {
            guard let key = keys.first(where: { $0.name == name }) else {
                let nearest = Spelling.nearest(to: name, among: keys.map(\.name)) ?? ""
                throw VoiceError(.usage, "config has no key '\(name.prefix(40))'; did you mean '\(nearest)'?")
            }
            try key.apply(&settings, Field(name: name, value: value))
        }
        return settings
    }

    /// A value of `config` with its key, for errors.
    private struct Field {
        var name: String
        var value: JSONValue

        func refusal(_ wanted: String) -> VoiceError {
            VoiceError(.malformedInput, "config: `\(name)` must be \(wanted)")
        }

        func flag() throws(VoiceError) -> Bool {
            guard case .bool(let flag) = value else { throw refusal("true or false") }
            return flag
        }

        func number(_ range: ClosedRange<Double>) throws(VoiceError) -> Double {
            guard case .number(let number) = value, range.contains(number) else {
                throw refusal("a number from \(range.lowerBound) to \(range.upperBound)")
            }
            return number
        }

        func count(_ range: ClosedRange<Int>) throws(VoiceError) -> Int {
            guard case .number(let number) = value, let count = Int(exactly: number), range.contains(count) else {
                throw refusal("a whole number from \(range.lowerBound) to \(range.upperBound)")
            }
            return count
        }

        func text(longest: Int) throws(VoiceError) -> String {
            guard case .string(let text) = value, !text.isEmpty, text.utf8.count <= longest else {
                throw refusal("a text of 1 to \(longest) bytes")
            }
            return text
        }

        func texts(most: Int, longest: Int) throws(VoiceError) -> [String] {
            guard case .array(let values) = value, values.count <= most else {
                throw refusal("a list of at most \(most) texts")
            }
            var texts: [String] = []
            for value in values { texts.append(try Field(name: name, value: value).text(longest: longest)) }
            return texts
        }
    }
}
