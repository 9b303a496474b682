internal import Audio
internal import Foundation
internal import VoiceCore

/// A recording of one turn whose pauses and end are known; `Training/starter-asr/pause_sets.py` makes them.
struct PausedRecording: Decodable {
    /// A silence inside the turn, in seconds of the recording: the last audible sound before, the first after it.
    struct Pause: Decodable {
        var start: Double
        var end: Double
        /// The number of the word after it, from 0; nil where the voice made it.
        var word: Int?
    }

    /// The WAV file's name.
    var file: String
    /// A name for the voice, or `person`.
    var voice: String
    /// Which part of the set it belongs to.
    var part: String
    /// When the last audible sound ends, in seconds.
    var end: Double
    var pauses: [Pause]
    /// What is said.
    var text: String?

    /// Speech that goes on is noticed so late, at most; a silence may be noticed so long before the last weak sound of the list.
    static let notice = Duration.milliseconds(250)

    /// What has been said by a time in a pause or behind the end; nil where that is not known.
    func words(upTo time: Duration) -> String? {
        guard let text else { return nil }
        if time > .seconds(end) - Self.notice { return text }
        let pause = pauses.last { time > .seconds($0.start) - Self.notice && time < .seconds($0.end) + Self.notice }
        guard let word = pause?.word else { return nil }
        return text.split(separator: " ").prefix(word).joined(separator: " ")
    }

    /// Reads the list of a set.
    /// - Throws: ``VoiceError/Code/missingInput`` when there is none, ``VoiceError/Code/malformedInput`` when it is not one.
    static func list(of folder: String) throws(VoiceError) -> [PausedRecording] {
        let path = folder + "/set.json"
        guard let data = FileManager.default.contents(atPath: path) else {
            throw VoiceError(.missingInput, "\(path) cannot be read; Training/starter-asr/pause_sets.py makes a set")
        }
        do { return try JSONDecoder().decode([PausedRecording].self, from: data) } catch {
            throw VoiceError(.malformedInput, "\(path) is not a list of recordings: \(error)", cause: error)
        }
    }

    /// The sound, mono at 16 kHz.
    func samples(in folder: String) throws(VoiceError) -> [Float] {
        let wav = try WAVFile.read(path: folder + "/" + file)
        return Resampler.convert(wav.mono, from: wav.rate, to: .speech)
    }
}
