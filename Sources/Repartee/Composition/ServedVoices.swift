internal import SpeechSynthesis
internal import VoiceCore
internal import VoiceServer

extension EngineRoom {
    /// The voices of a synthesis server: the one that the settings name, the other speakers of its model, and those that are always
    /// there: flite's, and joe where this processor can compute it.
    ///
    /// - Parameter streams: texts that may be spoken at the same time.
    /// - Returns: the voices, and the name of the one that the settings name.
    func servedVoices(streams: Int) async throws(VoiceError) -> (voices: [ServedVoice], standard: String) {
        let chosen = try await localSynthesizer(streams: streams)
        var voices = FliteVoice.allCases.map { voice in
            ServedVoice(name: voice.rawValue, synthesizer: FliteSynthesizer(voice: voice))
        }
        let piper: PiperSynthesizer?
        if let chosen = chosen as? PiperSynthesizer {
            piper = chosen
        } else {
            piper = try? await self.piper(ModelCatalogue.piperJoe)
        }
        if let piper { voices.append(ServedVoice(name: VoiceChoice.joeName, synthesizer: piper)) }
        var standard = chosen is PiperSynthesizer ? VoiceChoice.joeName : (chosen as? FliteSynthesizer)?.voice.rawValue
        if let magpie = chosen as? MagpieSynthesizer {
            for speaker in magpie.speakers {
                let voice = try magpie.speaking(as: speaker)
                let name = speaker.lowercased()
                if voice.name == magpie.name { standard = name }
                voices.append(ServedVoice(name: name, synthesizer: voice, languages: [settings.voice.language]))
            }
        }
        return (voices, standard ?? chosen.name)
    }
}
