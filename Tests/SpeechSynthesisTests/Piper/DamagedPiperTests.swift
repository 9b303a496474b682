internal import Inference
internal import Testing
internal import VoiceCore
internal import VoiceTesting

@testable internal import SpeechSynthesis

/// A voice's file that is not what it should be is refused with a message that names it; the process lives.
@Suite(.timeLimit(.minutes(5))) struct DamagedPiperTests {
    /// One tensor of each kind.
    private static let tensors = [
        "text.embedding", "text.0.q.weight", "text.1.near_keys", "text.0.near_values", "text.1.ff1.weight",
        "text.0.norm2.bias", "text.mean.weight", "text.deviation.bias", "duration.pre.weight",
        "duration.0.depthwise.weight", "duration.1.pointwise.weight", "duration.flow.1.0.norm1.weight",
        "duration.flow.0.proj.weight", "duration.flow.1.pre.weight", "duration.shift", "flow.0.pre.weight",
        "flow.1.1.in.weight", "flow.0.0.residual.weight", "flow.1.1.skip.weight", "flow.0.post.bias",
        "decoder.pre.weight", "decoder.0.up.weight", "decoder.2.up.bias", "decoder.1.block.1.1.weight",
        "decoder.post.weight",
    ]

    private func error(of file: DamagedFile) async throws -> VoiceError? {
        try await file.withFile { path in
            do throws(VoiceError) {
                let voice = try await PiperVoice(path: path, configuration: PiperVoice.Configuration(threads: 1))
                _ = try await voice.stream(of: [1, 0, 14, 0, 2], seed: 0).next(frames: 5)
                return nil
            } catch {
                #expect(error.message.contains(path))
                return error
            }
        }
    }

    @Test(arguments: tensors, DamagedFile.Damage.allCases) func `a damaged tensor is refused`(
        tensor: String,
        damage: DamagedFile.Damage
    ) async throws {
        var file = try DamagedFile(of: PiperFixture.voice())
        guard try file.damage(tensor, damage) else { return }
        let error = try await error(of: file)
        #expect(error?.code == .malformedInput)
        if damage != .wrongType { #expect(error?.message.contains(tensor) == true) }
    }

    @Test(arguments: [32, 10_000, 90_000]) func `a truncated file is refused`(missing: Int) async throws {
        var file = try DamagedFile(of: PiperFixture.voice())
        file.truncate(by: missing)
        #expect(try await error(of: file)?.code == .malformedInput)
    }

    @Test(arguments: [
        ("width", 13), ("width", 0), ("vocabulary", 100), ("pad_id", 151), ("text.layers", 3), ("text.layers", 0),
        ("text.heads", 5), ("text.taps", 4), ("text.window", 3), ("duration.layers", 7), ("duration.taps", 2),
        ("duration.flows", 3), ("duration.bins", 5), ("flow.couplings", 3), ("flow.layers", 1), ("flow.taps", 5),
        ("decoder.channels", 25), ("decoder.taps", 4), ("decoder.block_depth", 1),
    ]) func `impossible dimensions are refused`(key: String, value: UInt8) async throws {
        var file = try DamagedFile(of: PiperFixture.voice())
        try file.set("piper.\(key)", to: value)
        #expect(try await error(of: file)?.code == .malformedInput)
    }

    @Test func `the model of something else is refused by its architecture`() async throws {
        let path = try CodecFixture.model()
        let error = await #expect(throws: VoiceError.self) { _ = try await PiperVoice(path: path) }
        #expect(error?.code == .malformedInput)
        #expect(error?.message.contains("architecture") == true)
    }

    @Test(arguments: [1000, 90_000]) func `weights that are not numbers do no harm to the process`(
        count: Int
    ) async throws {
        var file = try DamagedFile(of: PiperFixture.voice())
        file.overwriteEnd(with: 0xFF, count: count)
        // Whatever comes of it, it comes to an end.
        _ = try? await error(of: file)
    }

    @Test func `a missing file is said to be missing`() async {
        let error = await #expect(throws: VoiceError.self) { _ = try await PiperVoice(path: "/nowhere/voice.gguf") }
        #expect(error?.code == .missingInput)
    }
}
