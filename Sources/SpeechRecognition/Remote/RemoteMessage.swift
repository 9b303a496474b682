internal import Foundation
internal import VoiceCore

/// The messages of the speech server's protocol: `src/nemotron_speech/server.py` of pipecat-ai/nemotron-january-2026 at
/// commit 70363cd5. Audio goes to the server as binary messages, 16-bit little-endian mono at 16 kHz; all else is JSON.
/// `config`, `configured` and `endpoint` are Repartee's own: other servers pass over a message that they do not know.
enum RemoteMessage: Equatable {
    /// The server takes audio.
    case ready
    /// What the server has understood since its last hard reset.
    case transcript(text: String, isFinal: Bool)
    /// The server does as `config` asked.
    case configured
    /// The server holds the utterance for over.
    case endpoint
    /// The server failed.
    case error(String)
    /// Of a type that only other versions know.
    case unknown

    private struct Fields: Decodable {
        var type: String
        var text: String?
        var isFinal: Bool?
        var message: String?

        private enum CodingKeys: String, CodingKey {
            case type, text, message
            case isFinal = "is_final"
        }
    }

    /// Reads a text message; nil when it is not of the protocol.
    init?(_ text: String) {
        guard let fields = try? JSONDecoder().decode(Fields.self, from: Data(text.utf8)) else { return nil }
        switch fields.type {
        case "ready":
            self = .ready
        case "transcript":
            guard let text = fields.text else { return nil }
            self = .transcript(text: text, isFinal: fields.isFinal ?? false)
        case "configured":
            self = .configured
        case "endpoint":
            self = .endpoint
        case "error":
            self = .error(fields.message ?? "no reason given")
        default:
            self = .unknown
        }
    }

    /// Asks for the final transcript.
    ///
    /// A hard reset adds silence to the audio, answers, and forgets everything. A soft reset answers with what is there and
    /// forgets nothing: later transcripts begin with the same text.
    static func reset(isHard: Bool) -> String { #"{"type":"reset","finalize":\#(isHard)}"# }

    /// Asks for what the reference has no words for; nil when nothing of that is wanted.
    static func configuration(_ options: RecognitionOptions) -> String? {
        guard options != RecognitionOptions(phraseBoost: options.phraseBoost) else { return nil }
        let fields = Configuration(
            lookahead: options.lookahead,
            language: options.language,
            phrases: options.phrases.isEmpty ? nil : options.phrases,
            phraseBoost: options.phrases.isEmpty ? nil : options.phraseBoost,
            endpointSilence: options.endpointSilence.map { Int($0.milliseconds.rounded()) }
        )
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return (try? encoder.encode(fields)).map { String(decoding: $0, as: UTF8.self) }
    }

    private struct Configuration: Encodable {
        var type = "config"
        var lookahead: Int?
        var language: String?
        var phrases: [String]?
        var phraseBoost: Float?
        var endpointSilence: Int?

        private enum CodingKeys: String, CodingKey {
            case type, lookahead, language, phrases
            case phraseBoost = "phrase_boost"
            case endpointSilence = "endpoint_silence_ms"
        }
    }
}
