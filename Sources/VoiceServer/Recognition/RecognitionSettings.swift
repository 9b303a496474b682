internal import VoiceCore

/// What a client chose by its `config` message; the defaults are the reference's protocol.
struct RecognitionSettings: Sendable, Equatable {
    /// The rates a client may send.
    static let rates = 8_000...48_000

    /// The rate of the client's audio.
    var rate = SampleRate.speech
    /// What the recogniser is asked for.
    var options = RecognitionOptions()
    /// True if transcripts name their words with times.
    var showsWords = false
    /// True if transcripts and their words say how sure the recogniser is.
    var showsConfidences = false
    /// True if transcripts say which part no later audio can change.
    var showsStable = false
    /// True if late punctuation of the previous final transcript is sent.
    var sendsAmendments = false
}
