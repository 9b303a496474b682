internal import Audio
internal import NIOCore
internal import VoiceCore

/// What callers say: recorded questions and the quiet of a room, in the messages of 20 ms that the browser's protocol has.
///
/// One for all callers; nothing of it is computed while they talk.
struct CallerSound: Sendable {
    /// A question.
    struct Question: Sendable {
        /// Its messages, up to its last audible sample.
        var messages: [ByteBuffer]
        /// From its first sample to its last audible one.
        var audible: Duration
    }

    /// The length of a message's sound.
    static let length = Duration.milliseconds(20)
    /// The quiet of a room: white noise of -50 dBFS, well below what counts as audible (-36).
    private static let quietLevel: Float = 0.0055
    private static let quietCount = 50

    /// The microphone's rate.
    let rate: SampleRate
    let questions: [Question]
    private let quiet: [ByteBuffer]

    /// Makes the messages.
    /// - Parameters:
    ///   - questions: mono sound, each at its rate.
    ///   - rate: the microphone's.
    init(_ questions: [(samples: [Float], rate: SampleRate)], rate: SampleRate) {
        self.rate = rate
        var random = SplitMix64(seed: 1)
        let count = rate.samples(in: Self.length)
        func silence() -> [Float] { (0..<count).map { _ in Self.quietLevel * Float(2 * random.uniform() - 1) } }
        self.questions = questions.map { question in
            let samples = Resampler.convert(question.samples, from: question.rate, to: rate)
            let audible = (SpeechEdge.last(in: samples) ?? -1) + 1
            let messages = stride(from: 0, to: audible, by: count).map { start in
                let piece = Array(samples[start..<min(samples.count, start + count)])
                return Self.message(piece + silence().dropFirst(piece.count))
            }
            return Question(messages: messages, audible: rate.duration(ofSamples: audible))
        }
        quiet = (0..<Self.quietCount).map { _ in Self.message(silence()) }
    }

    /// A piece of quiet; those of different numbers differ.
    func quiet(_ number: Int) -> ByteBuffer { quiet[number % quiet.count] }

    /// Microphone audio as `docs/protocol.md` has it: kind 1.
    private static func message(_ samples: [Float]) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.writeBytes([1, 0])
        for sample in samples {
            buffer.writeInteger(Int16(max(-32_768, min(32_767, (sample * 32_768).rounded()))), endianness: .little)
        }
        return buffer
    }
}
