internal import Testing
internal import VoiceCore

@testable internal import Audio

@Suite struct PCM16Tests {
    @Test func `every 16-bit value survives the round trip`() {
        let bytes = (0...0xFFFF).flatMap { number($0, 2) }
        #expect(PCM16.bytes(PCM16.samples(bytes)) == bytes)
    }

    @Test(
        arguments: [
            (1, 32_767), (-1, -32_768), (7, 32_767), (-7, -32_768), (.infinity, 32_767), (-.infinity, -32_768),
            (.nan, 0),
            (0.5 / 32_768, 1), (0.4 / 32_768, 0), (-0.6 / 32_768, -1),
        ] as [(Float, Int16)]
    )
    func `samples are rounded and saturate`(sample: Float, expected: Int16) {
        #expect(PCM16.quantize(sample) == expected)
    }

    @Test func `an odd last byte is ignored`() {
        #expect(PCM16.samples([0, 0x40, 9]) == [0.5])
        #expect(PCM16.samples([9]).isEmpty)
    }
}

@Suite struct SampleFIFOTests {
    @Test func `samples come out as they went in`() {
        var fifo = SampleFIFO(capacity: 5)
        var taken: [Float] = []
        for value in 0..<20 {
            fifo.append([Float(2 * value), Float(2 * value + 1)])
            taken += fifo.take(value % 2 == 0 ? 1 : 3)
        }
        #expect(taken == (0..<40).map { Float($0) })
        #expect(fifo.dropped == 0)
        #expect(fifo.isEmpty)
    }

    @Test func `the oldest are dropped and counted`() {
        var fifo = SampleFIFO(capacity: 3)
        #expect(fifo.append([1, 2]) == 0)
        #expect(fifo.append([3, 4]) == 1)
        #expect(fifo.append([5, 6, 7, 8, 9]) == 5)
        #expect(fifo.dropped == 6)
        #expect(fifo.take(9) == [7, 8, 9])
        #expect(fifo.take(-1).isEmpty)
    }

    @Test func `forgetting is not dropping`() {
        var fifo = SampleFIFO(capacity: 3)
        fifo.append([1, 2])
        fifo.removeAll()
        #expect(fifo.isEmpty)
        #expect(fifo.dropped == 0)
    }
}

@Suite struct SpeechEdgeTests {
    @Test func `audible is what exceeds 500 of 32768`() {
        let samples: [Float] = [0, 500 / 32_768, -501 / 32_768, 0.5, 501 / 32_768, -500 / 32_768, 0]
        #expect(SpeechEdge.first(in: samples) == 2)
        #expect(SpeechEdge.last(in: samples) == 4)
        #expect(SpeechEdge.last(in: samples, above: 0.4) == 3)
    }

    @Test func `silence has no edges`() {
        #expect(SpeechEdge.first(in: [0, 0.001, .nan]) == nil)
        #expect(SpeechEdge.last(in: []) == nil)
    }
}

@Suite struct GainRampTests {
    @Test func `a cut fades out in a straight line`() {
        let tail = GainRamp.cut([Float](repeating: 1, count: 500), at: .speech)
        #expect(tail.count == 80)
        #expect(tail.first == 1)
        #expect(tail[40] == 0.5)
        #expect(abs(tail[79] - 1 / 80) < 1e-6)
    }

    @Test func `less than a ramp is faded as it is`() {
        #expect(GainRamp.cut([1, 1], at: .speech) == [1, 0.5])
        #expect(GainRamp.cut([], at: .speech).isEmpty)
    }

    @Test func `a ramp leaves the rest alone and is clamped`() {
        var samples: [Float] = [1, 1, 1, 1]
        GainRamp.apply(to: &samples, in: 2..<6, from: 1, to: 0)
        #expect(samples == [1, 1, 1, 0.75])
    }
}
