internal import Testing
internal import VoiceCore

@testable internal import Audio

/// The parts of echo cancelling, on noise that comes and goes like speech.
@Suite struct EchoTests {
    private static let seconds = 6

    /// Bursts of noise, 160 ms long with 80 ms between.
    private static func bursts(seed: UInt64) -> [Float] {
        var random = SplitMix64(seed: seed)
        return (0..<(seconds * 16_000)).map { index in
            let value = Float(random.uniform() - 0.5)
            return index % 3840 < 2560 ? value * 0.6 : 0
        }
    }

    /// The sound after a delay, at a quarter of its amplitude.
    private static func echo(of sound: [Float], delay: Int) -> [Float] {
        ([Float](repeating: 0, count: delay) + sound.dropLast(delay)).map { $0 / 4 }
    }

    private static func power(_ samples: some Sequence<Float>) -> Float { samples.reduce(0) { $0 + $1 * $1 } }

    private func delay(_ microphone: [Float], _ loudspeaker: [Float]) -> Int? {
        var estimator = EchoDelay()
        for start in stride(from: 0, to: microphone.count, by: 320) {
            estimator.advance(
                microphone: Array(microphone[start..<(start + 320)]),
                loudspeaker: Array(loudspeaker[start..<(start + 320)])
            )
        }
        return estimator.samples
    }

    @Test(arguments: [0, 37, 2400, 7900]) func `the delay of an echo is found, to the sample`(delay: Int) {
        let played = Self.bursts(seed: 1)
        #expect(self.delay(Self.echo(of: played, delay: delay), played) == delay)
    }

    @Test func `an echo under somebody else's voice is found, too`() throws {
        let played = Self.bursts(seed: 1)
        let heard = zip(Self.echo(of: played, delay: 2400), Self.bursts(seed: 2)).map { $0 + $1 / 4 }
        let found = try #require(delay(heard, played))
        #expect(abs(found - 2400) <= 16)
    }

    @Test func `where there is no echo none is found`() {
        #expect(delay(Self.bursts(seed: 2), Self.bursts(seed: 1)) == nil)
        #expect(delay([Float](repeating: 0, count: 96_000), Self.bursts(seed: 1)) == nil)
        #expect(delay(Self.bursts(seed: 2), [Float](repeating: 0, count: 96_000)) == nil)
    }

    @Test func `what was found outlasts a rest, and an echo after it is found as before`() {
        let played = Self.bursts(seed: 1)
        let heard = Self.echo(of: played, delay: 2400)
        var estimator = EchoDelay()
        for round in 0..<2 {
            for start in stride(from: 0, to: heard.count, by: 320) {
                let range = start..<(start + 320)
                estimator.advance(microphone: Array(heard[range]), loudspeaker: Array(played[range]))
            }
            #expect(estimator.samples == 2400, "\(round)")
            estimator.rest()
            #expect(estimator.samples == 2400)
        }
    }

    @Test func `the canceller leaves a hundredth of an echo and keeps another voice`() throws {
        let played = Self.bursts(seed: 1)
        let echo = Self.echo(of: played, delay: 300)
        let person = Self.bursts(seed: 2)
        let canceller = try #require(EchoCanceller())
        var clean: [Float] = []
        for start in stride(from: 0, to: echo.count, by: EchoCanceller.blockLength) {
            let range = start..<(start + EchoCanceller.blockLength)
            // The person speaks in the last second.
            let microphone = range.map { echo[$0] + ($0 >= 80_000 ? person[$0] / 4 : 0) }
            clean += canceller.process(microphone: microphone, loudspeaker: Array(played[range]))
        }
        #expect(clean.count == echo.count)
        #expect(Self.power(clean[64_000..<80_000]) < Self.power(echo[64_000..<80_000]) / 100)
        let voice = Self.power(person[80_000...].map { $0 / 4 })
        #expect(Self.power(clean[80_000...]) > voice / 2 && Self.power(clean[80_000...]) < voice * 2)
    }

    @Test func `samples that are no numbers or too large do no harm`() throws {
        let canceller = try #require(EchoCanceller())
        let odd = [Float](repeating: .nan, count: 80) + [Float](repeating: .infinity, count: 80)
        let clean = canceller.process(microphone: odd, loudspeaker: odd)
        #expect(clean.allSatisfy { $0.isFinite })
    }

    @Test func `what is not well above the echo that is left is taken for it`() {
        var gate = EchoGate(windowLength: 512)
        func isMore(_ microphone: Float, _ loudspeaker: Float) -> Bool {
            gate.advance(microphone: microphone, loudspeaker: loudspeaker)
        }
        // Nothing is known yet: half the amplitude may come back.
        #expect(!isMore(0.01, 0.01))
        // A hundredth of the power does.
        for _ in 0..<100 { #expect(!isMore(0.0001, 0.01)) }
        #expect(!isMore(0.0003, 0.01))
        #expect(isMore(0.002, 0.01))
        // The echo may come for three quarters of a second after its sound; then every sound counts.
        #expect(!isMore(0.0001, 0))
        for _ in 0..<24 { _ = isMore(0, 0) }
        #expect(isMore(0.0001, 0))
    }
}
