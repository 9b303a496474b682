internal import Inference
internal import VoiceCore

/// Stage 4: the prediction network, which has read the tokens so far, and the joint network, which scores the next token for
/// an encoder frame.
///
/// Always on the CPU: a search looks at its scores after every token, and a round trip to a GPU costs more than the sums.
/// Not `Sendable`: it belongs to the actor that runs it. Source: NeMo `modules/rnnt.py` (`RNNTDecoder`, `RNNTJoint`).
final class Transducer {
    /// The prediction network's memory of one stream. A value: a fork copies it.
    struct State: Sendable {
        /// Hidden and cell state of each layer: one row of the width per layer each.
        fileprivate var hidden: [Float]
        fileprivate var cell: [Float]
        /// What the joint network adds to an encoder frame.
        fileprivate(set) var projected: [Float]
    }

    private struct PredictorPorts {
        var tokens: GraphInput
        var hidden: [GraphInput]
        var cell: [GraphInput]
        var newHidden: [GraphOutput]
        var newCell: [GraphOutput]
        var projected: GraphOutput
    }

    private struct JointPorts {
        var x: GraphInput
        var scores: GraphOutput
    }

    let h: NemotronHyperparameters
    private let stream: ComputeStream
    private let weights: Weights
    private let packed: PackedWeights
    private var predictors: [Int: Graph<PredictorPorts>] = [:]
    private var joints: [Int: Graph<JointPorts>] = [:]
    private var begin: State?

    private static let embedding = "decoder.prediction.embed.weight"
    /// Columns that are computed together at most; graphs exist for the powers of two up to it.
    private static let largestBatch = 64

    /// Loads the weights.
    /// - Parameter stream: a stream on the CPU.
    init(_ file: GGUFFile, _ h: NemotronHyperparameters, on stream: ComputeStream) throws(VoiceError) {
        self.h = h
        self.stream = stream
        let names = NemotronLayout(h).decoder.map(\.name)
        // Rows of the embedding are looked up, not multiplied.
        let packed = try PackedWeights(file, tensors: names.filter { $0 != Self.embedding }, on: stream.device)
        self.packed = packed
        weights = try Weights(file, on: stream.device, tensors: names.filter { packed.matrix($0) == nil })
    }

    /// The state before the first token: zeros that have read the blank, which stands for the beginning.
    func beginning() throws(VoiceError) -> State {
        if let begin { return begin }
        let zeros = [Float](repeating: 0, count: h.predictionLayers * h.predictionWidth)
        var states = [State(hidden: zeros, cell: zeros, projected: [])]
        try predict(&states, reading: [Int32(h.blank)])
        begin = states[0]
        return states[0]
    }

    /// Moves states on by one token each.
    func predict(_ states: inout [State], reading tokens: [Int32]) throws(VoiceError) {
        for start in stride(from: 0, to: states.count, by: Self.largestBatch) {
            let range = start..<min(states.count, start + Self.largestBatch)
            try predict(&states, range, reading: tokens)
        }
    }

    private func predict(_ states: inout [State], _ range: Range<Int>, reading tokens: [Int32]) throws(VoiceError) {
        let batch = Self.batch(range.count)
        let graph = try predictor(batch)
        let spare = batch - range.count
        let width = h.predictionWidth
        try graph.write(
            indices: Array(tokens[range]) + [Int32](repeating: Int32(h.blank), count: spare),
            to: graph.ports.tokens
        )
        let padding = [Float](repeating: 0, count: spare * width)
        for layer in 0..<h.predictionLayers {
            let rows = (layer * width)..<((layer + 1) * width)
            try graph.write(range.flatMap { states[$0].hidden[rows] } + padding, to: graph.ports.hidden[layer])
            try graph.write(range.flatMap { states[$0].cell[rows] } + padding, to: graph.ports.cell[layer])
        }
        try graph.run()
        for layer in 0..<h.predictionLayers {
            let hidden = try graph.read(graph.ports.newHidden[layer])
            let cell = try graph.read(graph.ports.newCell[layer])
            let rows = (layer * width)..<((layer + 1) * width)
            for (place, index) in range.enumerated() {
                let source = (place * width)..<((place + 1) * width)
                states[index].hidden.replaceSubrange(rows, with: hidden[source])
                states[index].cell.replaceSubrange(rows, with: cell[source])
            }
        }
        let projected = try graph.read(graph.ports.projected)
        for (place, index) in range.enumerated() {
            states[index].projected = Array(projected[(place * h.jointWidth)..<((place + 1) * h.jointWidth)])
        }
    }

