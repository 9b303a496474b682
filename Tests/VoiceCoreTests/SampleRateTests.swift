internal import Testing

@testable internal import VoiceCore

@Suite struct SampleRateTests {
    @Test(arguments: [(8_000, 160), (16_000, 320), (22_050, 441), (44_100, 882), (48_000, 960)])
    func `twenty milliseconds are a fiftieth of the rate`(hertz: Int, samples: Int) {
        #expect(SampleRate(hertz).samples(in: .milliseconds(20)) == samples)
        #expect(SampleRate(hertz).duration(ofSamples: samples) == .milliseconds(20))
    }

    @Test func `an hour of samples keeps its length`() {
        #expect(SampleRate.speech.duration(ofSamples: 16_000 * 3_600) == .seconds(3_600))
    }
}
