internal import Inference
internal import VoiceCore

/// The weights of Smart Turn in the form the graph takes them.
///
/// The file has int8 matrices with one factor per output. They are multiplied out to F32 once, and what needs no work
/// per verdict is folded into them. All of it is exact but for rounding:
/// - a layer norm's gain and shift go into the matrices that follow it;
/// - attention's factor 1/√d goes into the query matrix;
/// - the key bias drops out, because it adds the same to every score of a softmax;
/// - the value bias goes into the output bias, because attention weights sum to 1;
/// - the pooling score's bias drops out of its softmax, and the final norm passes through the pooled sum;
/// - the feed-forward block is cut into parts: smaller matrices stay in the cache (measured, see MODEL.md).
struct SmartTurnParameters {
    typealias Value = (name: String, shape: Shape, elements: [Float])

    let hyperparameters: SmartTurnHyperparameters
    private let file: GGUFFile
    private var computed: [Value] = []

    /// Reads, checks and folds all weights.
    /// - Throws: ``VoiceError/Code/malformedInput`` when one is missing or has another shape or type.
    init(_ file: GGUFFile, _ hyperparameters: SmartTurnHyperparameters) throws(VoiceError) {
        self.file = file
        self.hyperparameters = hyperparameters
        try addStem()
        for index in 0..<hyperparameters.layers { try addLayer(index) }
        try addHead()
    }

    /// Moves the weights to a device.
    /// - Parameter rounds: see ``SmartTurnWeights``.
    func weights(on device: Device, rounding rounds: Bool) throws(VoiceError) -> SmartTurnWeights {
        try SmartTurnWeights(computed, rounding: rounds, from: file.path, on: device)
    }

    /// Parts that a feed-forward block is computed in, each about twice as wide as the encoder.
    static func feedForwardParts(_ h: SmartTurnHyperparameters) -> Int {
        max(1, h.feedForwardSize / (2 * h.hiddenSize))
    }

    // MARK: the stages

    private mutating func addStem() throws(VoiceError) {
        let (h, width) = (hyperparameters, hyperparameters.hiddenSize)
        let first = try matrix("encoder.conv1.weight", inputs: [h.kernelSize, h.melBins], outputs: width)
        computed.append(("stem.0.weight", [h.kernelSize, h.melBins, width], first.elements))
        add("stem.0.bias", try vector("encoder.conv1.bias", width))
        // Columns of the file: channel by channel, three taps each. The graph takes tap by tap.
        let second = try matrix("encoder.conv2.weight", inputs: [h.kernelSize, width], outputs: width)
        let tapByTap = (0..<h.kernelSize).flatMap { tap in (0..<width).map { $0 * h.kernelSize + tap } }
        add("stem.1.weight", second.columns(tapByTap))
        add("stem.1.bias", try vector("encoder.conv2.bias", width))
        let table = try floats("encoder.embed_positions.weight", [width, h.positions])
        computed.append(("positions", [width, h.positions], table))
    }

    private mutating func addLayer(_ index: Int) throws(VoiceError) {
        let (h, width) = (hyperparameters, hyperparameters.hiddenSize)
        let (source, target) = ("encoder.layers.\(index)", "layers.\(index)")
        let (gain, shift) = try norm("\(source).self_attn_layer_norm")
        let query = try matrix("\(source).self_attn.q_proj.weight", inputs: [width], outputs: width)
        let key = try matrix("\(source).self_attn.k_proj.weight", inputs: [width], outputs: width)
        let value = try matrix("\(source).self_attn.v_proj.weight", inputs: [width], outputs: width)
        let output = try matrix("\(source).self_attn.out_proj.weight", inputs: [width], outputs: width)
        let queryBias = sum(try vector("\(source).self_attn.q_proj.bias", width), query.product(with: shift))
        let valueBias = sum(try vector("\(source).self_attn.v_proj.bias", width), value.product(with: shift))
        let outputBias = try vector("\(source).self_attn.out_proj.bias", width)

        let factor = 1 / Float(width / h.heads).squareRoot()
        add("\(target).query", query.scalingColumns(by: gain).scaled(by: factor))
        add("\(target).query.bias", queryBias.map { $0 * factor })
        add("\(target).key", key.scalingColumns(by: gain))
        add("\(target).value", value.scalingColumns(by: gain))
        add("\(target).output", output)
        add("\(target).output.bias", sum(outputBias, output.product(with: valueBias)))
        try addFeedForward(source, target)
    }

