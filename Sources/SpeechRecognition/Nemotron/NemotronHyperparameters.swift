internal import Inference
internal import VoiceCore

/// The dimensions of a cache-aware streaming FastConformer with an RNN-T head, from the metadata of NVIDIA's GGUF files.
///
/// Source of the keys: NVIDIA/NeMo-Speech.cpp @ 4f9676226, `conversion/asr.py`. Whatever this engine does not compute is
/// refused here, so that no later stage has to ask.
struct NemotronHyperparameters: Sendable, Equatable {
    /// The encoder's width, its layers, heads and the width inside its feed-forward blocks.
    let width: Int
    let layers: Int
    let heads: Int
    let feedForwardWidth: Int
    /// Taps of the convolution over time in each layer.
    let kernelSize: Int
    /// Channels of the subsampling convolutions.
    let subsamplingChannels: Int
    /// Mel bands of a feature frame; the spectrum's length in samples.
    let melBands: Int
    let fftLength: Int
    /// Samples under the window and from one frame to the next.
    let windowLength: Int
    let hopLength: Int
    /// The share of the sample before that is taken off each sample.
    let preemphasis: Float
    /// Encoder frames before a chunk that its frames attend to.
    let leftContext: Int
    /// The furthest lookahead that the model was trained with, in encoder frames.
    let maximumLookahead: Int
    /// Whether the subsampled features are multiplied by √width.
    let scalesInput: Bool
    /// Whether the layers' linear maps and convolutions have biases.
    let hasBiases: Bool
    /// Tokens, the blank included, and the blank's number, which is the last.
    let tokens: Int
    let blank: Int
    /// The prediction network: width of its embedding, of its LSTM layers, and their number.
    let embeddingWidth: Int
    let predictionWidth: Int
    let predictionLayers: Int
    /// Width of the joint network.
    let jointWidth: Int
    /// The most tokens that one encoder frame gives.
    let maximumSymbols: Int
    /// Languages that the encoder's output can be conditioned on; 0 for models without that.
    let prompts: Int
    /// The width inside the network that conditions on languages; NVIDIA's have twice the encoder's. 0 without languages.
    let promptWidth: Int

    /// How much the features are subsampled: three convolutions of stride 2.
    static let subsampling = 8
    /// Samples per second.
    static let sampleRate = 16_000
    /// Added to the variance in every layer norm (PyTorch's default).
    static let epsilon: Float = 1e-5
    /// Samples of one encoder frame: 80 ms.
    var frameLength: Int { Self.subsampling * hopLength }
    /// Elements of one attention head.
    var headWidth: Int { width / heads }
    /// Columns that a layer's convolution keeps from before.
    var convolutionContext: Int { kernelSize - 1 }

    /// Frequencies left after each convolution of the subsampling, the bands before it included: 128, 65, 33, 17.
    var frequencies: [Int] {
        var counts = [melBands]
        for _ in 0..<3 { counts.append(counts[counts.count - 1] / 2 + 1) }
        return counts
    }

    /// The lookaheads that can be chosen, in frames of 80 ms, shortest first: those that NVIDIA trains with (0, 1, 3, 6, 13)
    /// whose chunks divide the left context, as NeMo demands.
    var lookaheads: [Int] { [0, 1, 3, 6, 13].filter { $0 <= maximumLookahead && leftContext % ($0 + 1) == 0 } }

