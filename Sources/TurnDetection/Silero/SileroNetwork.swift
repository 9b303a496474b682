package import Inference
package import VoiceCore

/// Silero VAD as one ggml graph, built once. It holds no state of any stream: that goes in and out of every call.
///
/// Not `Sendable`: it belongs to the actor, or the benchmark's thread, that runs it.
package final class SileroNetwork {
    private struct Ports {
        var samples: GraphInput
        var hidden: GraphInput
        var cell: GraphInput
        var probability: GraphOutput
        var newHidden: GraphOutput
        var newCell: GraphOutput
    }

    /// The model's dimensions.
    package let hyperparameters: SileroHyperparameters
    private let graph: Graph<Ports>
    private var samples: [Float]

    /// Loads the weights and builds the graph.
    /// - Throws: ``VoiceError/Code/malformedInput`` when the file is not a Silero VAD model.
    package init(_ file: GGUFFile, on stream: ComputeStream) throws(VoiceError) {
        let h = try SileroHyperparameters(file)
        for tensor in file.tensors where tensor.type != .f32 {
            throw file.unsuitable("tensor '\(tensor.name)' holds \(tensor.type), not F32")
        }
        let weights = try Weights(file, on: stream.device)
        graph = try Graph(on: stream, capacity: 256) { g throws(VoiceError) in
            let samples = try g.input("samples", shape: [h.inputLength])
            let hidden = try g.input("hidden", shape: [h.hiddenSize])
            let cell = try g.input("cell", shape: [h.hiddenSize])
            let spectrum = try SileroSpectrum(hyperparameters: h, weights: weights).build(g, samples.tensor)
            let features = try SileroEncoder(hyperparameters: h, weights: weights).build(g, spectrum)
            let step = try SileroDecoder(hyperparameters: h, weights: weights)
                .build(g, features, hidden: hidden.tensor, cell: cell.tensor)
            return Ports(
                samples: samples,
                hidden: hidden,
                cell: cell,
                probability: try g.output(step.probability, "probability"),
                newHidden: try g.output(step.hidden, "new hidden"),
                newCell: try g.output(step.cell, "new cell")
            )
        }
        hyperparameters = h
        samples = [Float](repeating: 0, count: h.inputLength)
    }

    /// The probability in [0, 1] that a window holds speech.
    /// - Parameters:
    ///   - window: `windowLength` samples, mono, 16 kHz, in [-1, 1].
    ///   - state: what the windows before left; moved on by this one.
    /// - Throws: ``VoiceError/Code/fault`` when the window has another length or the result is not a number.
    package func probability(of window: Span<Float>, state: inout SileroState) throws(VoiceError) -> Float {
        let h = hyperparameters
        guard window.count == h.windowLength, state.context.count == h.contextLength else {
            throw VoiceError(.fault, "A window of \(window.count) samples was given; Silero takes \(h.windowLength).")
        }
        fill(from: window, after: state.context)
        try graph.write(samples, to: graph.ports.samples)
        try graph.write(state.hidden.span, to: graph.ports.hidden)
        try graph.write(state.cell.span, to: graph.ports.cell)
        try graph.run()
        var hidden = state.hidden.mutableSpan
        try graph.read(graph.ports.newHidden, into: &hidden)
        var cell = state.cell.mutableSpan
        try graph.read(graph.ports.newCell, into: &cell)
        let end = h.contextLength + h.windowLength
        for index in 0..<h.contextLength { state.context[index] = samples[end - h.contextLength + index] }
        let probability = try graph.read(graph.ports.probability)[0]
        guard probability.isFinite else {
            throw VoiceError(.fault, "Silero VAD gave \(probability) for a window; is the audio finite?")
        }
        return probability
    }

    /// Context, window, and the window's end mirrored (its last sample is not repeated).
    private func fill(from window: Span<Float>, after context: [Float]) {
        let h = hyperparameters
        for index in 0..<h.contextLength { samples[index] = context[index] }
        for index in 0..<h.windowLength { samples[h.contextLength + index] = window[index] }
        let end = h.contextLength + h.windowLength
        for index in 0..<h.reflectLength { samples[end + index] = samples[end - 2 - index] }
    }
}
