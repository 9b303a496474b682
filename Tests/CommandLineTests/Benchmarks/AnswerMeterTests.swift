internal import Testing
internal import VoiceCore

@testable internal import Repartee

@Suite struct AnswerMeterTests {
    /// Hears pieces of 20 ms at 16 kHz that come at these times, in milliseconds.
    private func measure(_ times: [Int], from first: Int = 0, _ meter: inout AnswerMeter) {
        for (index, time) in times.enumerated() {
            _ = meter.hear(
                epoch: 1,
                position: 320 * (first + index),
                count: 320,
                onset: nil,
                at: .milliseconds(time)
            )
        }
    }

    @Test func `pieces that come evenly after the first burst are not late`() {
        var meter = AnswerMeter(rate: .speech)
        // Three in a burst, then one every 20 ms: 60 ms ahead of what is played.
        measure([100, 100, 101, 100, 120, 140, 160], &meter)
        #expect(meter.settle() == .init(lateness: [0, 0, 0, 0], frames: 7, underruns: 0))
    }

    @Test func `a piece is late by how much later it came than the earliest wants`() {
        var meter = AnswerMeter(rate: .speech)
        measure([100, 100, 100, 103, 120, 147, 160], &meter)
        #expect(meter.settle().lateness == [3, 0, 7, 0])
    }

    @Test func `what comes after it should have been played is an underrun, and a new schedule begins`() {
        var meter = AnswerMeter(rate: .speech)
        // The piece at 100 ms of the answer is played at 200; it comes at 250, which is 110 ms after it was due.
        measure([100, 100, 100, 100, 120, 250, 250, 250, 250, 270], &meter)
        let segment = meter.settle()
        #expect(segment.underruns == 1)
        #expect(segment.lateness == [110, 0, 0, 0, 0])
    }

    @Test func `what goes on after a pause has a schedule of its own`() {
        var meter = AnswerMeter(rate: .speech)
        measure([100, 100, 100, 100, 120], &meter)
        #expect(meter.settle() == .init(lateness: [0, 0], frames: 5, underruns: 0))
        #expect(!meter.isRunning)
        measure([900, 900, 900, 900, 925], from: 2, &meter)
        #expect(meter.settle() == .init(lateness: [0, 5], frames: 5, underruns: 0))
    }

    @Test func `the first audible sample is played by the clock of the first piece`() {
        var meter = AnswerMeter(rate: .speech)
        #expect(meter.awaitsOnset(epoch: 1))
        #expect(meter.hear(epoch: 1, position: 0, count: 320, onset: nil, at: .seconds(1)) == nil)
        #expect(meter.hear(epoch: 1, position: 320, count: 320, onset: 160, at: .seconds(1)) == .milliseconds(1030))
        #expect(!meter.awaitsOnset(epoch: 1))
        #expect(meter.awaitsOnset(epoch: 2))
    }
}