    /// Reads and checks the dimensions.
    /// - Throws: ``VoiceError/Code/malformedInput`` when the file is another model's, or has what this engine does not do.
    init(_ file: GGUFFile) throws(VoiceError) {
        let architecture = try file.string("general.architecture")
        guard architecture == "asr" else {
            throw file.unsuitable("its architecture is '\(architecture)', not 'asr'")
        }
        func int(_ key: String, in range: ClosedRange<Int>) throws(VoiceError) -> Int {
            let value = try file.int("asr.\(key)")
            guard range.contains(value) else { throw file.unsuitable("asr.\(key) is \(value), not in \(range)") }
            return value
        }
        func require(_ key: String, _ wanted: String) throws(VoiceError) {
            let value = try file.string("asr.\(key)")
            guard value == wanted else {
                throw file.unsuitable("asr.\(key) is '\(value)', and only '\(wanted)' is supported")
            }
        }
        func samples(_ key: String) throws(VoiceError) -> Int {
            let seconds = try file.float("asr.preprocessor.\(key)")
            guard seconds > 0, seconds < 1 else { throw file.unsuitable("asr.preprocessor.\(key) is \(seconds) s") }
            return Int((seconds * Float(Self.sampleRate)).rounded())
        }
        try require("head_type", "rnnt")
        try require("encoder.conv_norm", "layer_norm")
        try require("encoder.conv_context", "causal")
        try require("encoder.att_context_style", "chunked_limited")
        try require("preprocessor.normalize", "NA")
        for key in ["q8_layout", "qkv_q8_layout"] where file.has("asr.encoder.\(key)") {
            try require("encoder.\(key)", "block_q8_0")
        }
        guard try file.bool("asr.encoder.cache_supported") else {
            throw file.unsuitable("it was not trained for cache-aware streaming")
        }
        width = try int("encoder.d_model", in: 16...8192)
        layers = try int("encoder.n_layers", in: 1...128)
        heads = try int("encoder.n_heads", in: 1...128)
        feedForwardWidth = try int("encoder.d_ff", in: 16...65_536)
        kernelSize = try int("encoder.conv_kernel_size", in: 2...63)
        _ = try int("encoder.subsampling_factor", in: Self.subsampling...Self.subsampling)
        subsamplingChannels = try int("encoder.subsampling_conv_channels", in: 1...4096)
        melBands = try int("encoder.feat_in", in: 8...512)
        leftContext = try int("encoder.train_left_ctx", in: 1...4096)
        maximumLookahead = try int("encoder.train_right_ctx", in: 0...64)
        scalesInput = try file.bool("asr.encoder.xscaling")
        hasBiases = try file.bool("asr.encoder.use_bias")
        _ = try int("preprocessor.sample_rate", in: Self.sampleRate...Self.sampleRate)
        fftLength = try int("preprocessor.n_fft", in: 64...4096)
        windowLength = try samples("window_size")
        hopLength = try samples("window_stride")
        preemphasis = file.has("asr.preprocessor.preemph") ? try file.float("asr.preprocessor.preemph") : 0.97
        tokens = try int("rnnt.vocab_size", in: 2...1_000_000)
        blank = try int("rnnt.blank_id", in: (tokens - 1)...(tokens - 1))
        embeddingWidth = try int("rnnt.pred_embed_dim", in: 1...8192)
        predictionWidth = try int("rnnt.pred_hidden", in: 1...8192)
        predictionLayers = try int("rnnt.pred_num_layers", in: 1...8)
        jointWidth = try int("rnnt.joint_dim", in: 1...8192)
        maximumSymbols = try int("rnnt.max_symbols_per_step", in: 1...100)
        prompts = file.has("asr.rnnt.num_prompts") ? try int("rnnt.num_prompts", in: 0...4096) : 0
        promptWidth = prompts > 0 ? try file.tensor(named: "prompt_kernel.0.weight").shape[1] : 0
        try check(file, features: try int("preprocessor.features", in: 8...512))
    }

    /// Checks what only shows in the dimensions together.
    private func check(_ file: GGUFFile, features: Int) throws(VoiceError) {
        guard features == melBands else {
            throw file.unsuitable("its features have \(features) bands and its encoder takes \(melBands)")
        }
        guard width % heads == 0, width % 2 == 0 else {
            throw file.unsuitable("a width of \(width) is not divided by \(heads) heads")
        }
        guard windowLength <= fftLength, hopLength < windowLength, hopLength > 0 else {
            throw file.unsuitable(
                "a window of \(windowLength) samples every \(hopLength) does not fit a spectrum of \(fftLength)"
            )
        }
        guard preemphasis >= 0, preemphasis < 1 else {
            throw file.unsuitable("asr.preprocessor.preemph is \(preemphasis), not from 0 to 1")
        }
        guard embeddingWidth == predictionWidth || predictionLayers > 0 else {
            throw file.unsuitable("the prediction network has no layer")
        }
        guard !lookaheads.isEmpty else {
            throw file.unsuitable("no lookahead fits a left context of \(leftContext) frames")
        }
        let choices: [(key: String, wanted: Bool)] = [
            ("stft_center_window", true), ("hann_periodic", false), ("mask_invalid_frames", true),
        ]
        for (key, wanted) in choices where file.has("asr.preprocessor.\(key)") {
            guard try file.bool("asr.preprocessor.\(key)") == wanted else {
                throw file.unsuitable("asr.preprocessor.\(key) is \(!wanted), and only \(wanted) is supported")
            }
        }
    }
}
