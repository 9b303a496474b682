package import Inference
package import VoiceCore

/// The dimensions of a Silero VAD model, from the metadata of its GGUF file.
package struct SileroHyperparameters: Sendable, Equatable {
    /// Samples per second.
    package let sampleRate: Int
    /// Samples per verdict.
    package let windowLength: Int
    /// Samples of the window before that are put in front of each window.
    package let contextLength: Int
    /// Samples mirrored at the end of each window.
    let reflectLength: Int
    /// Samples under one filter of the spectrum.
    let filterLength: Int
    /// Samples from one filter position to the next.
    let hopLength: Int
    /// Encoder convolutions: elements of their kernels, channels out and strides.
    let kernelSize: Int
    let channels: [Int]
    let strides: [Int]
    /// Size of the recurrent state's two vectors.
    package let hiddenSize: Int

    /// Reads and checks the dimensions.
    /// - Throws: ``VoiceError/Code/malformedInput`` when the file is another model's or they do not fit together.
    package init(_ file: GGUFFile) throws(VoiceError) {
        let architecture = try file.string("general.architecture")
        guard architecture == "silero-vad" else {
            throw file.unsuitable("its architecture is '\(architecture)', not 'silero-vad'")
        }
        func int(_ key: String, in range: ClosedRange<Int>) throws(VoiceError) -> Int {
            let value = try file.int("silero-vad.\(key)")
            guard range.contains(value) else { throw file.unsuitable("silero-vad.\(key) is \(value), not in \(range)") }
            return value
        }
        sampleRate = try int("sample_rate", in: 16_000...16_000)
        windowLength = try int("window_length", in: 128...4096)
        contextLength = try int("context_length", in: 0...windowLength)
        reflectLength = try int("reflect_length", in: 0...(windowLength - 1))
        hopLength = try int("stft.hop_length", in: 16...4096)
        filterLength = try int("stft.filter_length", in: 16...4096)
        kernelSize = try int("encoder.kernel_size", in: 1...15)
        hiddenSize = try int("lstm.hidden_size", in: 1...4096)
        channels = try file.ints("silero-vad.encoder.channels")
        strides = try file.ints("silero-vad.encoder.strides")
        guard (1...16).contains(channels.count), strides.count == channels.count,
            channels.allSatisfy((1...4096).contains), strides.allSatisfy((1...16).contains)
        else { throw file.unsuitable("its encoder has channels \(channels) and strides \(strides)") }
        guard channels.last == hiddenSize else {
            throw file.unsuitable("its encoder ends with \(channels.last ?? 0) channels, its LSTM takes \(hiddenSize)")
        }
        guard filterLength == 2 * hopLength, inputLength % hopLength == 0, inputLength >= filterLength else {
            throw file.unsuitable("\(inputLength) samples are not cut by filters of \(filterLength) every \(hopLength)")
        }
    }

    /// Frequency bins of the spectrum.
    var bins: Int { filterLength / 2 + 1 }
    /// Samples that one run of the network sees.
    var inputLength: Int { contextLength + windowLength + reflectLength }
    /// Filter positions in them.
    var frames: Int { (inputLength - filterLength) / hopLength + 1 }
}
