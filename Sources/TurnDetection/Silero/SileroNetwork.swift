package import Inference
package import VoiceCore

/// Silero VAD, computed by whoever calls: a window takes some 0.04 ms, less than handing it to another thread and back. It holds
/// no state of any stream: that goes in and out of every call.
package struct SileroNetwork: Sendable {
    /// The model's dimensions.
    package let hyperparameters: SileroHyperparameters
    private let spectrum: SileroSpectrum
    private let encoder: SileroEncoder
    private let decoder: SileroDecoder

    /// Loads the weights.
    /// - Throws: ``VoiceError/Code/malformedInput`` when the file is not a Silero VAD model.
    package init(_ file: GGUFFile) throws(VoiceError) {
        let h = try SileroHyperparameters(file)
        for tensor in file.tensors where tensor.type != .f32 {
            throw file.unsuitable("tensor '\(tensor.name)' holds \(tensor.type), not F32")
        }
        hyperparameters = h
        spectrum = try SileroSpectrum(file, h)
        encoder = try SileroEncoder(file, h)
        decoder = try SileroDecoder(file, h)
    }

    /// The probabilities in [0, 1] that windows hold speech, oldest first.
    /// - Parameters:
    ///   - windows: samples, mono, 16 kHz, in [-1, 1]; a whole number of windows.
    ///   - state: what the windows before left; moved on by these.
    ///   - isResetDue: whether to forget all of the state after a window of this probability.
    /// - Throws: ``VoiceError/Code/fault`` when the windows are not whole or a result is not a number; the state is then void.
    package func probabilities(
        of windows: ArraySlice<Float>,
        state: inout SileroState,
        isResetDue: (Float) -> Bool
    ) throws(VoiceError) -> [Float] {
        let h = hyperparameters
        guard windows.count.isMultiple(of: h.windowLength), state.context.count == h.contextLength else {
            throw VoiceError(.fault, "\(windows.count) samples were given; Silero takes \(h.windowLength) at a time.")
        }
        let count = windows.count / h.windowLength
        var probabilities: [Float] = []
        while probabilities.count < count {
            let rest = windows.dropFirst(probabilities.count * h.windowLength)
            let left = count - probabilities.count
            let magnitudes = spectrum.magnitudes(of: inputs(rest, after: state.context), windows: left)
            let gates = decoder.gates(of: encoder.features(of: magnitudes, windows: left), windows: left)
            let width = gates.count / left
            var isFresh = false
            for window in 0..<left where !isFresh {
                let probability = decoder.step(gates[(window * width)..<((window + 1) * width)], &state)
                guard probability.isFinite else {
                    throw VoiceError(.fault, "Silero VAD gave \(probability) for a window; is the audio finite?")
                }
                probabilities.append(probability)
                // What comes after a reset has another context than was computed with.
                isFresh = isResetDue(probability)
            }
            let end = windows.startIndex + probabilities.count * h.windowLength
            if isFresh { state = SileroState(h) } else { state.context = Array(windows[(end - h.contextLength)..<end]) }
        }
        return probabilities
    }

    /// Of each window its context, itself, and its end mirrored (its last sample is not repeated).
    private func inputs(_ windows: ArraySlice<Float>, after context: [Float]) -> [Float] {
        let h = hyperparameters
        var inputs: [Float] = []
        inputs.reserveCapacity(windows.count / h.windowLength * h.inputLength)
        for begin in stride(from: windows.startIndex, to: windows.endIndex, by: h.windowLength) {
            inputs += begin == windows.startIndex ? context[...] : windows[(begin - h.contextLength)..<begin]
            let end = begin + h.windowLength
            inputs += windows[begin..<end]
            for sample in 0..<h.reflectLength { inputs.append(windows[end - 2 - sample]) }
        }
        return inputs
    }
}
