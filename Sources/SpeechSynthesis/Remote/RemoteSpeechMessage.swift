internal import Foundation
internal import VoiceCore

/// The messages of the synthesis server's protocol: `src/nemotron_speech/tts_server.py` of pipecat-ai/nemotron-january-2026 at
/// commit 70363cd5. Audio comes as binary messages, 16-bit little-endian mono; all else is JSON. `sample_rate`, `words` and
/// `timestamps` are Repartee's own: other servers pass over what they do not know.
enum RemoteSpeechMessage: Equatable {
    /// A word with its end in the stream's text and audio.
    struct Word: Decodable, Equatable {
        var textEnd: Int
        var end: Double

        private enum CodingKeys: String, CodingKey {
            case textEnd = "text_end"
            case end = "end_ms"
        }
    }

    /// A stream has begun; the rate of its audio, if the server says.
    case created(rate: SampleRate?)
    /// The ends of words whose audio follows.
    case words([Word])
    /// All audio of a segment was sent.
    case segmentComplete
    /// All audio of a stream was sent.
    case done
    /// Something was wrong; if it is fatal the stream is over.
    case error(String, isFatal: Bool)
    /// The server lives.
    case pong
    /// Of a type that only other versions know.
    case unknown

    private struct Fields: Decodable {
        var type: String
        var message: String?
        var fatal: Bool?
        var rate: Int?
        var words: [Word]?

        private enum CodingKeys: String, CodingKey {
            case type, message, fatal, words
            case rate = "sample_rate"
        }
    }

    /// Rates outside of this are taken for nonsense.
    private static let rates = 8_000...96_000

    /// Reads a text message; nil when it is not of the protocol.
    init?(_ text: String) {
        guard let fields = try? JSONDecoder().decode(Fields.self, from: Data(text.utf8)) else { return nil }
        switch fields.type {
        case "stream_created":
            guard let hertz = fields.rate else {
                self = .created(rate: nil)
                return
            }
            guard Self.rates.contains(hertz) else { return nil }
            self = .created(rate: SampleRate(hertz))
        case "timestamps":
            guard let words = fields.words else { return nil }
            self = .words(words)
        case "segment_complete": self = .segmentComplete
        case "done": self = .done
        case "error": self = .error(fields.message ?? "no reason given", isFatal: fields.fatal ?? true)
        case "pong": self = .pong
        default: self = .unknown
        }
    }

    /// Asks for a voice, the words' times, and the voice's own rate.
    static func initial(voice: String?, language: String?) -> String {
        encode(Client(type: "init", voice: voice, language: language, rate: "voice", words: true))
    }

    /// A text to be spoken. `stream` is the mode in which the reference's server sends audio before it has all of it.
    static func text(_ text: String) -> String {
        encode(Client(type: "text", text: text, mode: "stream", preset: "conservative"))
    }

    /// Nothing more comes to the stream.
    static let close = #"{"type":"close"}"#
    /// Be silent.
    static let cancel = #"{"type":"cancel"}"#
    /// Are you there.
    static let ping = #"{"type":"ping"}"#

    private struct Client: Encodable {
        var type: String
        var text: String?
        var mode: String?
        var preset: String?
        var voice: String?
        var language: String?
        var rate: String?
        var words: Bool?

        private enum CodingKeys: String, CodingKey {
            case type, text, mode, preset, voice, language, words
            case rate = "sample_rate"
        }
    }

    private static func encode(_ message: Client) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Texts always have a JSON form.
        return (try? encoder.encode(message)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }
}
