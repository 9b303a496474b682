/// What a recogniser has understood of one utterance so far.
public struct Transcript: Sendable, Equatable {
    /// The words, as text to be shown and sent to the language model. Empty when nothing was understood.
    public var text: String
    /// True when no later audio can change the text.
    public var isFinal: Bool

    /// Makes a transcript.
    public init(text: String, isFinal: Bool) {
        self.text = text
        self.isFinal = isFinal
    }
}

/// An engine that turns speech into text. One engine serves any number of streams.
public protocol SpeechRecognizer: Sendable {
    /// The model's name, for logs, reports and pages.
    var name: String { get }

    /// Opens a stream for one speaker.
    ///
    /// Called once per session. The stream's memory is released when its last reference goes.
    /// - Throws: ``VoiceError/Code/unavailable`` when the model cannot be used,
    ///   ``VoiceError/Code/exhausted`` when there is no room for one more stream.
    func openStream() async throws(VoiceError) -> any RecognizerStream
}

/// One speaker's recognition. Utterance by utterance: `feed` … `feed`, then `finish`, then `feed` again.
///
/// One task calls it, one call at a time. Calls run on the engine's own thread; none blocks the caller's.
public protocol RecognizerStream: Sendable {
    /// Takes the next samples of the current utterance (the first call after `finish` or `reset` begins one).
    ///
    /// - Parameter samples: mono, 16 kHz, in [-1, 1]; any count.
    /// - Returns: the newest partial transcript if it changed, else nil.
    func feed(_ samples: [Float]) async throws(VoiceError) -> Transcript?

    /// Ends the current utterance and returns its final transcript (empty text if nothing was fed or understood).
    func finish() async throws(VoiceError) -> Transcript

    /// Drops the current utterance. The next `feed` begins a fresh one.
    func reset() async throws(VoiceError)
}
