package import Inference
package import VoiceCore

/// Smart Turn as features and one ggml graph, built once. It remembers nothing between verdicts.
///
/// Not `Sendable`: it belongs to the actor, or the benchmark's thread, that runs it.
package final class SmartTurnNetwork {
    private struct Ports {
        var features: GraphInput
        var probability: GraphOutput
    }

    /// The model's dimensions.
    package let hyperparameters: SmartTurnHyperparameters
    private let logMel: LogMel
    private let graph: Graph<Ports>

    /// Loads the weights and builds the graph.
    /// - Parameter rounds: whether the encoder's matrices and what they are multiplied with are rounded to 8 bits, where that is
    ///   quicker: 1.4 to 1.7 times as quick, and within a few hundredths of a probability (MODEL.md).
    /// - Throws: ``VoiceError/Code/malformedInput`` when the file is not a Smart Turn model.
    package init(_ file: GGUFFile, on stream: ComputeStream, rounding rounds: Bool = true) throws(VoiceError) {
        let h = try SmartTurnHyperparameters(file)
        guard let logMel = LogMel(h) else {
            throw file.unsuitable("spectra of \(h.fftLength) points are not supported, only products of 4 and 5")
        }
        self.logMel = logMel
        let weights = try SmartTurnParameters(file, h).weights(on: stream.device, rounding: rounds)
        graph = try Graph(on: stream) { g throws(VoiceError) in
            let features = try g.input("features", shape: [h.frames, h.melBins])
            var x = try SmartTurnStem(hyperparameters: h, weights: weights).build(g, features.tensor)
            for index in 0..<h.layers {
                x = try SmartTurnLayer(index: index, hyperparameters: h, weights: weights).build(g, x)
            }
            let probability = try SmartTurnHead(hyperparameters: h, weights: weights).build(g, x)
            return Ports(features: features, probability: try g.output(probability, "probability"))
        }
        hyperparameters = h
    }

    /// The probability in [0, 1] that the speaker has finished.
    ///
    /// The model takes pure silence for a finished turn (0.987), so a turn whose last seconds are empty or all zero gets
    /// 0 without being asked.
    /// - Parameter turn: the turn and the silence after it; mono, 16 kHz, in [-1, 1]. The last 8 s count.
    /// - Throws: ``VoiceError/Code/fault`` when the audio or the result is not finite.
    package func endProbability(ofTurn turn: [Float]) throws(VoiceError) -> Float {
        let heard = turn.suffix(hyperparameters.maximumSamples)
        guard heard.contains(where: { $0 != 0 }) else { return 0 }
        // What is rounded to 8 bits would come out as some number.
        guard heard.allSatisfy(\.isFinite) else {
            throw VoiceError(.fault, "Smart Turn was given \(turn.count) samples that are not all finite.")
        }
        try graph.write(logMel.features(of: turn), to: graph.ports.features)
        try graph.run()
        let probability = try graph.read(graph.ports.probability)[0]
        guard probability.isFinite else {
            throw VoiceError(.fault, "Smart Turn gave \(probability) for \(turn.count) samples.")
        }
        return probability
    }
}
