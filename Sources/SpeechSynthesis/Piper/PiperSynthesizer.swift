internal import Foundation
internal import Synchronization
package import VoiceCore

/// A Piper voice behind ``SpeechSynthesizer``: neural, American English, on the CPU.
///
/// Any number of streams may be spoken at once; they take turns, a stretch of at most a third of a second each.
package final class PiperSynthesizer: SpeechSynthesizer {
    /// The voice that speaks.
    package let voice: PiperVoice
    /// For example `joe`.
    package var name: String { voice.name }
    /// The voice's rate.
    package var sampleRate: SampleRate { voice.sampleRate }

    private let phonemizer: EnglishPhonemizer
    private let symbols: PiperSymbols
    /// Every text has a seed of its own.
    private let seeds: Mutex<SplitMix64>

    /// Makes a synthesiser.
    /// - Parameters:
    ///   - voice: speaks.
    ///   - phonemizer: knows how words sound.
    ///   - seed: with the same one, the same texts in the same order sound the same.
    package init(voice: PiperVoice, phonemizer: EnglishPhonemizer, seed: UInt64 = 0) {
        self.voice = voice
        self.phonemizer = phonemizer
        symbols = voice.symbols
        seeds = Mutex(SplitMix64(seed: seed))
    }

    /// Speaks `text`; see ``SpeechSynthesizer/speak(_:urgency:)``. Cancelling or dropping the stream stops the work within one
    /// quantum, some 20 ms. One consumer.
    package func speak(_ text: String, urgency: Urgency) -> AsyncThrowingStream<SpeechChunk, any Error> {
        let words = phonemizer.phonemes(of: EnglishNormalizer().spoken(text))
        let pieces = PiperPiece.pieces(of: words, symbols)
        let seed = seeds.withLock { $0.next() }
        let speech = PiperSpeech(voice, pieces, seed: seed, urgency: urgency)
        return AsyncThrowingStream { try await speech.next() }
    }
}
