internal import Inference
internal import VoiceCore

/// The dimensions and defaults of a Piper voice, from the metadata that `Tools/convert/piper_to_gguf.py` writes.
///
/// Whatever this engine does not compute is refused here, so that no later stage has to ask.
struct PiperHyperparameters: Sendable, Equatable {
    /// The voice's own name, for example `joe`.
    let voice: String
    /// Samples per second.
    let sampleRate: Int
    /// Rows of the embedding of symbols.
    let vocabulary: Int
    /// The number of each symbol.
    let symbols: [Unicode.Scalar: Int32]
    /// The symbols between all others, before the first and after the last.
    let pad: Int32
    let begin: Int32
    let end: Int32
    /// How much chance there is in the sound and in durations, and what all durations are multiplied by.
    let noiseScale: Float
    let durationNoiseScale: Float
    let lengthScale: Float
    /// Channels of everything but the decoder, an even number; heads of the text encoder.
    let width: Int
    let textLayers: Int
    let heads: Int
    let feedForward: Int
    let textTaps: Int
    /// How far away symbols are told apart by their distance.
    let window: Int
    /// Layers of a stack of separable convolutions, taps of each, and the flow that makes durations of noise.
    let durationLayers: Int
    let durationTaps: Int
    let durationFlows: Int
    /// Pieces of a spline, and where it begins and ends: at ±tail.
    let bins: Int
    let tail: Float
    /// Couplings of the flow, an even number; layers of each, their taps and dilations.
    let couplings: Int
    let flowLayers: Int
    let flowTaps: Int
    let flowDilations: [Int]
    /// The decoder's channels before the first upsampling; each halves them. Taps of its first and last convolution.
    let decoderChannels: Int
    let decoderTaps: Int
    /// Columns that each upsampling makes of one.
    let rates: [Int]
    /// The blocks after an upsampling: taps of each, and the dilations of each block's convolutions.
    let blockTaps: [Int]
    let blockDilations: [[Int]]
    /// Slopes below zero of the decoder's rectifiers, the last one's apart.
    let slope: Float
    let lastSlope: Float

    /// Added to the variance in every layer norm (`modules.LayerNorm` of jaywalnut310/vits).
    static let epsilon: Float = 1e-5

    /// Samples of a frame.
    var hop: Int { rates.reduce(1, *) }
    /// Channels of one half of the flow.
    var half: Int { width / 2 }
    /// Channels of one head.
    var headWidth: Int { width / heads }
    /// Outputs of a spline's parameters: widths, heights, and slopes between pieces.
    var splineParameters: Int { 3 * bins - 1 }
    /// Channels after an upsampling.
    func channels(after stage: Int) -> Int { decoderChannels >> (stage + 1) }

    /// Reads and checks the dimensions.
    /// - Throws: ``VoiceError/Code/malformedInput`` when the file is another model's, or has what this engine does not do.
    init(_ file: GGUFFile) throws(VoiceError) {
        let architecture = try file.string("general.architecture")
        guard architecture == "piper" else {
            throw file.unsuitable("its architecture is '\(architecture)', not 'piper'")
        }
        let read = PiperMetadata(file: file)
        voice = try file.string("piper.voice")
        sampleRate = try read.int("sample_rate", in: 8000...48_000)
        vocabulary = try read.int("vocabulary", in: 4...65_536)
        let ids = 0...(vocabulary - 1)
        symbols = try read.symbols(ids)
        pad = Int32(try read.int("pad_id", in: ids))
        begin = Int32(try read.int("begin_id", in: ids))
        end = Int32(try read.int("end_id", in: ids))
        noiseScale = try read.float("noise_scale", in: 0...4)
        durationNoiseScale = try read.float("noise_w", in: 0...4)
        lengthScale = try read.float("length_scale", in: 0.1...10)
        width = try read.int("width", in: 2...4096)
        textLayers = try read.int("text.layers", in: 1...64)
        heads = try read.int("text.heads", in: 1...64)
        feedForward = try read.int("text.feed_forward", in: 1...16_384)
        textTaps = try read.oddInt("text.taps")
        window = try read.int("text.window", in: 1...64)
        durationLayers = try read.int("duration.layers", in: 1...6)
        durationTaps = try read.oddInt("duration.taps")
        durationFlows = try read.int("duration.flows", in: 1...16)
        bins = try read.int("duration.bins", in: 2...64)
        tail = try read.float("duration.tail", in: 0.1...100)
        couplings = try read.int("flow.couplings", in: 2...16)
        flowLayers = try read.int("flow.layers", in: 1...16)
        flowTaps = try read.oddInt("flow.taps")
        flowDilations = try read.ints("flow.dilations", count: 1...16, in: 1...64)
        decoderChannels = try read.int("decoder.channels", in: 2...4096)
        decoderTaps = try read.oddInt("decoder.taps")
        rates = try read.ints("decoder.rates", count: 1...8, in: 2...64)
        blockTaps = try read.ints("decoder.block_taps", count: 1...8, in: 1...31)
        let depth = try read.int("decoder.block_depth", in: 1...8)
        let dilations = try read.ints("decoder.block_dilations", count: 1...64, in: 1...64)
        slope = try read.float("decoder.slope", in: 0...1)
        lastSlope = try read.float("decoder.last_slope", in: 0...1)
        guard dilations.count == depth * blockTaps.count else {
            throw file.unsuitable("there are \(dilations.count) dilations for \(blockTaps.count) blocks of \(depth)")
        }
        blockDilations = stride(from: 0, to: dilations.count, by: depth).map { Array(dilations[$0..<($0 + depth)]) }
        try check(file)
    }

