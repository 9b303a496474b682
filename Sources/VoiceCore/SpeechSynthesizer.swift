/// Where in the audio a word of the text ends.
public struct SpokenWord: Sendable, Equatable {
    /// Offset of the end of the word in the text given to `speak`, in UTF-8 bytes, punctuation after it included.
    public var textEnd: Int
    /// Index of the sample after the word's last one, counted from the first sample of the utterance.
    public var sampleEnd: Int

    /// Makes a word border.
    public init(textEnd: Int, sampleEnd: Int) {
        self.textEnd = textEnd
        self.sampleEnd = sampleEnd
    }
}

/// A piece of synthesised speech.
public struct SpeechChunk: Sendable, Equatable {
    /// Mono samples in [-1, 1] at the synthesiser's rate.
    public var samples: [Float]
    /// Words that end inside this chunk or before, in order, if the engine knows them; each is reported once.
    public var words: [SpokenWord]

    /// Makes a chunk.
    public init(samples: [Float], words: [SpokenWord] = []) {
        self.samples = samples
        self.words = words
    }
}

/// An engine that speaks.
public protocol SpeechSynthesizer: Sendable {
    /// The voice's name, for logs, reports and pages.
    var name: String { get }
    /// The rate of the audio it makes.
    var sampleRate: SampleRate { get }

    /// Speaks one clause or sentence.
    ///
    /// Chunks come as soon as they exist, leading silence removed. The stream ends early when its consumer is
    /// cancelled. Text without anything to say gives an empty stream.
    /// - Parameters:
    ///   - text: plain text, any characters; what cannot be spoken is skipped.
    ///   - urgency: whose work it is and how pressing; the caller keeps it up to date while it listens. Voices that share a
    ///     device with other engines look at it before each step.
    func speak(_ text: String, urgency: Urgency) -> AsyncThrowingStream<SpeechChunk, any Error>
}

extension SpeechSynthesizer {
    /// Speaks one clause or sentence for somebody who waits for the first sound; see ``speak(_:urgency:)``.
    public func speak(_ text: String) -> AsyncThrowingStream<SpeechChunk, any Error> {
        speak(text, urgency: Urgency(.firstAudio))
    }
}
