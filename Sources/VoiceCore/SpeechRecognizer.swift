/// An engine that turns speech into text. One engine serves any number of streams.
public protocol SpeechRecognizer: Sendable {
    /// The model's name, for logs, reports and pages.
    var name: String { get }

    /// Opens a stream for one speaker.
    ///
    /// Called once per session. The stream's memory is released when its last reference goes.
    /// - Parameter options: how this speaker shall be recognised.
    /// - Throws: ``VoiceError/Code/usage`` when the engine does not offer one of the options,
    ///   ``VoiceError/Code/unavailable`` when the model cannot be used,
    ///   ``VoiceError/Code/exhausted`` when there is no room for one more stream.
    func openStream(_ options: RecognitionOptions) async throws(VoiceError) -> any RecognizerStream
}

extension SpeechRecognizer {
    /// Opens a stream with the engine's defaults.
    public func openStream() async throws(VoiceError) -> any RecognizerStream {
        try await openStream(RecognitionOptions())
    }
}

/// What is added to the end of an utterance before its final transcript is made.
public enum RecognitionFlush: Sendable, Equatable {
    /// Synthetic silence, about as much as the engine looks ahead: the last word gets the context it would have had. For
    /// the end of a turn.
    case lookahead
    /// Nothing: the transcript of exactly the audio that was fed. For a cut in running speech, or where silence was fed.
    case none
}

/// One speaker's recognition. Utterance by utterance: `feed` … `feed`, then `finish`, then `feed` again.
///
/// One task calls it, one call at a time. Calls run on the engine's own thread; none blocks the caller's.
public protocol RecognizerStream: Sendable {
    /// Takes the next samples of the current utterance (the first call after `finish` or `reset` begins one).
    ///
    /// - Parameter samples: mono, 16 kHz, in [-1, 1]; any count.
    /// - Returns: the newest partial transcript if it changed, else nil.
    /// - Throws: ``VoiceError/Code/cancelled`` when the calling task is cancelled; samples not yet computed stay queued.
    func feed(_ samples: [Float]) async throws(VoiceError) -> Transcript?

    /// Ends the current utterance and returns its final transcript (empty text if nothing was fed or understood).
    ///
    /// What the engine heard stays its context for the next utterance.
    /// - Parameter flush: what is added to the end of the audio.
    func finish(flushing flush: RecognitionFlush) async throws(VoiceError) -> Transcript

    /// The transcript that ``finish(flushing:)`` would give now, without ending the utterance: for a reply that is drafted
    /// before the end of the turn is certain. What it takes to make it leaves no trace in the stream.
    ///
    /// - Returns: nil when the engine cannot tell.
    func draft() async throws(VoiceError) -> Transcript?

    /// The person goes on: after a ``draft()``, the silence that it was made for is over and the next ``feed(_:)`` has speech in it.
    ///
    /// For an engine whose draft is the end of its utterance, which it then takes back. It is called at any sound that may be speech, with
    /// a draft before it or not.
    /// - Throws: as ``feed(_:)``.
    func resume() async throws(VoiceError)

    /// Drops the current utterance and forgets everything heard. The next `feed` begins a fresh one.
    func reset() async throws(VoiceError)
}

extension RecognizerStream {
    /// Most engines cannot tell.
    public func draft() async throws(VoiceError) -> Transcript? { nil }

    /// Most engines' drafts change nothing.
    public func resume() async throws(VoiceError) {}

    /// Ends the current utterance at the end of a turn: ``finish(flushing:)`` with ``RecognitionFlush/lookahead``.
    public func finish() async throws(VoiceError) -> Transcript { try await finish(flushing: .lookahead) }
}
