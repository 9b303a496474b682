internal import Testing
internal import VoiceCore

@testable internal import Conversation

/// What was due at the loudspeaker when.
@Suite struct LoudspeakerSignalTests {
    private func frame(_ value: Float) -> [Float] { [Float](repeating: value, count: 320) }

    @Test func `frames lie where they are due, with silence around them`() {
        let signal = LoudspeakerSignal()
        signal.play(frame(0.1), rate: .speech, at: .seconds(1))
        signal.play(frame(0.2), rate: .speech, at: .milliseconds(1020))
        signal.play(frame(0.3), rate: .speech, at: .seconds(2))
        #expect(signal.samples(from: 15_999, count: 2) == [0, 0.1])
        #expect(signal.samples(from: 16_319, count: 2) == [0.1, 0.2])
        #expect(signal.samples(from: 16_639, count: 2) == [0.2, 0])
        #expect(signal.samples(from: 32_319, count: 2) == [0.3, 0])
        #expect(!signal.isSilent(from: 32_300))
        #expect(signal.isSilent(from: 32_320))
    }

    @Test func `what was cut was never played, and the voice may go on later`() {
        let signal = LoudspeakerSignal()
        for index in 0..<5 { signal.play(frame(0.5), rate: .speech, at: .milliseconds(20 * index)) }
        signal.cut(at: .milliseconds(50))
        #expect(signal.samples(from: 799, count: 2) == [0.5, 0])
        #expect(signal.isSilent(from: 800))
        signal.play(frame(0.7), rate: .speech, at: .milliseconds(300))
        #expect(signal.samples(from: 4799, count: 2) == [0, 0.7])
    }

    @Test func `another rate is converted`() {
        let signal = LoudspeakerSignal()
        for index in 0..<50 {
            signal.play([Float](repeating: 0.5, count: 480), rate: SampleRate(24_000), at: .milliseconds(20 * index))
        }
        #expect(signal.samples(from: 8_000, count: 100).allSatisfy { abs($0 - 0.5) < 0.01 })
    }

    @Test func `hours leave two to four seconds`() {
        let signal = LoudspeakerSignal()
        for index in 0..<20_000 { signal.play(frame(0.5), rate: .speech, at: .milliseconds(20 * index)) }
        let end = 20_000 * 320
        #expect(signal.samples(from: end - 32_000, count: 32_000).allSatisfy { $0 == 0.5 })
        #expect(signal.samples(from: end - 64_001, count: 1) == [0])
    }
}
