internal import Foundation
internal import Testing
internal import VoiceCore
internal import VoiceTesting

/// The committed results of `Reference/TurnDetection/make_golden.py`.
struct Golden: Decodable {
    /// One file through Silero VAD.
    struct VoiceActivity: Decodable {
        var file: String
        /// Per window, the state never cleared.
        var probabilities: [Float]
        /// Per window, with the reset policy.
        var withResets: [Float]
        /// Windows before which the policy cleared the state.
        var resetBeforeWindow: [Int]

        private enum CodingKeys: String, CodingKey {
            case file, probabilities
            case withResets = "with_resets"
            case resetBeforeWindow = "reset_before_window"
        }
    }

    /// One clip through Smart Turn.
    struct Turn: Decodable, CustomTestStringConvertible {
        var name: String
        var file: String
        var start: Int
        var end: Int
        /// Zeros after the samples.
        var silence: Int
        /// Of the graph in F32.
        var probability: Float

        var testDescription: String { name }

        /// The clip, in [-1, 1].
        func samples() throws -> [Float] {
            try Golden.audio(file)[start..<end] + [Float](repeating: 0, count: silence)
        }
    }

    var voiceActivity: [VoiceActivity]
    var turns: [Turn]
    var melClip: String

    private enum CodingKeys: String, CodingKey {
        case voiceActivity = "voice_activity"
        case turns
        case melClip = "mel_clip"
    }

    static func load() throws -> Golden {
        try JSONDecoder().decode(Golden.self, from: data("golden.json"))
    }

    /// The samples of a 16-bit mono WAV as the script writes it, in [-1, 1].
    static func audio(_ file: String) throws -> [Float] {
        try data(file).dropFirst(44).withUnsafeBytes { bytes in
            (0..<(bytes.count / 2)).map {
                Float(Int16(littleEndian: bytes.loadUnaligned(fromByteOffset: 2 * $0, as: Int16.self))) / 32768
            }
        }
    }

    /// Little-endian floats.
    static func floats(_ file: String) throws -> [Float] {
        try data(file).withUnsafeBytes { bytes in
            (0..<(bytes.count / 4)).map { bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self) }
        }
    }

    private static func data(_ file: String) throws -> Data {
        let url = try #require(Bundle.module.url(forResource: "Fixtures/\(file)", withExtension: nil))
        return try Data(contentsOf: url)
    }
}

/// The converted models on this machine.
enum ModelFiles {
    static let silero = modelsFolder + "/silero-vad.gguf"
    static let smartTurn = modelsFolder + "/smart-turn-v3.2.gguf"

    /// False where the models were not fetched. In continuous integration it is true, so that their absence is seen.
    static let areExpected: Bool = {
        ProcessInfo.processInfo.environment["CI"] == "true"
            || [silero, smartTurn].allSatisfy(FileManager.default.fileExists)
    }()
}