    private mutating func addFeedForward(_ source: String, _ target: String) throws(VoiceError) {
        let (h, width, inner) = (hyperparameters, hyperparameters.hiddenSize, hyperparameters.feedForwardSize)
        let (gain, shift) = try norm("\(source).final_layer_norm")
        let rise = try matrix("\(source).fc1.weight", inputs: [width], outputs: inner)
        let riseBias = sum(try vector("\(source).fc1.bias", inner), rise.product(with: shift))
        let fall = try matrix("\(source).fc2.weight", inputs: [inner], outputs: width)
        let parts = Self.feedForwardParts(h)
        for part in 0..<parts {
            let range = (part * inner / parts)..<((part + 1) * inner / parts)
            add("\(target).rise.\(part)", rise.rows(range).scalingColumns(by: gain))
            add("\(target).rise.\(part).bias", Array(riseBias[range]))
            add("\(target).fall.\(part)", fall.columns(range))
        }
        add("\(target).fall.bias", try vector("\(source).fc2.bias", width))
    }

    private mutating func addHead() throws(VoiceError) {
        let (h, width) = (hyperparameters, hyperparameters.hiddenSize)
        let (gain, shift) = try norm("encoder.layer_norm")
        let pool = try matrix("pool_attention.0.weight", inputs: [width], outputs: h.poolSize)
        add("pool", pool.scalingColumns(by: gain))
        add("pool.bias", sum(try vector("pool_attention.0.bias", h.poolSize), pool.product(with: shift)))
        add("pool.score", try matrix("pool_attention.2.weight", inputs: [h.poolSize], outputs: 1))
        _ = try vector("pool_attention.2.bias", 1)

        let sizes = [width] + h.classifierSizes + [1]
        let first = try matrix("classifier.0.weight", inputs: [sizes[0]], outputs: sizes[1])
        add("classifier.0", first.scalingColumns(by: gain))
        add("classifier.0.bias", sum(try vector("classifier.0.bias", sizes[1]), first.product(with: shift)))
        add("classifier.norm", try vector("classifier.1.weight", sizes[1]))
        add("classifier.norm.bias", try vector("classifier.1.bias", sizes[1]))
        for (index, name) in [(1, "classifier.4"), (2, "classifier.6")] {
            add("classifier.\(index)", try matrix("\(name).weight", inputs: [sizes[index]], outputs: sizes[index + 1]))
            add("classifier.\(index).bias", try vector("\(name).bias", sizes[index + 1]))
        }
    }

    // MARK: reading and adding

    /// An int8 matrix multiplied out. Its inputs may have several dimensions, the first fastest.
    private func matrix(_ name: String, inputs: [Int], outputs: Int) throws(VoiceError) -> Matrix {
        let tensor = try file.tensor(named: name, shape: Shape(inputs + [outputs]), types: [.i8])
        let values = try file.int8s(of: tensor)
        let factors = try floats("\(name).scale", [outputs])
        let columns = inputs.reduce(1, *)
        var elements = [Float](repeating: 0, count: values.count)
        for index in values.indices { elements[index] = Float(values[index]) * factors[index / columns] }
        return Matrix(rows: outputs, columns: columns, elements: elements)
    }

    private func vector(_ name: String, _ count: Int) throws(VoiceError) -> [Float] { try floats(name, [count]) }

    private func norm(_ name: String) throws(VoiceError) -> (gain: [Float], shift: [Float]) {
        let width = hyperparameters.hiddenSize
        return (try vector("\(name).weight", width), try vector("\(name).bias", width))
    }

    private func floats(_ name: String, _ shape: Shape) throws(VoiceError) -> [Float] {
        try file.floats(of: file.tensor(named: name, shape: shape, types: [.f32]))
    }

    private func sum(_ a: [Float], _ b: [Float]) -> [Float] { zip(a, b).map { $0 + $1 } }

    private mutating func add(_ name: String, _ matrix: Matrix) {
        computed.append((name, [matrix.columns, matrix.rows], matrix.elements))
    }

    private mutating func add(_ name: String, _ vector: [Float]) {
        computed.append((name, [vector.count], vector))
    }
}
