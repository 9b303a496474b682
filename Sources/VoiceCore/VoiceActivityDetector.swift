/// An engine that tells speech from everything else. One engine serves any number of streams.
public protocol VoiceActivityDetector: Sendable {
    /// The model's name.
    var name: String { get }
    /// Samples per verdict at 16 kHz (512, that is 32 ms, for Silero).
    var windowLength: Int { get }
    /// Opens a stream for one microphone.
    func openStream() async throws(VoiceError) -> any VoiceActivityStream
}

/// One microphone's voice activity. One task calls it, one call at a time.
public protocol VoiceActivityStream: Sendable {
    /// Takes the next samples.
    ///
    /// - Parameter samples: mono, 16 kHz, in [-1, 1]; any count, windows are cut inside.
    /// - Returns: the speech probability in [0, 1] of each window completed by these samples, oldest first.
    func feed(_ samples: [Float]) async throws(VoiceError) -> [Float]
    /// Forgets everything heard.
    func reset() async throws(VoiceError)
}
