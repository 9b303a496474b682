internal import Foundation
internal import VoiceCore

/// A sound in which nobody speaks, the same for the same seed.
struct UnspokenSound {
    /// What is heard.
    enum Kind: String, Encodable, CaseIterable {
        /// Digital silence.
        case silence
        /// The same power at every frequency.
        case white = "white noise"
        /// The same power in every octave: rain, a fan.
        case pink = "pink noise"
        /// A random walk: traffic behind a window.
        case brown = "brown noise"
        /// 50 Hz and its overtones.
        case hum
        /// Chords of three notes with overtones that fade, one every half second.
        case chords
        /// Single notes of a scale, with vibrato.
        case melody
        /// Short bursts, some a second: keys, drops.
        case clicks
    }

    var kind: Kind
    /// Root mean square, in dB below full scale (a sine at full scale has -3); nil for silence.
    var level: Double?

    /// The sounds of the benchmark: loud ones are as loud as speech.
    static let all =
        [UnspokenSound(kind: .silence, level: nil), UnspokenSound(kind: .white, level: -80)]
        + [Kind.white, .pink, .brown].flatMap { kind in [-60, -40, -20].map { UnspokenSound(kind: kind, level: $0) } }
        + [Kind.hum, .chords, .melody].flatMap { kind in [-40, -20].map { UnspokenSound(kind: kind, level: $0) } }
        // Their peaks are 37 dB above.
        + [-60, -40].map { UnspokenSound(kind: .clicks, level: $0) }

    /// Samples at 16 kHz in [-1, 1], as 16-bit audio has them. Loud peaks are clipped.
    func samples(seconds: Int, seed: UInt64) -> [Float] {
        let count = seconds * SampleRate.speech.hertz
        guard let level else { return [Float](repeating: 0, count: count) }
        var random = SplitMix64(seed: seed)
        let raw = raw(count, &random)
        let power = raw.reduce(0) { $0 + $1 * $1 } / Double(max(1, raw.count))
        let gain = power > 0 ? pow(10, level / 20) / power.squareRoot() : 0
        return raw.map { Float(max(-32_768, min(32_767, ($0 * gain * 32_768).rounded())) / 32_768) }
    }

    private func raw(_ count: Int, _ random: inout SplitMix64) -> [Double] {
        switch kind {
        case .silence: [Double](repeating: 0, count: count)
        case .white: (0..<count).map { _ in random.normal() }
        case .pink: Self.pink(count, &random)
        case .brown: Self.brown(count, &random)
        case .hum: Self.hum(count)
        case .chords: Self.chords(count, &random)
        case .melody: Self.melody(count, &random)
        case .clicks: Self.clicks(count, &random)
        }
    }

    private static let rate = Double(SampleRate.speech.hertz)

    /// White noise through Paul Kellet's filter ("refined method", musicdsp.org, 1999): -3 dB an octave within 0.05 dB.
    private static func pink(_ count: Int, _ random: inout SplitMix64) -> [Double] {
        let poles = [0.99886, 0.99332, 0.96900, 0.86650, 0.55000, -0.7616]
        let gains = [0.0555179, 0.0750759, 0.1538520, 0.3104856, 0.5329522, -0.0168980]
        var state = [Double](repeating: 0, count: poles.count)
        var delayed = 0.0
        return (0..<count).map { _ in
            let white = random.normal()
            for index in state.indices { state[index] = poles[index] * state[index] + gains[index] * white }
            defer { delayed = white * 0.115926 }
            return state.reduce(delayed + white * 0.5362, +)
        }
    }

    /// White noise summed up, leaking so that it stays around zero.
    private static func brown(_ count: Int, _ random: inout SplitMix64) -> [Double] {
        var sum = 0.0
        return (0..<count).map { _ in
            sum = 0.998 * sum + random.normal()
            return sum
        }
    }

    private static func hum(_ count: Int) -> [Double] {
        (0..<count).map { index in
            (1...8).reduce(0) { $0 + sin(2 * .pi * 50 * Double($1 * index) / rate) / Double($1) }
        }
    }

    /// Major and minor triads on the notes of a scale.
    private static func chords(_ count: Int, _ random: inout SplitMix64) -> [Double] {
        var sound = [Double](repeating: 0, count: count)
        for start in stride(from: 0, to: count, by: SampleRate.speech.hertz / 2) {
            let root = scale[Int(random.next() % UInt64(scale.count))] / 2
            let third = random.next() % 2 == 0 ? 4.0 : 3.0
            for interval in [0, third, 7] {
                add(root * pow(2, interval / 12), from: start, seconds: 1.5, decay: 2.5, vibrato: 0, to: &sound)
            }
        }
        return sound
    }

    private static func melody(_ count: Int, _ random: inout SplitMix64) -> [Double] {
        var sound = [Double](repeating: 0, count: count)
        var start = 0
        while start < count {
            let length = [0.25, 0.5, 0.75][Int(random.next() % 3)]
            let note = scale[Int(random.next() % UInt64(scale.count))]
            add(note, from: start, seconds: length, decay: 1, vibrato: 0.01, to: &sound)
            start += Int(length * rate)
        }
        return sound
    }

    private static func clicks(_ count: Int, _ random: inout SplitMix64) -> [Double] {
        var sound = [Double](repeating: 0, count: count)
        var start = 0
        while start < count {
            // 2 ms that fade, 0.05 to 0.65 s apart.
            for index in 0..<32 where start + index < count {
                sound[start + index] = random.normal() * exp(-Double(index) / 8)
            }
            start += Int((0.05 + 0.6 * random.uniform()) * rate)
        }
        return sound
    }

    /// C major from middle C, in hertz.
    private static let scale = [0, 2, 4, 5, 7, 9, 11, 12].map { 261.63 * pow(2, Double($0) / 12) }

    /// Adds a note with four overtones: 20 ms of attack, then it fades by e^-decay a second.
    private static func add(
        _ frequency: Double,
        from start: Int,
        seconds: Double,
        decay: Double,
        vibrato: Double,
        to sound: inout [Double]
    ) {
        let length = min(Int(seconds * rate), sound.count - start)
        for index in 0..<length {
            let time = Double(index) / rate
            let phase = 2 * .pi * frequency * time + vibrato * frequency / 5.5 * sin(2 * .pi * 5.5 * time)
            let envelope = min(1, time / 0.02, Double(length - index) / (0.02 * rate)) * exp(-decay * time)
            for overtone in 1...5 {
                sound[start + index] += envelope * sin(Double(overtone) * phase) / Double(overtone * overtone)
            }
        }
    }
}

extension SplitMix64 {
    /// Mean 0, variance 1 (Box and Muller 1958).
    fileprivate mutating func normal() -> Double {
        (-2 * log(1 - uniform())).squareRoot() * cos(2 * .pi * uniform())
    }
}
