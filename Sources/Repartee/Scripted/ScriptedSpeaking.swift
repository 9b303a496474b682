internal import Foundation
internal import Synchronization
internal import VoiceCore

/// A voice that hums: every letter lasts as long as every other.
struct ScriptedSpeaking: SpeechSynthesizer {
    /// A letter's sound: 150 words a minute, words of five letters and a space.
    private static let letter = Duration.milliseconds(66)
    /// The length of a piece: about four frames of Magpie's.
    private static let piece = Duration.milliseconds(200)
    /// The rate of Piper's and Magpie's voices.
    private static let rate = SampleRate(22_050)
    /// A tenth of a second of a low voice, which repeats itself: 120 Hz with two overtones.
    private static let hum = (0..<(rate.hertz / 10)).map { index in
        let phase = 2 * Double.pi * 120 * Double(index) / Double(rate.hertz)
        return Float(0.15 * sin(phase) + 0.08 * sin(2 * phase) + 0.04 * sin(3 * phase))
    }

    let name = "scripted"
    var sampleRate: SampleRate { Self.rate }
    let clock: any SessionClock
    let costs: ScriptedCosts

    func speak(_ text: String, urgency: Urgency) -> AsyncThrowingStream<SpeechChunk, any Error> {
        let letters = Array(text.utf8)
        let perLetter = Self.rate.samples(in: Self.letter)
        let (length, pieceLength) = (letters.count * perLetter, Self.rate.samples(in: Self.piece))
        let made = Mutex(0)
        return AsyncThrowingStream {
            let start = made.withLock { made in
                defer { made += pieceLength }
                return made
            }
            guard start < length else { return nil }
            let end = min(length, start + pieceLength)
            let isFirst = start == 0
            do throws(VoiceError) {
                try await clock.wait(isFirst ? costs.firstSound : Self.piece * costs.soundShare)
            } catch { return nil }
            let words = (start / perLetter..<(end + perLetter - 1) / perLetter).filter { index in
                let next = index + 1
                let isEnd =
                    letters[index] != UInt8(ascii: " ") && (next == letters.count || letters[next] == UInt8(ascii: " "))
                return isEnd && (start..<end).contains(next * perLetter - 1)
            }
            return SpeechChunk(
                samples: (start..<end).map { Self.hum[$0 % Self.hum.count] },
                words: words.map { SpokenWord(textEnd: $0 + 1, sampleEnd: ($0 + 1) * perLetter) }
            )
        }
    }
}
