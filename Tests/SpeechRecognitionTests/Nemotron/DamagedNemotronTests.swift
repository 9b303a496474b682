internal import Inference
internal import Testing
internal import VoiceCore
internal import VoiceTesting

@testable internal import SpeechRecognition

/// A model file that is not what it should be is refused with a message that names it; the process lives.
@Suite struct DamagedNemotronTests {
    /// One tensor of each kind.
    private static let tensors = [
        "encoder.pre_encode.conv.2.weight", "encoder.pre_encode.out.weight",
        "encoder.layers.0.norm_feed_forward1.weight", "encoder.layers.1.feed_forward2.linear1.weight",
        "encoder.layers.0.self_attn.linear_pos.weight", "encoder.layers.1.self_attn.pos_bias_u",
        "encoder.layers.0.conv.pointwise_conv1.weight", "encoder.layers.0.conv.depthwise_conv.weight",
        "decoder.prediction.embed.weight", "decoder.prediction.dec_rnn.lstm.hh_l1.weight", "joint.enc.bias",
        "joint.joint_net.2.weight",
    ]

    private func code(of file: DamagedFile) async throws -> VoiceError.Code? {
        try await file.withFile { path in
            do throws(VoiceError) {
                _ = try await NemotronRecognizer(path: path)
                return nil
            } catch {
                #expect(error.message.contains(path))
                return error.code
            }
        }
    }

    @Test(arguments: tensors, DamagedFile.Damage.allCases) func `a damaged tensor is refused`(
        tensor: String,
        damage: DamagedFile.Damage
    ) async throws {
        var file = try DamagedFile(of: Golden.path("nemotron-tiny-q8_0.gguf"))
        guard try file.damage(tensor, damage) else { return }
        #expect(try await code(of: file) == .malformedInput)
    }

    @Test(arguments: [32, 10_000, 500_000]) func `a truncated file is refused`(missing: Int) async throws {
        var file = try DamagedFile(of: Golden.path("nemotron-tiny-q8_0.gguf"))
        file.truncate(by: missing)
        #expect(try await code(of: file) == .malformedInput)
    }

    @Test(arguments: [
        ("asr.encoder.n_heads", 7), ("asr.encoder.d_model", 63), ("asr.encoder.n_layers", 3),
        ("asr.encoder.conv_kernel_size", 1), ("asr.encoder.subsampling_factor", 4), ("asr.encoder.feat_in", 80),
        ("asr.encoder.train_left_ctx", 0), ("asr.preprocessor.n_fft", 1), ("asr.rnnt.blank_id", 3),
        ("asr.rnnt.max_symbols_per_step", 0), ("asr.rnnt.pred_num_layers", 3), ("asr.rnnt.vocab_size", 64),
        ("asr.encoder.use_bias", 1), ("asr.encoder.cache_supported", 0),
    ]) func `impossible dimensions are refused`(key: String, value: UInt8) async throws {
        var file = try DamagedFile(of: Golden.path("nemotron-tiny-q8_0.gguf"))
        try file.set(key, to: value)
        #expect(try await code(of: file) == .malformedInput)
    }

    @Test func `weights that are not numbers give an error, and the process lives`() async throws {
        var file = try DamagedFile(of: Golden.path("nemotron-tiny-f32.gguf"))
        file.overwriteEnd(with: 0xFF, count: 300_000)
        try await file.withFile { path in
            _ = await #expect(throws: VoiceError.self) {
                let stream = try await NemotronRecognizer(path: path).openStream()
                _ = try await stream.feed([Float](repeating: 0.1, count: 16_000))
            }
        }
    }

    @Test func `a missing file is said to be missing`() async {
        let error = await #expect(throws: VoiceError.self) { _ = try await NemotronRecognizer(path: "/nowhere/m.gguf") }
        #expect(error?.code == .missingInput)
    }
}
