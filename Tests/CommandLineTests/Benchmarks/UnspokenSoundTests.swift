internal import Foundation
internal import Testing

@testable internal import Repartee

@Suite struct UnspokenSoundTests {
    @Test func `the same seed makes the same sound, another one another`() {
        let sound = UnspokenSound(kind: .pink, level: -40)
        #expect(sound.samples(seconds: 1, seed: 1) == sound.samples(seconds: 1, seed: 1))
        #expect(sound.samples(seconds: 1, seed: 1) != sound.samples(seconds: 1, seed: 2))
    }

    @Test func `every sound has its length and its level`() {
        for sound in UnspokenSound.all {
            let samples = sound.samples(seconds: 2, seed: 1)
            #expect(samples.count == 32_000)
            let power = samples.reduce(0) { $0 + Double($1 * $1) } / 32_000
            guard let level = sound.level else {
                #expect(power == 0)
                continue
            }
            // At -80 dB a sample is a few steps of 16 bits.
            #expect(abs(10 * log10(power) - level) < (level < -70 ? 1 : 0.1), "\(sound.kind) \(level)")
        }
    }

    @Test func `all kinds are heard`() {
        #expect(Set(UnspokenSound.all.map(\.kind)) == Set(UnspokenSound.Kind.allCases))
    }
}
