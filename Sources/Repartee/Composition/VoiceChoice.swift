internal import SpeechSynthesis
internal import VoiceCore

/// A voice, as a person names it: `--voice`, `voice.name`.
enum VoiceChoice: Sendable, Equatable {
    /// A voice of flite: `slt`, `flite-slt`.
    case flite(FliteVoice)
    /// The Piper voice of the checkout: `joe`.
    case joe
    /// A speaker of Magpie TTS: `aria`, `magpie:aria`, `magpie` (nil) for ``magpieSpeaker``.
    case magpie(speaker: String?)

    /// The voice that is always there.
    static let instant = VoiceChoice.flite(.slt)
    /// Magpie's usual speaker, if the model has it: that of pipecat-ai/nemotron-january-2026.
    static let magpieSpeaker = "aria"
    /// Speakers of Magpie v2602. Other models' are named with `magpie:` before them.
    private static let magpieSpeakers = ["aria", "jason", "john", "leo", "sofia"]
    private static let magpiePrefix = "magpie:"
    /// The Piper voice's name.
    static let joeName = "joe"

    /// Every voice that can be named, with a word about it, in the order in which `repartee say --list-voices` shows them.
    static var all: [(name: String, about: String)] {
        FliteVoice.allCases.map { ($0.rawValue, "flite, American English") }
            + [(joeName, "Piper, neural, American English")]
            + magpieSpeakers.map { ($0, "Magpie TTS, after 'repartee models pull magpie'") }
    }

    /// Finds a voice.
    /// - Throws: ``VoiceError/Code/usage`` when there is none of this name; the message lists them.
    init(named name: String) throws(VoiceError) {
        let plain = name.hasPrefix("flite-") ? String(name.dropFirst("flite-".count)) : name
        if let voice = FliteVoice(rawValue: plain) {
            self = .flite(voice)
        } else if name == Self.joeName || name == ModelCatalogue.piperJoe {
            self = .joe
        } else if name == ModelCatalogue.magpie {
            self = .magpie(speaker: nil)
        } else if name.hasPrefix(Self.magpiePrefix), name != Self.magpiePrefix {
            self = .magpie(speaker: String(name.dropFirst(Self.magpiePrefix.count)))
        } else if Self.magpieSpeakers.contains(name) {
            self = .magpie(speaker: name)
        } else {
            let names = Self.all.map(\.name).joined(separator: ", ")
            throw VoiceError(.usage, "there is no voice '\(name.prefix(80))'; there are \(names)")
        }
    }
}
