internal import Foundation
internal import VoiceCore

/// The turn detector's verdicts, each made once: by the sound that was judged and up to which sample.
///
/// With a file they outlive the run, so that other rules can be tried on the same set in seconds.
actor VerdictCache {
    private struct Contents: Codable {
        /// The detector's name.
        var model: String
        /// By the digest of the samples before the turn's end, then by position.
        var verdicts: [String: [Int: Float]]
    }

    private let detector: any TurnDetector
    private let path: String?
    private var contents: Contents
    /// Verdicts that were made in this run.
    private(set) var made = 0

    /// Makes a cache.
    /// - Parameter path: a file to read verdicts from if it is there, and to write them to; nil for none.
    /// - Throws: ``VoiceError/Code/malformedInput`` when the file is not one, or of another detector.
    init(_ detector: any TurnDetector, path: String?) throws(VoiceError) {
        self.detector = detector
        self.path = path
        contents = Contents(model: detector.name, verdicts: [:])
        guard let path, let data = FileManager.default.contents(atPath: path) else { return }
        guard let found = try? JSONDecoder().decode(Contents.self, from: data), found.model == detector.name else {
            throw VoiceError(.malformedInput, "\(path) holds no verdicts of \(detector.name): remove it")
        }
        contents = found
    }

    /// P(end) of a turn.
    /// - Parameters:
    ///   - samples: the whole recording, mono, 16 kHz.
    ///   - digest: ``digest(of:)`` of it.
    ///   - start: where the turn begins.
    ///   - position: up to where it is heard.
    func verdict(
        on samples: [Float],
        digest: String,
        from start: Int,
        to position: Int
    ) async throws(VoiceError) -> Float {
        let key = "\(digest)-\(start)"
        if let known = contents.verdicts[key]?[position] { return known }
        let turn = Array(samples[min(start, position)..<min(position, samples.count)])
        let probability = try await detector.endProbability(ofTurn: turn)
        contents.verdicts[key, default: [:]][position] = probability
        made += 1
        return probability
    }

    /// Writes the file.
    /// - Throws: ``VoiceError/Code/fault`` when it cannot be written.
    func save() throws(VoiceError) {
        guard let path, made > 0 else { return }
        do {
            try JSONEncoder().encode(contents).write(to: URL(fileURLWithPath: path), options: .atomic)
        } catch {
            throw VoiceError(.fault, "\(path) cannot be written", cause: error)
        }
    }

    /// FNV-1a (64 bits) of the samples' bits.
    static func digest(of samples: [Float]) -> String {
        let hash = samples.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1.bitPattern)) &* 0x100_0000_01b3 }
        return String(hash, radix: 16)
    }
}
