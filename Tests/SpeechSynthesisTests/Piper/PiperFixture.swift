internal import Foundation
internal import Inference
internal import Testing
internal import VoiceCore
internal import VoiceTesting

@testable internal import SpeechSynthesis

/// What the reference computed with a tiny random voice, and the voice's file; how they were made is in Reference/SpeechSynthesis.
struct PiperFixture {
    /// The seed of the noise that the reference took.
    static let seed: UInt64 = 7

    let arrays: GoldenArrays

    init(_ name: String = "piper-golden.safetensors") throws { arrays = try GoldenArrays(path: Self.path(name)) }

    /// The voice's file.
    static func voice() throws -> String { try path("piper-tiny.gguf") }

    /// The released voice's file, where bootstrap puts it.
    static let joe = modelsFolder + "/piper-joe.gguf"

    /// False where the voice was not fetched. In continuous integration it is true, so that its absence is seen.
    static let joeIsExpected =
        ProcessInfo.processInfo.environment["CI"] == "true" || FileManager.default.fileExists(atPath: joe)

    private static func path(_ name: String) throws -> String {
        try #require(Bundle.module.url(forResource: name, withExtension: nil, subdirectory: "Fixtures")).path
    }

    /// The sentence's symbols.
    func ids() throws -> [Int32] { try arrays.integers("ids") }

    /// A loaded tiny voice.
    static func tiny(threads: Int = 1, lane: Lane? = nil) async throws -> PiperVoice {
        try await PiperVoice(path: voice(), configuration: PiperVoice.Configuration(threads: threads, lane: lane))
    }
}

extension PiperStream {
    /// All samples, in stretches of these lengths, again and again.
    func all(_ lengths: [Int]) async throws -> [Float] {
        var samples: [Float] = []
        var index = 0
        while let more = try await next(frames: lengths[index % lengths.count]) {
            samples += more
            index += 1
        }
        return samples
    }
}
