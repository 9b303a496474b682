internal import Testing
internal import VoiceCore

@testable internal import Transports

@Suite struct OutgoingAudioTests {
    private static let rate = SampleRate(1_000)

    private static func frame(_ epoch: Int, _ position: Int, _ samples: [Float]) -> PlayoutFrame {
        PlayoutFrame(epoch: epoch, audio: AudioFrame(samples: samples, rate: rate, position: position))
    }

    /// Takes one packet of `count` samples at `time` ms, heard 100 ms later.
    private static func take(_ audio: inout OutgoingAudio, _ count: Int, _ time: Int) -> [Float]? {
        audio.take(count, at: .milliseconds(time), heardAfter: .milliseconds(100))?.samples
    }

    @Test func `frames of any length become packets, the last one padded, and silence follows it`() {
        var audio = OutgoingAudio(rate: Self.rate, limit: .seconds(2))
        #expect(Self.take(&audio, 4, 0) == nil)
        _ = audio.push(Self.frame(1, 0, [1, 2, 3]))
        _ = audio.push(Self.frame(1, 3, [4, 5, 6, 7]))
        let first = audio.take(4, at: .milliseconds(20), heardAfter: .zero)
        #expect(first?.samples == [1, 2, 3, 4] && first?.isFirst == true)
        // A part waits once for its rest.
        let second = audio.take(4, at: .milliseconds(40), heardAfter: .zero)
        #expect(second?.samples == [5, 6, 7, 0] && second?.isFirst == false)
        let rest = (3...9).map { Self.take(&audio, 4, 20 * $0) }
        #expect(rest == [[Float]?](repeating: [0, 0, 0, 0], count: 5) + [nil, nil])
    }

    @Test func `it is over once the silence behind the last sound has left`() {
        var audio = OutgoingAudio(rate: Self.rate, limit: .seconds(2))
        #expect(audio.isOver)
        _ = audio.push(Self.frame(1, 0, [1, 2]))
        // The part waits once for its rest, then leaves, then silence five times.
        let over = (0...7).map { time in
            _ = Self.take(&audio, 4, 20 * time)
            return audio.isOver
        }
        #expect(over == [Bool](repeating: false, count: 6) + [true, true])
        _ = audio.push(Self.frame(1, 2, [3]))
        #expect(!audio.isOver)
        audio.forget(through: 1)
        #expect(audio.isOver)
    }

    @Test func `a part of a packet that grows meanwhile goes out whole`() {
        var audio = OutgoingAudio(rate: Self.rate, limit: .seconds(2))
        _ = audio.push(Self.frame(1, 0, [1, 2]))
        #expect(Self.take(&audio, 4, 0) == nil)
        _ = audio.push(Self.frame(1, 2, [3, 4]))
        #expect(Self.take(&audio, 4, 20) == [1, 2, 3, 4])
    }

    @Test func `what has left is heard later, each reply's newest place once`() {
        var audio = OutgoingAudio(rate: Self.rate, limit: .seconds(2))
        _ = audio.push(Self.frame(1, 10, [1, 1, 1]))
        _ = audio.push(Self.frame(2, 0, [2, 2, 2, 2, 2]))
        _ = Self.take(&audio, 4, 0)
        _ = Self.take(&audio, 4, 20)
        #expect(audio.heard(at: .milliseconds(99)).isEmpty)
        let first = audio.heard(at: .milliseconds(100)).map { [$0.epoch, $0.samples] }
        #expect(first == [[1, 13], [2, 1]])
        let second = audio.heard(at: .milliseconds(200)).map { [$0.epoch, $0.samples] }
        #expect(second == [[2, 5]])
        #expect(audio.heard(at: .seconds(9)).isEmpty)
    }

    @Test func `a cut forgets what waits of that reply and of older ones, not what has left`() {
        var audio = OutgoingAudio(rate: Self.rate, limit: .seconds(2))
        _ = audio.push(Self.frame(1, 0, [1, 1, 1, 1, 1, 1]))
        _ = audio.push(Self.frame(2, 0, [2, 2, 2, 2]))
        #expect(Self.take(&audio, 4, 0) == [1, 1, 1, 1])
        audio.forget(through: 1)
        #expect(Self.take(&audio, 4, 20) == [0.5, 0, 2, 2])
        let heard = audio.heard(at: .seconds(1)).map { [$0.epoch, $0.samples] }
        #expect(heard == [[1, 4], [2, 2]])
    }

    @Test func `a reply that is cut fades in 5 ms that nobody is told of, one that was not heard yet is just gone`() {
        var audio = OutgoingAudio(rate: Self.rate, limit: .seconds(2))
        _ = audio.push(Self.frame(1, 0, [Float](repeating: 1, count: 12)))
        #expect(Self.take(&audio, 4, 0) == [1, 1, 1, 1])
        audio.forget(through: 1)
        #expect(Self.take(&audio, 4, 20)?.map { ($0 * 5).rounded() } == [4, 3, 2, 1])
        #expect(Self.take(&audio, 4, 40) == [0, 0, 0, 0])
        let heard = audio.heard(at: .seconds(1)).map { [$0.epoch, $0.samples] }
        #expect(heard == [[1, 4]])

        _ = audio.push(Self.frame(2, 0, [1, 1, 1, 1]))
        audio.forget(through: 2)
        #expect(Self.take(&audio, 4, 60) == [0, 0, 0, 0])
    }

    @Test func `more than the limit drops the oldest, and says how much`() {
        var audio = OutgoingAudio(rate: Self.rate, limit: .milliseconds(10))
        #expect(audio.push(Self.frame(1, 0, [Float](repeating: 1, count: 8))) == .zero)
        #expect(audio.push(Self.frame(1, 8, [Float](repeating: 2, count: 6))) == .milliseconds(8))
        #expect(Self.take(&audio, 6, 0) == [Float](repeating: 2, count: 6))
    }
}
