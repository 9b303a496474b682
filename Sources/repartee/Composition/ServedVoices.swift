internal import SpeechSynthesis
internal import VoiceCore
internal import VoiceServer

extension EngineRoom {
    /// The voices of a synthesis server: the one that the settings name, the other speakers of its model, and flite's.
    ///
    /// - Parameter streams: texts that may be spoken at the same time.
    /// - Returns: the voices, and the name of the one that the settings name.
    func servedVoices(streams: Int) async throws(VoiceError) -> (voices: [ServedVoice], standard: String) {
        let chosen = try await localSynthesizer(streams: streams)
        let flite = FliteVoice.allCases.map { voice in
            ServedVoice(name: voice.rawValue, synthesizer: FliteSynthesizer(voice: voice))
        }
        switch chosen {
        case let chosen as FliteSynthesizer: return (flite, chosen.voice.rawValue)
        case let chosen as MagpieSynthesizer:
            var speakers: [ServedVoice] = []
            for speaker in chosen.speakers {
                let voice = try chosen.speaking(as: speaker)
                speakers.append(
                    ServedVoice(
                        name: speaker.lowercased(),
                        synthesizer: voice,
                        languages: [settings.voice.language]
                    )
                )
            }
            let standard = speakers.first { $0.synthesizer.name == chosen.name }?.name
            return (speakers + flite, standard ?? chosen.name)
        default:
            return ([ServedVoice(name: chosen.name, synthesizer: chosen)] + flite, chosen.name)
        }
    }
}
