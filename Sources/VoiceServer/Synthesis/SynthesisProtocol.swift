internal import VoiceCore

/// The synthesis server's wire format: pure values to and from bytes. The page `docs/tts-server.md` is its specification.
///
/// Source of what needs no asking for: pipecat-ai/nemotron-january-2026 @ 70363cd, src/nemotron_speech/tts_server.py,
/// `websocket_tts_stream`.
enum SynthesisProtocol {
    /// A text message of the client.
    enum ClientMessage: Sendable, Equatable {
        /// Drop everything and begin a stream.
        case begin(Wishes)
        /// Speak this after what is there.
        case text(String, context: String?, isFlushed: Bool)
        /// Speak what waits for the rest of its clause.
        case flush
        /// Nothing more comes to the stream; nil for the one that is open.
        case close(context: String?)
        /// Be silent at once; nil for all streams. The client has played so much of the one that is being spoken, if it says.
        case cancel(context: String?, played: Duration?)
        /// Are you there.
        case ping
    }

    /// What a client wants of its streams; nil where it says nothing.
    struct Wishes: Sendable, Equatable {
        var voice: String?
        var language: String?
        var rate: Rate?
        var context: String?
        /// Whether texts are tokens, to be put together to clauses here.
        var isTokenwise = false
        /// Whether the times of words are told.
        var showsWords = false
        /// Whether a `cancel` is answered.
        var acknowledges = false
        /// How long it is silent between sentences, at least.
        var sentencePause = Duration.zero
        /// Keys that nobody knows.
        var unknownKeys: [String] = []
    }

    /// The rate that a client wants.
    enum Rate: Sendable, Equatable {
        /// The voice's own.
        case voice
        case rate(SampleRate)
    }

    /// A text message of the server.
    enum ServerMessage: Sendable, Equatable {
        /// A stream has begun; audio after this is its.
        case created(SynthesisStream)
        /// Words and their ends; the audio follows.
        case words([WordTime], context: String?)
        /// All audio of a segment was sent. The text is said where it was put together here.
        case segmentComplete(number: Int, audio: Double, text: String?, context: String?)
        /// All audio of a stream was sent.
        case done(audio: Double, segments: Int, context: String?)
        /// A stream was cancelled; this much of it was sent, or played where the client said so.
        case cancelled(Cancelled)
        /// Something was wrong. Where it is fatal the stream is over.
        case error(VoiceError.Code, String, isFatal: Bool)
        /// Here.
        case pong
    }

    /// A word with its place in the stream.
    struct WordTime: Sendable, Equatable {
        var text: String
        /// The end of the word in the text of the stream, in UTF-8 bytes.
        var textEnd: Int
        /// The end of the word in the audio of the stream, in milliseconds.
        var end: Double
    }

    /// What became of a stream that was cancelled.
    struct Cancelled: Sendable, Equatable {
        /// Nil if there was none.
        var id: String?
        var context: String?
        /// Milliseconds of audio that were sent, or that the client says it has played.
        var audio = 0.0
        /// The text that this audio speaks.
        var text = ""
    }
}

/// A stream of speech: texts one after the other, in one voice, at one rate.
struct SynthesisStream: Sendable, Equatable {
    /// Its name on the wire.
    var id: String
    /// Its name by the client.
    var context: String?
    /// Its number; they grow.
    var epoch: Int
    /// The voice's name.
    var voice: String
    /// The rate of the audio that is sent.
    var rate: SampleRate
    /// What else the client wants.
    var wishes: SynthesisProtocol.Wishes
}
