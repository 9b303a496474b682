internal import VoiceCore

/// The recognition server's wire format: pure values to and from bytes. The page `docs/asr-server.md` is its specification.
///
/// Source of `ready`, `transcript`, `error`, `reset` and `end`: pipecat-ai/nemotron-january-2026 @ 70363cd,
/// src/nemotron_speech/server.py, `websocket_handler`, `_handle_audio` and `_reset_session`.
enum RecognitionProtocol {
    /// A text message of the client.
    enum ClientMessage: Sendable, Equatable {
        /// Answer with a final transcript. A hard reset ends the turn, a soft one does not.
        case reset(isHard: Bool)
        /// Do more than the reference does; before any audio.
        case configure(RecognitionSettings)
    }

    /// A text message of the server.
    enum ServerMessage: Sendable, Equatable {
        /// The recogniser waits for audio.
        case ready
        /// The answer to `config`.
        case configured(RecognitionSettings, model: String)
        /// What has been understood since the last hard reset.
        case transcript(TranscriptMessage)
        /// The recogniser holds the utterance for over.
        case endpoint
        /// Punctuation that belongs to the end of the last final transcript.
        case amendment(String)
        /// Something was wrong; the session goes on unless a close frame follows.
        case error(VoiceError.Code, String)
    }

    /// A `transcript`, with all that a client may have asked for.
    struct TranscriptMessage: Sendable, Equatable {
        /// What ended a transcript, if anything did.
        enum Finality: Sendable, Equatable { case interim, soft, hard }

        /// A word with what the client wants to know of it.
        struct Word: Sendable, Equatable {
            var text: String
            var start: Duration?
            var end: Duration?
            var confidence: Float?
        }

        /// All text since the last hard reset.
        var text: String
        var finality: Finality
        /// The words, if they were asked for.
        var words: [Word]?
        /// The least confidence of all words, if it was asked for and is known.
        var confidence: Float?
        /// Bytes of the text's UTF-8 form that no later audio can change, if that was asked for.
        var stableLength: Int?
    }
}
