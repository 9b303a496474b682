internal import Inference
internal import VoiceCore

/// The dimensions of a Magpie TTS model of type `decoder_ce`, from the metadata of NVIDIA's GGUF files.
///
/// Source of the keys: NVIDIA/NeMo-Speech.cpp @ 4f9676226, `conversion/tts.py`. Whatever this engine does not compute is
/// refused here, so that no later stage has to ask.
struct MagpieHyperparameters: Sendable, Equatable {
    /// Width of encoder and decoder, and inside their feed-forward blocks.
    let width: Int
    let feedForwardWidth: Int
    /// Rows of the text embedding; the last but one is the beginning of a text, which is not used, the last its end.
    let textVocabulary: Int
    /// Codes of one codebook, those for special purposes not included, and codebooks of a frame.
    let codes: Int
    let codebooks: Int
    /// Rows of an audio embedding: codes and special ones.
    let audioVocabulary: Int
    /// The special codes before the first frame and after the last.
    let audioBegin: Int
    let audioEnd: Int
    /// Positions that encoder and decoder have embeddings for.
    let positions: Int
    /// The text encoder's layers, heads, and taps of its feed-forward convolutions.
    let encoderLayers: Int
    let encoderHeads: Int
    let encoderTaps: Int
    /// The decoder's layers and heads, of attention to itself and to the text, and the width of one of the latter.
    let decoderLayers: Int
    let decoderHeads: Int
    let crossHeads: Int
    let crossHeadWidth: Int
    /// The local transformer's layers, heads, width, width of its feed-forward block and positions.
    let localLayers: Int
    let localHeads: Int
    let localWidth: Int
    let localFeedForwardWidth: Int
    let localPositions: Int
    /// Speakers, and the vectors before the first frame that make the voice of each.
    let speakers: Int
    let contextLength: Int
    /// Frames at most.
    let maximumFrames: Int

    /// Added to the variance in every layer norm (PyTorch's default).
    static let epsilon: Float = 1e-5
    /// Samples of one frame of the codec, and samples per second.
    static let frameLength = 1024
    static let sampleRate = 22_050

    /// The token that ends every text.
    var textEnd: Int { textVocabulary - 1 }
    /// Texts have at most so many tokens, the end included; far more than are spoken within ``maximumFrames``.
    var maximumText: Int { min(positions, 512) }
    /// Width of the keys and the values of a text.
    var crossWidth: Int { crossHeads * crossHeadWidth }
    /// Positions of a decoder's sequence.
    var capacity: Int { contextLength + maximumFrames }

    /// Reads and checks the dimensions.
    /// - Throws: ``VoiceError/Code/malformedInput`` when the file is another model's, or has what this engine does not do.
    init(_ file: GGUFFile) throws(VoiceError) {
        let architecture = try file.string("general.architecture")
        guard architecture == "magpietts" else {
            throw file.unsuitable("its architecture is '\(architecture)', not 'magpietts'")
        }
        let type = try file.string("magpietts.model_type")
        guard type == "decoder_ce" else {
            throw file.unsuitable("magpietts.model_type is '\(type)', and only 'decoder_ce' is supported")
        }
        func int(_ key: String, in range: ClosedRange<Int>) throws(VoiceError) -> Int {
            let value = try file.int("magpietts.\(key)")
            guard range.contains(value) else { throw file.unsuitable("magpietts.\(key) is \(value), not in \(range)") }
            return value
        }
        width = try int("embedding_dim", in: 32...8192)
        feedForwardWidth = try int("ffn_dim", in: 32...65_536)
        textVocabulary = try int("text_vocab_size", in: 3...1_000_000)
        codes = try int("audio_codebook_size", in: 2...65_536)
        codebooks = try int("audio_codebooks", in: 1...64)
        audioVocabulary = try int("audio_vocab_size", in: (codes + 2)...(codes + 256))
        audioBegin = try int("audio_bos_id", in: codes...(audioVocabulary - 1))
        audioEnd = try int("audio_eos_id", in: codes...(audioVocabulary - 1))
        _ = try int("frame_stacking_factor", in: 1...1)
        positions = try int("context_length", in: 8...65_536)
        encoderLayers = try int("encoder.layers", in: 1...128)
        encoderHeads = try int("encoder.heads", in: 1...128)
        encoderTaps = try int("encoder.kernel_size", in: 1...8)
        decoderLayers = try int("decoder.layers", in: 1...128)
        decoderHeads = try int("decoder.heads", in: 1...128)
        crossHeads = try int("decoder.cross_heads", in: 1...128)
        crossHeadWidth = try int("decoder.cross_head_dim", in: 1...1024)
        _ = try int("decoder.kernel_size", in: 1...1)
        localLayers = try int("local_transformer.layers", in: 1...16)
        localHeads = try int("local_transformer.heads", in: 1...128)
        localWidth = try int("local_transformer.hidden_dim", in: 32...8192)
        localPositions = try int("local_transformer.context_length", in: codebooks...1024)
        speakers = try int("baked_speakers", in: 1...4096)
        contextLength = try int("baked_context_length", in: 1...(positions - 1))
        _ = try int("baked_context_dim", in: width...width)
        // No key has it; NVIDIA's have four times the width.
        localFeedForwardWidth =
            try file.tensor(named: "local_transformer.layers.0.pos_ff.proj.conv.weight.k0").shape[1]
        let frames = try int("inference.max_decoder_steps", in: 1...1_000_000)
        maximumFrames = min(frames, positions - contextLength)
        try check(file)
    }

    /// Checks what only shows in the dimensions together.
    private func check(_ file: GGUFFile) throws(VoiceError) {
        let divided = [
            ("encoder", width, encoderHeads), ("decoder", width, decoderHeads),
            ("local_transformer", localWidth, localHeads),
        ]
        for (name, width, heads) in divided where width % heads != 0 {
            throw file.unsuitable("magpietts.\(name): a width of \(width) is not divided by \(heads) heads")
        }
        guard (32...65_536).contains(localFeedForwardWidth) else {
            throw file.unsuitable("the local transformer's feed-forward width is \(localFeedForwardWidth)")
        }
        guard audioBegin != audioEnd else {
            throw file.unsuitable("magpietts.audio_bos_id and audio_eos_id are both \(audioEnd)")
        }
        guard maximumText > MagpieUtterance.historyTokens + 1 else {
            throw file.unsuitable("\(positions) positions are too few for a text and the end of the one before")
        }
        let lengths = try file.ints("magpietts.baked_context_lens")
        guard lengths.count == speakers, lengths.allSatisfy({ $0 == contextLength }) else {
            throw file.unsuitable("magpietts.baked_context_lens is \(lengths), not \(speakers) times \(contextLength)")
        }
    }
}
