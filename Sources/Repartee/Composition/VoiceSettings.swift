internal import Foundation
internal import SpeechSynthesis
internal import VoiceCore

/// The settings of the voice.
struct VoiceSettings: Sendable, Equatable {
    /// Its name; nil for Magpie once that was pulled, else joe, else, where joe is not there, ``VoiceChoice/instant``.
    var name: String?
    /// The addresses of servers that speak; empty for a voice in process. The name is then the servers'.
    var urls: [String] = []
    /// The files of a neural voice: names in the catalogue or paths.
    var model: String?
    var codec = ModelCatalogue.nanoCodec
    var pronunciations = ModelCatalogue.magpiePronunciations
    /// The language of the agent's replies, for voices that speak several.
    var language = "en"
    /// The path of a lexicon of one's own.
    var lexicon: String?
    /// Processor threads of a neural voice; nil for a number that suits the machine.
    var threads: Int?

    /// The voice that they name.
    /// - Throws: ``VoiceError/Code/usage`` when there is no such voice.
    func choice(_ store: ModelStore) throws(VoiceError) -> VoiceChoice {
        if let name { return try VoiceChoice(named: name) }
        if model != nil || store.hasMagpie { return .magpie(speaker: nil) }
        return store.has(ModelCatalogue.piperJoe) ? .joe : .instant
    }

    /// Reads the lexicon, if there is one.
    /// - Throws: ``VoiceError/Code/missingInput`` when the file cannot be read, ``VoiceError/Code/malformedInput`` when it is no
    ///   lexicon.
    func readLexicon() throws(VoiceError) -> PronunciationLexicon {
        guard let lexicon, !lexicon.isEmpty else { return PronunciationLexicon() }
        guard let bytes = FileManager.default.contents(atPath: lexicon) else {
            throw VoiceError(.missingInput, "the lexicon \(lexicon) cannot be read")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw VoiceError(.malformedInput, "the lexicon \(lexicon) is not text in UTF-8")
        }
        do { return try PronunciationLexicon(text) } catch {
            throw VoiceError(error.code, "\(lexicon): \(error.message)")
        }
    }
}
