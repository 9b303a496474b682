internal import Inference
internal import Testing
internal import VoiceCore
internal import VoiceTesting

@testable internal import SpeechSynthesis

/// A codec file that is not what it should be is refused with a message that names it; the process lives.
@Suite struct DamagedNanoCodecTests {
    /// One tensor of each kind.
    private static let tensors = [
        "dec.pre.w", "dec.pre.b", "dec.act.2.alpha", "dec.act.4.alpha_inv", "dec.up.0.w", "dec.up.4.b",
        "dec.res.0.0.0.ic.w", "dec.res.3.2.1.sc.b", "dec.res.4.1.2.sa.alpha", "dec.res.2.0.2.ia.alpha_inv",
        "dec.post_act.alpha", "dec.post.w", "dec.post.b",
    ]

    private func error(of file: DamagedFile) async throws -> VoiceError? {
        try await file.withFile { path in
            do throws(VoiceError) {
                _ = try await NanoCodec(path: path, configuration: NanoCodec.Configuration(threads: 1))
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
        var file = try DamagedFile(of: CodecFixture.model())
        guard try file.damage(tensor, damage) else { return }
        let error = try await error(of: file)
        #expect(error?.code == .malformedInput)
        if damage != .wrongType { #expect(error?.message.contains(tensor) == true) }
    }

    @Test(arguments: [32, 10_000, 500_000]) func `a truncated file is refused`(missing: Int) async throws {
        var file = try DamagedFile(of: CodecFixture.model())
        file.truncate(by: missing)
        #expect(try await error(of: file)?.code == .malformedInput)
    }

    @Test(arguments: [
        ("sample_rate", 255), ("samples_per_frame", 1), ("num_codebooks", 0), ("num_codebooks", 9),
        ("codebook_size", 119),
        ("codebook_dim_per_group", 3), ("latent_dim", 31), ("decoder.input_dim", 33), ("decoder.base_channels", 97),
        ("decoder.base_channels", 0), ("decoder.in_kernel_size", 8), ("decoder.in_kernel_size", 1),
        ("decoder.out_kernel_size", 0), ("decoder.n_groups_equal_to_out_channels", 0),
    ]) func `impossible dimensions are refused`(key: String, value: UInt8) async throws {
        var file = try DamagedFile(of: CodecFixture.model())
        try file.set("nano_codec.\(key)", to: value)
        // 22050 with another lowest byte is a rate like any other.
        guard key != "sample_rate" else { return }
        #expect(try await error(of: file)?.code == .malformedInput)
    }

    @Test func `the model of something else is refused by its architecture`() async throws {
        var file = try DamagedFile(of: CodecFixture.model())
        // The length of the text stays: nemo-nano-codec becomes nemo-nano-codeb.
        try file.rename("nemo-nano-codec")
        let error = try await error(of: file)
        #expect(error?.code == .malformedInput)
        #expect(error?.message.contains("architecture") == true)
    }

    @Test func `weights that are not numbers give an error, and the process lives`() async throws {
        var file = try DamagedFile(of: CodecFixture.model())
        file.overwriteEnd(with: 0xFF, count: 400_000)
        #expect(try await error(of: file) != nil)
    }

    @Test func `a missing file is said to be missing`() async {
        let error = await #expect(throws: VoiceError.self) { _ = try await NanoCodec(path: "/nowhere/codec.gguf") }
        #expect(error?.code == .missingInput)
    }

    @Test(arguments: [0, 2000, -1]) func `a number of streams without meaning is refused`(streams: Int) async throws {
        let path = try CodecFixture.model()
        let error = await #expect(throws: VoiceError.self) {
            _ = try await NanoCodec(path: path, configuration: NanoCodec.Configuration(streams: streams))
        }
        #expect(error?.code == .usage)
    }
}
