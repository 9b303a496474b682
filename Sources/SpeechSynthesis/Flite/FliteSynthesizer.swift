package import VoiceCore

/// libflite behind ``SpeechSynthesizer``: small, fast, in process, American English.
///
/// Audio comes while flite's vocoder works: the first chunk after some 10 ms of computing for a short clause, then chunks
/// of at most 100 ms. Any number of streams may be spoken at once; they share one thread, piece by piece of text.
package struct FliteSynthesizer: SpeechSynthesizer {
    /// Every voice's rate.
    static let rate = SampleRate.speech

    /// The voice in use.
    package let voice: FliteVoice
    /// For example `flite-slt`.
    package var name: String { "flite-\(voice.rawValue)" }
    /// 16 kHz.
    package var sampleRate: SampleRate { Self.rate }

    /// Makes a synthesiser that speaks with `voice`.
    package init(voice: FliteVoice = .slt) {
        self.voice = voice
    }

    /// Speaks `text`; see ``SpeechSynthesizer/speak(_:urgency:)``. Cancelling or dropping the stream stops flite within 20 ms
    /// of audio. One consumer. flite has a thread of its own and looks at no urgency.
    package func speak(_ text: String, urgency: Urgency) -> AsyncThrowingStream<SpeechChunk, any Error> {
        let speech = FliteSpeech(voice: voice, pieces: SpeakableText(text).pieces())
        return AsyncThrowingStream { try await speech.next() }
    }
}
