internal import Inference
internal import VoiceCore

#if canImport(Darwin)
    internal import Darwin
#else
    internal import Glibc
#endif

/// Stages 3 and 4: one step of an LSTM cell (PyTorch's gate order: input, forget, cell, output), then the probability.
struct SileroDecoder: Sendable {
    private let size: Int
    /// From a window's vector to the gates, with the biases of both.
    private let fromInput: SmallConvolution
    /// From the last output to the gates.
    private let fromHidden: SmallConvolution
    private let weight: [Float]
    private let bias: Float

    /// Reads the weights.
    /// - Throws: ``VoiceError/Code/malformedInput`` when they are others.
    init(_ file: GGUFFile, _ h: SileroHyperparameters) throws(VoiceError) {
        size = h.hiddenSize
        let gates = 4 * size
        let biases = try (
            file.floats("decoder.rnn.bias_ih", shape: [gates]), file.floats("decoder.rnn.bias_hh", shape: [gates])
        )
        fromInput = try SmallConvolution(
            weights: file.floats("decoder.rnn.weight_ih", shape: [size, gates]),
            bias: zip(biases.0, biases.1).map { $0 + $1 },
            inputs: size,
            taps: 1
        )
        fromHidden = try SmallConvolution(
            weights: file.floats("decoder.rnn.weight_hh", shape: [size, gates]),
            bias: [Float](repeating: 0, count: gates),
            inputs: size,
            taps: 1
        )
        weight = try file.floats("decoder.decoder.2.weight", shape: [size])
        bias = try file.floats("decoder.decoder.2.bias", shape: [1])[0]
    }

    /// What windows say to the gates, all at once.
    /// - Parameter features: `size` numbers for each window.
    /// - Returns: four times as many.
    func gates(of features: [Float], windows: Int) -> [Float] { fromInput(features, columns: windows) }

    /// Goes on by one window.
    /// - Parameter gates: what the window says to them.
    /// - Returns: the probability, in [0, 1]; not a number where the weights are none.
    func step(_ gates: ArraySlice<Float>, _ state: inout SileroState) -> Float {
        let remembered = fromHidden(state.hidden, columns: 1)
        var sum = bias
        for index in 0..<size {
            func gate(_ number: Int) -> Float {
                gates[gates.startIndex + number * size + index] + remembered[number * size + index]
            }
            let cell = sigmoid(gate(1)) * state.cell[index] + sigmoid(gate(0)) * tanh(gate(2))
            let hidden = sigmoid(gate(3)) * tanh(cell)
            state.cell[index] = cell
            state.hidden[index] = hidden
            sum += weight[index] * (hidden < 0 ? 0 : hidden)
        }
        return sigmoid(sum)
    }

    private func sigmoid(_ x: Float) -> Float { 1 / (1 + exp(-x)) }
}