    /// Scores of all tokens, not normalised, for pairs of an encoder frame and a state.
    /// - Parameters:
    ///   - pairs: encoder frames as the joint network sees them, and what the states add to them.
    ///   - body: called once per pair, in order, with its scores; one per token, the blank last.
    func scores(
        of pairs: [(frame: [Float], state: [Float])],
        _ body: (Int, borrowing Span<Float>) -> Void
    ) throws(VoiceError) {
        var values: [Float] = []
        for start in stride(from: 0, to: pairs.count, by: Self.largestBatch) {
            let range = start..<min(pairs.count, start + Self.largestBatch)
            let batch = Self.batch(range.count)
            let graph = try joint(batch)
            var x = [Float](repeating: 0, count: batch * h.jointWidth)
            for (place, index) in range.enumerated() {
                let (frame, state) = pairs[index]
                for unit in 0..<h.jointWidth { x[place * h.jointWidth + unit] = max(0, frame[unit] + state[unit]) }
            }
            try graph.write(x, to: graph.ports.x)
            try graph.run()
            values = try graph.read(graph.ports.scores)
            for (place, index) in range.enumerated() {
                body(index, values.span.extracting((place * h.tokens)..<((place + 1) * h.tokens)))
            }
        }
    }

    private static func batch(_ count: Int) -> Int {
        var batch = 1
        while batch < count { batch *= 2 }
        return batch
    }

    private func joint(_ batch: Int) throws(VoiceError) -> Graph<JointPorts> {
        if let graph = joints[batch] { return graph }
        let graph = try Graph(on: stream, capacity: 16) { g throws(VoiceError) in
            let x = try g.input("joint", shape: [h.jointWidth, batch])
            let scores = try linear(g, x.tensor, "joint.joint_net.2")
            return JointPorts(x: x, scores: try g.output(scores, "scores"))
        }
        joints[batch] = graph
        return graph
    }

    private func predictor(_ batch: Int) throws(VoiceError) -> Graph<PredictorPorts> {
        if let graph = predictors[batch] { return graph }
        let graph = try Graph(on: stream, capacity: 64 * (h.predictionLayers + 1)) { g throws(VoiceError) in
            let tokens = try g.indices("tokens", count: batch, below: h.tokens)
            var x = try g.rows(of: weights.tensor(Self.embedding), at: tokens.tensor)
            var (hidden, cell): ([GraphInput], [GraphInput]) = ([], [])
            var (newHidden, newCell): ([GraphOutput], [GraphOutput]) = ([], [])
            for layer in 0..<h.predictionLayers {
                let before = try g.input("hidden.\(layer)", shape: [h.predictionWidth, batch])
                let memory = try g.input("cell.\(layer)", shape: [h.predictionWidth, batch])
                let (output, kept) = try lstm(g, layer, x, before.tensor, memory.tensor)
                hidden.append(before)
                cell.append(memory)
                newHidden.append(try g.output(output, "hidden.\(layer).new"))
                newCell.append(try g.output(kept, "cell.\(layer).new"))
                x = output
            }
            let projected = try linear(g, x, "joint.pred")
            return PredictorPorts(
                tokens: tokens,
                hidden: hidden,
                cell: cell,
                newHidden: newHidden,
                newCell: newCell,
                projected: try g.output(projected, "projected")
            )
        }
        predictors[batch] = graph
        return graph
    }

    private func linear(_ g: GraphBuilder, _ x: Tensor, _ name: String) throws(VoiceError) -> Tensor {
        if let matrix = packed.matrix("\(name).weight") {
            return try g.add(g.matmul(matrix, x), weights.tensor("\(name).bias"))
        }
        return try g.linear(x, weights.tensor("\(name).weight"), bias: weights.tensor("\(name).bias"))
    }

    /// One step of an LSTM layer; PyTorch's order of gates: input, forget, cell, output.
    private func lstm(
        _ g: GraphBuilder,
        _ layer: Int,
        _ x: Tensor,
        _ hidden: Tensor,
        _ cell: Tensor
    ) throws(VoiceError) -> (hidden: Tensor, cell: Tensor) {
        let name = "decoder.prediction.dec_rnn.lstm"
        let fromInput = try linear(g, x, "\(name).ih_l\(layer)")
        let fromHidden = try linear(g, hidden, "\(name).hh_l\(layer)")
        let gates = try g.add(fromInput, fromHidden)
        func gate(_ index: Int) throws(VoiceError) -> Tensor {
            let width = h.predictionWidth
            return try g.contiguous(g.slice(gates, dimension: 0, (index * width)..<((index + 1) * width)))
        }
        let kept = try g.multiply(cell, g.sigmoid(gate(1)))
        let added = try g.multiply(g.sigmoid(gate(0)), g.tanh(gate(2)))
        let newCell = try g.add(kept, added)
        return (try g.multiply(g.sigmoid(gate(3)), g.tanh(newCell)), newCell)
    }
}
