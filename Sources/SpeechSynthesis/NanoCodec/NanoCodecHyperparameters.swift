internal import Inference
internal import VoiceCore

/// The dimensions of a NanoCodec decoder, from the metadata of NVIDIA's GGUF files.
///
/// Source of the keys: NVIDIA/NeMo-Speech.cpp @ 4f9676226, `conversion/codec.py`. Whatever this engine does not compute is
/// refused here, so that no later stage has to ask.
struct NanoCodecHyperparameters: Sendable, Equatable {
    /// A convolution of the decoder.
    struct Convolution: Sendable, Equatable {
        /// Its name in the file: the tensors are `name.w` and `name.b`.
        var name: String
        var inputs: Int
        var outputs: Int
        /// Columns that an output sees, and how far they lie apart.
        var taps: Int
        var dilation: Int
        /// Columns that it keeps from one step to the next.
        var history: Int { (taps - 1) * dilation }
    }

    /// A transposed convolution: rate columns for each one, half as many channels, each from two of the inputs.
    struct Upsampling: Sendable, Equatable {
        /// Its name in the file: the tensors are `name.w` and `name.b`.
        var name: String
        var inputs: Int
        var rate: Int
        var outputs: Int { inputs / 2 }
        /// Columns that its kernel covers, in the finer time.
        var taps: Int { 2 * rate }
    }

    /// A half-snake activation.
    struct Activation: Sendable, Equatable {
        /// Its name in the file: the tensors are `name.alpha` and `name.alpha_inv`.
        var name: String
        var channels: Int
        /// Channels that go through the snake, the first ones; the others go through a leaky ReLU.
        var snakes: Int { channels / 2 }
    }

    /// Samples per second.
    let sampleRate: Int
    /// Samples of a frame.
    let samplesPerFrame: Int
    /// The quantiser that codes come from.
    let quantizer: FiniteScalarQuantizer
    /// Channels after the first convolution; each stage halves them.
    let channels: Int
    /// Columns that the first and the last convolution see.
    let firstTaps: Int
    let lastTaps: Int
    /// Columns that each stage makes of one.
    let rates: [Int]
    /// Kernel sizes of the stacks of a stage, and dilations of the blocks of a stack.
    let kernelSizes: [Int]
    let dilations: [Int]

    /// Channels of a frame before the decoder.
    var latents: Int { quantizer.codebooks * quantizer.levels.count }

    /// Channels after a stage.
    func channels(after stage: Int) -> Int { channels >> (stage + 1) }

    /// Reads and checks the dimensions.
    /// - Throws: ``VoiceError/Code/malformedInput`` when the file is another model's, or has what this engine does not do.
    init(_ file: GGUFFile) throws(VoiceError) {
        let architecture = try file.string("general.architecture")
        guard architecture == "nemo-nano-codec" else {
            throw file.unsuitable("its architecture is '\(architecture)', not 'nemo-nano-codec'")
        }
        func int(_ key: String, in range: ClosedRange<Int>) throws(VoiceError) -> Int {
            let value = try file.int("nano_codec.\(key)")
            guard range.contains(value) else { throw file.unsuitable("nano_codec.\(key) is \(value), not in \(range)") }
            return value
        }
        func ints(_ key: String, _ count: ClosedRange<Int>, in range: ClosedRange<Int>) throws(VoiceError) -> [Int] {
            let values = try file.ints("nano_codec.\(key)")
            guard count.contains(values.count), values.allSatisfy(range.contains) else {
                throw file.unsuitable("nano_codec.\(key) is \(values), not \(count) numbers in \(range)")
            }
            return values
        }
        for (key, wanted) in [("activation", "half_snake"), ("output_activation", "clamp"), ("pad_mode", "zeros")] {
            let value = try file.string("nano_codec.decoder.\(key)")
            guard value == wanted else {
                throw file.unsuitable("nano_codec.decoder.\(key) is '\(value)', and only '\(wanted)' is supported")
            }
        }
        let target = try file.string("nano_codec.decoder.target")
        guard target.hasSuffix(".CausalHiFiGANDecoder") else {
            throw file.unsuitable("its decoder is a '\(target)', and only a CausalHiFiGANDecoder is supported")
        }
        guard try file.bool("nano_codec.decoder.n_groups_equal_to_out_channels") else {
            throw file.unsuitable("its upsampling is not grouped by output channels")
        }
        sampleRate = try int("sample_rate", in: 8000...192_000)
        samplesPerFrame = try int("samples_per_frame", in: 1...65_536)
        quantizer = try Self.quantizer(file, codebooks: int("num_codebooks", in: 1...64))
        channels = try int("decoder.base_channels", in: 2...8192)
        firstTaps = try int("decoder.in_kernel_size", in: 2...63)
        lastTaps = try int("decoder.out_kernel_size", in: 2...63)
        rates = try ints("decoder.up_sample_rates", 1...8, in: 2...64)
        kernelSizes = try ints("decoder.resblock_kernel_sizes", 1...8, in: 2...63)
        dilations = try ints("decoder.resblock_dilation_sizes", 1...8, in: 1...64)
        try check(file)
    }

