internal import Inference
internal import Testing
internal import VoiceCore
internal import VoiceTesting

@testable internal import SpeechSynthesis

/// A model file that is not what it should be is refused with a message that names it; the process lives.
@Suite struct DamagedMagpieTests {
    /// One tensor of each kind.
    private static let tensors = [
        "text_embedding.weight", "audio_embeddings.7.weight", "encoder.position_embeddings.weight",
        "encoder.layers.1.norm_self.weight", "encoder.layers.0.pos_ff.proj.conv.weight.k0",
        "encoder.layers.1.pos_ff.o_net.conv.weight.k2", "decoder.layers.2.self_attention.qkv_net.weight",
        "decoder.layers.0.cross_attention.q_net.weight", "decoder.layers.1.cross_attention.kv_net.weight",
        "decoder.layers.2.cross_attention.o_net.weight", "decoder.layers.0.norm_xattn_memory.weight",
        "decoder.norm_out.weight", "final_proj.weight", "final_proj.bias",
        "local_transformer_in_projection.weight", "local_transformer.position_embeddings.weight",
        "local_transformer.layers.0.pos_ff.proj.conv.weight.k0", "local_transformer_out_projections.3.bias",
        "baked_context_embedding.weight",
    ]

    private func code(of file: DamagedFile, vocabulary: Int? = nil) async throws -> VoiceError.Code? {
        try await file.withFile { path in
            do throws(VoiceError) {
                let configuration = MagpieModel.Configuration(streams: 1, textVocabulary: vocabulary)
                _ = try await MagpieModel(path: path, configuration: configuration)
                return nil
            } catch {
                #expect(error.message.contains(path))
                return error.code
            }
        }
    }

    private func file() throws -> DamagedFile { try DamagedFile(of: MagpieGolden.path(MagpieGolden.model)) }

    @Test(arguments: tensors, DamagedFile.Damage.allCases) func `a damaged tensor is refused`(
        tensor: String,
        damage: DamagedFile.Damage
    ) async throws {
        var file = try file()
        guard try file.damage(tensor, damage) else { return }
        #expect(try await code(of: file) == .malformedInput)
    }

    @Test(arguments: [32, 10_000, 300_000]) func `a truncated file is refused`(missing: Int) async throws {
        var file = try file()
        file.truncate(by: missing)
        #expect(try await code(of: file) == .malformedInput)
    }

    @Test(
        arguments: [
            ("embedding_dim", 63), ("ffn_dim", 127), ("text_vocab_size", 61), ("text_vocab_size", 0),
            ("audio_codebook_size", 127), ("audio_codebooks", 9), ("audio_codebooks", 0), ("audio_vocab_size", 127),
            ("audio_bos_id", 0), ("audio_eos_id", 128), ("audio_eos_id", 120), ("frame_stacking_factor", 2),
            ("context_length", 6), ("encoder.layers", 3), ("encoder.heads", 5), ("encoder.kernel_size", 0),
            ("decoder.layers", 0), ("decoder.heads", 7), ("decoder.cross_heads", 2), ("decoder.cross_head_dim", 31),
            ("decoder.kernel_size", 3), ("local_transformer.layers", 2), ("local_transformer.heads", 3),
            ("local_transformer.hidden_dim", 33), ("local_transformer.context_length", 7), ("baked_speakers", 3),
            ("baked_context_length", 7), ("baked_context_dim", 32), ("inference.topk", 0),
            ("inference.max_decoder_steps", 0), ("inference.attention_prior_lookahead_window", 0),
            ("inference.min_generated_frames", 200), ("inference.attention_prior_advance_threshold", 0),
        ] as [(String, UInt8)]
    ) func `impossible metadata are refused`(key: String, value: UInt8) async throws {
        var file = try file()
        try file.set("magpietts.\(key)", to: value)
        #expect(try await code(of: file) == .malformedInput)
    }

    @Test func `a vocabulary whose tokens are not known is refused`() async throws {
        #expect(try await code(of: try file(), vocabulary: MagpieModel.knownVocabulary) == .malformedInput)
        #expect(try await code(of: try file(), vocabulary: 60) == nil)
    }

    @Test(arguments: [MagpiePrecision.single, .eightBit])
    func `weights that are not numbers give an error, and the process lives`(precision: MagpiePrecision) async throws {
        var file = try file()
        file.overwriteEnd(with: 0xFF, count: 500_000)
        try await file.withFile { path in
            _ = await #expect(throws: VoiceError.self) {
                let model = try await MagpieModel(
                    path: path,
                    configuration: MagpieModel.Configuration(streams: 1, precision: precision, textVocabulary: nil)
                )
                let stream = try model.stream([[1, 2, 3]])
                while case .frame = try await stream.step() {}
            }
        }
    }

    @Test func `another model's file is refused`() async throws {
        var file = try file()
        try file.rename("general.architecture")
        #expect(try await code(of: file) == .malformedInput)
    }

    @Test func `a missing file is said to be missing`() async {
        let error = await #expect(throws: VoiceError.self) { _ = try await MagpieModel(path: "/nowhere/m.gguf") }
        #expect(error?.code == .missingInput)
    }
}
