internal import Audio
internal import Foundation
internal import SpeechSynthesis
internal import VoiceCore

/// A sound that the person makes while the agent is speaking.
struct SpokenOver {
    /// What it means.
    enum Kind: String, Encodable, CaseIterable {
        /// Words that take the turn.
        case interruption
        /// Words of a listener.
        case backChannel = "back-channel"
        /// No words: coughs, knocks, bursts of noise.
        case noise
    }

    var kind: Kind
    var name: String
    /// 16 kHz, its loudest sample at ``peak``.
    var samples: [Float]

    /// As loud as a person in front of a laptop.
    static let peak: Float = 0.3

    private static let interruptions = [
        "Wait.", "Stop, please.", "No, I meant Tuesday.", "Hold on a second.", "That is not what I asked.",
        "Can you repeat that?", "What about the train?", "Sorry, I have another question.",
    ]
    /// What flite can say of them; it spells "mhm".
    private static let backChannels = ["Yeah.", "Okay.", "I see.", "Right.", "Sure.", "Got it."]
    private static let voices: [FliteVoice] = [.rms, .awb, .kal16]

    /// All sounds of the benchmark: each text by three voices, and the noises.
    static func all() async throws -> [SpokenOver] {
        var sounds: [SpokenOver] = []
        for voice in voices {
            let synthesizer = FliteSynthesizer(voice: voice)
            for (kind, texts) in [(Kind.interruption, interruptions), (.backChannel, backChannels)] {
                for text in texts {
                    var samples: [Float] = []
                    for try await chunk in synthesizer.speak(text) { samples += chunk.samples }
                    let speech = Resampler.convert(samples, from: synthesizer.sampleRate, to: .speech)
                    sounds.append(
                        SpokenOver(kind: kind, name: "\(voice.rawValue): \(text)", samples: normalised(speech))
                    )
                }
            }
        }
        return sounds + hums() + noises()
    }

    /// "Mhm" as people hum it: two nasal syllables, the second higher and longer.
    private static func hums() -> [SpokenOver] {
        [95.0, 120, 150, 190, 220, 250].map { pitch in
            let rate = Double(SampleRate.speech.hertz)
            var samples: [Float] = []
            var phase = 0.0
            for (length, height) in [(0.16, 1.0), (0.05, 0.0), (0.24, 1.15)] {
                let count = Int(length * rate)
                samples += (0..<count).map { index in
                    let place = Double(index) / Double(count)
                    phase += pitch * (height == 0 ? 1 : height) * (1 + 0.05 * place) / rate
                    // Overtones that fall by 12 dB an octave, with the nasal murmur's one formant near 250 Hz.
                    let voice = (1...12).reduce(0.0) { sum, overtone in
                        let frequency = pitch * Double(overtone)
                        let formant = 1 / (1 + pow((frequency - 250) / 120, 2)) + 0.03
                        return sum + formant / Double(overtone) * sin(2 * .pi * Double(overtone) * phase)
                    }
                    return Float(voice * height * sin(.pi * place).squareRoot())
                }
            }
            return SpokenOver(kind: .backChannel, name: "hummed mhm, \(Int(pitch)) Hz", samples: normalised(samples))
        }
    }

    /// Twelve bursts of noise: coughs (one or two bursts, band of the vocal tract, sharp attack), knocks, and longer rustling.
    private static func noises() -> [SpokenOver] {
        (0..<12).map { index in
            let seed = UInt64(index + 1)
            let (name, samples): (String, [Float]) =
                switch index % 3 {
                case 0: ("cough", burst(.pink, seed, lengths: [0.18, 0.25], pause: 0.12, decay: 12))
                case 1: ("knock", burst(.brown, seed, lengths: [0.06, 0.06, 0.06], pause: 0.2, decay: 60))
                default: ("rustling", burst(.white, seed, lengths: [0.7], pause: 0, decay: 1))
                }
            return SpokenOver(kind: .noise, name: "\(name) \(index / 3 + 1)", samples: normalised(samples))
        }
    }

    private static func burst(
        _ kind: UnspokenSound.Kind,
        _ seed: UInt64,
        lengths: [Double],
        pause: Double,
        decay: Double
    ) -> [Float] {
        let rate = Double(SampleRate.speech.hertz)
        let source = UnspokenSound(kind: kind, level: -20).samples(seconds: 3, seed: seed)
        var samples: [Float] = []
        for length in lengths {
            let count = Int(length * rate)
            let begin = samples.count
            samples += (0..<count).map { index in
                let time = Double(index) / rate
                return source[begin + index] * Float(min(1, time / 0.005) * exp(-decay * time))
            }
            samples += [Float](repeating: 0, count: Int(pause * rate))
        }
        return samples
    }

    private static func normalised(_ samples: [Float]) -> [Float] {
        let loudest = samples.map(abs).max() ?? 0
        guard loudest > 0, let first = SpeechEdge.first(in: samples.map { $0 / loudest * peak }) else { return samples }
        return samples[first...].map { $0 / loudest * peak }
    }
}