    private static func quantizer(_ file: GGUFFile, codebooks: Int) throws(VoiceError) -> FiniteScalarQuantizer {
        let levels = try file.ints("nano_codec.quantizer.num_levels_per_group")
        guard (1...16).contains(levels.count), levels.allSatisfy((2...4096).contains),
            let quantizer = FiniteScalarQuantizer(codebooks: codebooks, levels: levels)
        else { throw file.unsuitable("its quantiser has levels \(levels)") }
        // What follows from the levels is in the file all the same, and must agree.
        let offsets = levels.map { $0 / 2 }
        let arrays = [("dim_base_index", quantizer.bases), ("scale", offsets), ("offset", offsets)]
        for (key, wanted) in arrays {
            let values = try file.ints("nano_codec.quantizer.\(key)")
            guard values == wanted else {
                throw file.unsuitable("nano_codec.quantizer.\(key) is \(values), and levels \(levels) need \(wanted)")
            }
        }
        let counts = [
            ("codebook_size", quantizer.codebookSize), ("codebook_dim_per_group", levels.count),
            ("latent_dim", codebooks * levels.count), ("decoder.input_dim", codebooks * levels.count),
        ]
        for (key, wanted) in counts {
            let value = try file.int("nano_codec.\(key)")
            guard value == wanted else {
                throw file.unsuitable(
                    "nano_codec.\(key) is \(value), and \(codebooks) groups of levels \(levels) need \(wanted)"
                )
            }
        }
        return quantizer
    }

    private func check(_ file: GGUFFile) throws(VoiceError) {
        guard channels % (1 << rates.count) == 0, self.channels(after: rates.count - 1) >= 2 else {
            throw file.unsuitable("\(channels) channels cannot be halved \(rates.count) times")
        }
        // No overflow: at most 8 rates of at most 64.
        let samples = rates.reduce(1, *)
        guard samples == samplesPerFrame else {
            throw file.unsuitable("its rates \(rates) make \(samples) samples of a frame, not \(samplesPerFrame)")
        }
    }
}

extension NanoCodecHyperparameters {
    /// The first convolution.
    var first: Convolution {
        Convolution(name: "dec.pre", inputs: latents, outputs: channels, taps: firstTaps, dilation: 1)
    }

    /// The last activation.
    var lastActivation: Activation { Activation(name: "dec.post_act", channels: channels(after: rates.count - 1)) }

    /// The last convolution, to one channel: samples.
    var last: Convolution {
        let inputs = channels(after: rates.count - 1)
        return Convolution(name: "dec.post", inputs: inputs, outputs: 1, taps: lastTaps, dilation: 1)
    }

    /// The activation before a stage's upsampling.
    func activation(of stage: Int) -> Activation {
        Activation(name: "dec.act.\(stage)", channels: channels(after: stage - 1))
    }

    /// A stage's upsampling.
    func upsampling(of stage: Int) -> Upsampling {
        Upsampling(name: "dec.up.\(stage)", inputs: channels(after: stage - 1), rate: rates[stage])
    }

    /// A residual block: activation, convolution with a dilation, activation, convolution without.
    struct ResidualBlock: Sendable, Equatable {
        var activations: [Activation]
        var convolutions: [Convolution]
    }

    /// The blocks of a stage's stack, one after the other.
    func blocks(of stage: Int, stack: Int) -> [ResidualBlock] {
        let width = channels(after: stage)
        return dilations.enumerated().map { index, dilation in
            let name = "dec.res.\(stage).\(stack).\(index)"
            let convolutions = [("ic", dilation), ("sc", 1)].map { part, dilation in
                Convolution(
                    name: "\(name).\(part)",
                    inputs: width,
                    outputs: width,
                    taps: kernelSizes[stack],
                    dilation: dilation
                )
            }
            let activations = ["ia", "sa"].map { Activation(name: "\(name).\($0)", channels: width) }
            return ResidualBlock(activations: activations, convolutions: convolutions)
        }
    }

    /// All blocks of all stages.
    private var blocks: [ResidualBlock] {
        rates.indices.flatMap { stage in kernelSizes.indices.flatMap { blocks(of: stage, stack: $0) } }
    }

    /// All upsamplings.
    var upsamplings: [Upsampling] { rates.indices.map(upsampling) }

    /// All convolutions, the transposed ones not.
    var convolutions: [Convolution] { [first] + blocks.flatMap(\.convolutions) + [last] }

    /// All activations.
    var activations: [Activation] {
        rates.indices.map(activation) + blocks.flatMap(\.activations) + [lastActivation]
    }
}