    /// Checks what only shows in the dimensions together.
    private func check(_ file: GGUFFile) throws(VoiceError) {
        guard width % 2 == 0, width % heads == 0 else {
            throw file.unsuitable("a width of \(width) is not two halves and \(heads) heads")
        }
        guard couplings % 2 == 0, flowDilations.count == flowLayers else {
            throw file.unsuitable("\(couplings) couplings with \(flowDilations.count) dilations cannot be a flow")
        }
        guard blockTaps.allSatisfy({ $0 % 2 == 1 }), rates.allSatisfy({ $0 % 2 == 0 }) else {
            throw file.unsuitable("the decoder's taps are not odd, or its rates not even")
        }
        guard decoderChannels % (1 << rates.count) == 0, hop <= 4096 else {
            throw file.unsuitable("\(decoderChannels) channels cannot be halved \(rates.count) times")
        }
    }
}

/// Reads numbers of one file within bounds.
private struct PiperMetadata {
    let file: GGUFFile

    func int(_ key: String, in range: ClosedRange<Int>) throws(VoiceError) -> Int {
        let value = try file.int("piper.\(key)")
        guard range.contains(value) else { throw file.unsuitable("piper.\(key) is \(value), not in \(range)") }
        return value
    }

    func oddInt(_ key: String) throws(VoiceError) -> Int {
        let value = try int(key, in: 1...31)
        guard value % 2 == 1 else { throw file.unsuitable("piper.\(key) is \(value), which is even") }
        return value
    }

    func float(_ key: String, in range: ClosedRange<Float>) throws(VoiceError) -> Float {
        let value = try file.float("piper.\(key)")
        guard range.contains(value) else { throw file.unsuitable("piper.\(key) is \(value), not in \(range)") }
        return value
    }

    func ints(_ key: String, count: ClosedRange<Int>, in range: ClosedRange<Int>) throws(VoiceError) -> [Int] {
        let values = try file.ints("piper.\(key)")
        guard count.contains(values.count), values.allSatisfy(range.contains) else {
            throw file.unsuitable("piper.\(key) is \(values), not \(count) numbers in \(range)")
        }
        return values
    }

    func symbols(_ ids: ClosedRange<Int>) throws(VoiceError) -> [Unicode.Scalar: Int32] {
        let names = try file.strings("piper.symbols")
        let numbers = try file.ints("piper.symbol_ids")
        guard names.count == numbers.count, numbers.allSatisfy(ids.contains) else {
            throw file.unsuitable("piper.symbols and piper.symbol_ids do not fit together")
        }
        var symbols: [Unicode.Scalar: Int32] = [:]
        for (name, number) in zip(names, numbers) {
            guard let scalar = name.unicodeScalars.first, name.unicodeScalars.count == 1 else {
                throw file.unsuitable("the symbol '\(name)' is not one character")
            }
            symbols[scalar] = Int32(number)
        }
        return symbols
    }
}
