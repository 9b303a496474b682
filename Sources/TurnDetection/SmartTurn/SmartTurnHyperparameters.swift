package import Inference
package import VoiceCore

/// The dimensions of a Smart Turn v3 model, from the metadata of its GGUF file.
package struct SmartTurnHyperparameters: Sendable, Equatable {
    /// Samples per second.
    package let sampleRate: Int
    /// Seconds of a turn that the model looks at: the last ones.
    package let maximumSeconds: Int
    /// Mel bands, samples under one spectrum, samples from one to the next, and spectra.
    let melBins: Int
    let fftLength: Int
    let hopLength: Int
    let frames: Int
    /// Elements of the convolutions' kernels.
    let kernelSize: Int
    /// The encoder's width, its layers, heads and the width inside its feed-forward blocks.
    let hiddenSize: Int
    let layers: Int
    let heads: Int
    let feedForwardSize: Int
    /// Steps that the encoder works on: one per two frames.
    let positions: Int
    /// Width of the attention that pools the steps.
    let poolSize: Int
    /// Widths of the classifier's two hidden layers.
    let classifierSizes: [Int]
    /// Added to variances by all layer norms.
    let epsilon: Float
    /// The probability above which the authors take a turn for complete.
    package let threshold: Float

    /// Reads and checks the dimensions.
    /// - Throws: ``VoiceError/Code/malformedInput`` when the file is another model's or they do not fit together.
    package init(_ file: GGUFFile) throws(VoiceError) {
        let architecture = try file.string("general.architecture")
        guard architecture == "smart-turn" else {
            throw file.unsuitable("its architecture is '\(architecture)', not 'smart-turn'")
        }
        func int(_ key: String, in range: ClosedRange<Int>) throws(VoiceError) -> Int {
            let value = try file.int("smart-turn.\(key)")
            guard range.contains(value) else { throw file.unsuitable("smart-turn.\(key) is \(value), not in \(range)") }
            return value
        }
        sampleRate = try int("sample_rate", in: 16_000...16_000)
        maximumSeconds = try int("max_seconds", in: 1...60)
        melBins = try int("mel.bins", in: 1...512)
        fftLength = try int("mel.fft_length", in: 16...4096)
        hopLength = try int("mel.hop_length", in: 16...4096)
        frames = try int("mel.frames", in: 2...8192)
        kernelSize = try int("encoder.kernel_size", in: 3...3)
        hiddenSize = try int("encoder.hidden_size", in: 1...4096)
        layers = try int("encoder.layers", in: 1...64)
        heads = try int("encoder.heads", in: 1...64)
        feedForwardSize = try int("encoder.feed_forward_size", in: 1...16_384)
        positions = try int("encoder.positions", in: 1...4096)
        poolSize = try int("pool.hidden_size", in: 1...4096)
        classifierSizes = try file.ints("smart-turn.classifier.hidden_sizes")
        epsilon = try file.float("smart-turn.layer_norm_epsilon")
        threshold = try file.float("smart-turn.threshold")
        guard classifierSizes.count == 2, classifierSizes.allSatisfy((1...4096).contains) else {
            throw file.unsuitable("its classifier has hidden layers of \(classifierSizes)")
        }
        guard (1e-12...1e-2).contains(epsilon), (0...1).contains(threshold) else {
            throw file.unsuitable("its epsilon is \(epsilon) and its threshold \(threshold)")
        }
        guard hiddenSize % heads == 0, frames == 2 * positions, frames * hopLength == maximumSamples else {
            throw file.unsuitable(
                "\(frames) frames of \(hopLength) samples, \(positions) positions and \(heads) heads of \(hiddenSize) do not fit"
            )
        }
    }

    /// Samples of a turn that the model looks at.
    package var maximumSamples: Int { sampleRate * maximumSeconds }
}
