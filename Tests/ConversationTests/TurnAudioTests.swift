internal import Testing
internal import VoiceCore

@testable internal import Conversation

@Suite struct TurnAudioTests {
    private static let second = SampleRate.speech.hertz

    /// Hears so many seconds, in pieces of 32 ms; each sample is its second's number, as an amplitude.
    private func hear(_ seconds: Range<Int>, _ audio: TurnAudio) {
        for second in seconds {
            for _ in 0..<(Self.second / 500) { audio.append([Float](repeating: Float(second), count: 500)) }
        }
    }

    @Test func `between turns the last second is kept, and little more`() {
        let audio = TurnAudio()
        hear(0..<3600, audio)
        let end = 3600 * Self.second
        #expect(audio.lastAudible(in: 0..<(end - 2 * Self.second), above: 0.1) == nil)
        #expect(audio.lastAudible(in: (end - Self.second)..<(end - Self.second + 1), above: 0.1) != nil)
    }

    @Test func `a turn after long silence has the half second before it`() {
        let audio = TurnAudio()
        hear(0..<60, audio)
        audio.voiceBegan(at: 60 * Self.second - 512)
        hear(60..<63, audio)
        #expect(audio.turn().count == 3 * Self.second + 512 + Self.second / 2)
        #expect(audio.turn().last == 62)
    }

    @Test func `of a long turn the last nine seconds are there`() {
        let audio = TurnAudio()
        hear(0..<1, audio)
        audio.voiceBegan(at: Self.second)
        hear(1..<60, audio)
        #expect(audio.turn().count == 9 * Self.second)
        #expect(audio.turn().first == 51)
        audio.voiceEnded()
        audio.endTurn()
        hear(60..<70, audio)
        #expect(audio.turn().isEmpty)
        #expect(audio.lastAudible(in: 0..<(68 * Self.second), above: 0.1) == nil)
    }
}
