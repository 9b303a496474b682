import Foundation
import Inference
import Testing
import VoiceCore

/// Runs a graph of one output on inputs of given shapes and values.
func compute(
    _ inputs: [(shape: Shape, values: [Float])],
    threads: Int = 1,
    _ body: (GraphBuilder, [Tensor]) throws(VoiceError) -> Tensor
) throws -> (values: [Float], shape: Shape) {
    let stream = try ComputeStream(on: Device.cpu(), threads: threads)
    let graph = try Graph(on: stream) { g throws(VoiceError) in
        var tensors: [GraphInput] = []
        for (index, input) in inputs.enumerated() { tensors.append(try g.input("x\(index)", shape: input.shape)) }
        return (inputs: tensors, output: try g.output(body(g, tensors.map(\.tensor)), "y"))
    }
    for (input, port) in zip(inputs, graph.ports.inputs) { try graph.write(input.values, to: port) }
    try graph.run()
    return (try graph.read(graph.ports.output), graph.ports.output.shape)
}

func expectClose(_ a: [Float], _ b: [Float], within tolerance: Float = 1e-5, _ comment: Comment? = nil) {
    #expect(a.count == b.count, comment)
    let worst = zip(a, b).map { abs($0 - $1) }.max() ?? 0
    #expect(worst <= tolerance, comment)
}

@Suite struct GraphTests {
    @Test(arguments: [1, 2])
    func `a matrix product equals plain loops`(threads: Int) throws {
        var dice = Dice(state: 1)
        let (w, x) = (dice.floats(48 * 5), dice.floats(48 * 7))
        let y = try compute([([48, 5], w), ([48, 7], x)], threads: threads) { g, t throws(VoiceError) in
            try g.matmul(t[0], t[1])
        }
        let expected = (0..<7).flatMap { m in
            (0..<5).map { n in (0..<48).reduce(Float(0)) { $0 + w[n * 48 + $1] * x[m * 48 + $1] } }
        }
        #expect(y.shape == [5, 7])
        expectClose(y.values, expected)
    }

    @Test(arguments: [(1, 0, 1), (2, 1, 1), (1, 3, 2), (3, 2, 2)], [ConvolutionOrder.timeFirst, .channelsFirst])
    func `a convolution equals plain loops`(geometry: (Int, Int, Int), order: ConvolutionOrder) throws {
        let (stride, padding, dilation) = geometry
        let (time, inputs, outputs, k) = (17, 3, 4, 3)
        var dice = Dice(state: 2)
        let (x, w, b) = (dice.floats(time * inputs), dice.floats(k * inputs * outputs), dice.floats(outputs))
        let y = try compute([([time, inputs], x), ([k, inputs, outputs], w), ([outputs], b)]) {
            g,
            t throws(VoiceError) in
            let geometry = ConvolutionGeometry(stride: stride, padding: padding, dilation: dilation)
            return try g.conv1d(t[0], kernel: t[1], bias: t[2], geometry: geometry, order: order)
        }
        let count = (time + 2 * padding - dilation * (k - 1) - 1) / stride + 1
        var expected = [Float](repeating: 0, count: count * outputs)
        for t in 0..<count {
            for o in 0..<outputs {
                var sum = b[o]
                for i in 0..<inputs {
                    for j in 0..<k {
                        let at = t * stride - padding + j * dilation
                        if (0..<time).contains(at) { sum += x[i * time + at] * w[(o * inputs + i) * k + j] }
                    }
                }
                expected[order == .timeFirst ? o * count + t : t * outputs + o] = sum
            }
        }
        #expect(y.shape == (order == .timeFirst ? [count, outputs] : [outputs, count]))
        expectClose(y.values, expected)
    }

    @Test func `layer norm equals plain loops`() throws {
        var dice = Dice(state: 3)
        let (x, w, b) = (dice.floats(30), dice.floats(10), dice.floats(10))
        let y = try compute([([10, 3], x), ([10], w), ([10], b)]) { g, t throws(VoiceError) in
            try g.layerNorm(t[0], weight: t[1], bias: t[2], epsilon: 1e-5)
        }
        let expected = (0..<3).flatMap { row -> [Float] in
            let values = x[(row * 10)..<(row * 10 + 10)]
            let mean = values.reduce(0, +) / 10
            let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 10
            return values.enumerated().map { ($1 - mean) / (variance + 1e-5).squareRoot() * w[$0] + b[$0] }
        }
        expectClose(y.values, expected)
    }

    typealias Unary = @Sendable (GraphBuilder, Tensor) throws(VoiceError) -> Tensor
    static let unary: [(String, Unary, @Sendable (Double) -> Double)] = [
        (
            "geluExact", { g, x throws(VoiceError) in try g.geluExact(x) },
            { $0 * 0.5 * (1 + erf($0 / 2.0.squareRoot())) }
        ),
        ("silu", { g, x throws(VoiceError) in try g.silu(x) }, { $0 / (1 + exp(-$0)) }),
        ("sigmoid", { g, x throws(VoiceError) in try g.sigmoid(x) }, { 1 / (1 + exp(-$0)) }),
        ("tanh", { g, x throws(VoiceError) in try g.tanh(x) }, { tanh($0) }),
        ("relu", { g, x throws(VoiceError) in try g.relu(x) }, { max($0, 0) }),
        ("exp", { g, x throws(VoiceError) in try g.exp(x) }, { exp($0) }),
        ("abs", { g, x throws(VoiceError) in try g.abs(x) }, { abs($0) }),
        ("negate", { g, x throws(VoiceError) in try g.negate(x) }, { -$0 }),
        ("square", { g, x throws(VoiceError) in try g.square(x) }, { $0 * $0 }),
        ("squareRoot of square", { g, x throws(VoiceError) in try g.squareRoot(g.square(x)) }, { abs($0) }),
        ("log of exp", { g, x throws(VoiceError) in try g.log(g.exp(x)) }, { $0 }),
        ("sin", { g, x throws(VoiceError) in try g.sin(x) }, { sin($0) }),
        ("cos", { g, x throws(VoiceError) in try g.cos(x) }, { cos($0) }),
        ("scale", { g, x throws(VoiceError) in try g.scale(x, by: 3, plus: -1) }, { 3 * $0 - 1 }),
        ("clamp", { g, x throws(VoiceError) in try g.clamp(x, to: -1...2) }, { min(max($0, -1), 2) }),
    ]

    @Test(arguments: unary.indices)
    func `each function of one number is right`(index: Int) throws {
        let (name, body, expected) = Self.unary[index]
        let x = (-20...20).map { Float($0) * 0.25 }
        let y = try compute([([41], x)]) { g, t throws(VoiceError) in try body(g, t[0]) }
        expectClose(
            y.values,
            x.map { Float(expected(Double($0))) },
            within: 2e-5 * max(1, abs(Float(expected(5)))),
            "\(name)"
        )
    }

    @Test func `arithmetic repeats the smaller operand`() throws {
        let inputs: [(Shape, [Float])] = [([2, 3], [1, 2, 3, 4, 5, 6]), ([2], [10, 20]), ([1, 3], [2, 4, 5])]
        let y = try compute(inputs) { g, t throws(VoiceError) in
            try g.subtract(g.divide(g.multiply(g.add(t[0], t[1]), t[2]), t[2]), t[1])
        }
        expectClose(y.values, [1, 2, 3, 4, 5, 6])
    }

    @Test func `shapes can be changed, cut and put together`() throws {
        let x = (0..<12).map { Float($0) }
        let transposed = try compute([([4, 3], x)]) { g, t throws(VoiceError) in try g.transpose(t[0]) }
        #expect(transposed.shape == [3, 4])
        #expect(transposed.values == [0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11])
        let slice = try compute([([4, 3], x)]) { g, t throws(VoiceError) in
            try g.slice(g.slice(t[0], dimension: 0, 1..<3), dimension: 1, 1..<3)
        }
        #expect(slice.values == [5, 6, 9, 10])
        let joined = try compute([([4, 3], x)]) { g, t throws(VoiceError) in
            try g.concat(g.slice(t[0], dimension: 0, 2..<4), g.slice(t[0], dimension: 0, 0..<2), dimension: 0)
        }
        #expect(joined.values == [2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9])
        let padded = try compute([([2, 1], [1, 2])]) { g, t throws(VoiceError) in
            try g.pad(t[0], dimension: 0, before: 1, after: 2)
        }
        #expect(padded.values == [0, 1, 2, 0, 0])
        let mirrored = try compute([([3], [1, 2, 3])]) { g, t throws(VoiceError) in
            try g.padReflecting(t[0], before: 2, after: 1)
        }
        #expect(mirrored.values == [3, 2, 1, 2, 3, 2])
        let spread = try compute([([2], [1, 2])]) { g, t throws(VoiceError) in try g.broadcast(t[0], to: [4, 2]) }
        #expect(spread.values == [1, 2, 1, 2, 1, 2, 1, 2])
        let sums = try compute([([4, 3], x)]) { g, t throws(VoiceError) in
            try g.concat(g.sumRows(t[0]), g.meanRows(t[0]), dimension: 0)
        }
        #expect(sums.values == [6, 1.5, 22, 5.5, 38, 9.5])
    }

    @Test func `attention is the same with and without stored scores`() throws {
        let (d, queries, keys, heads) = (32, 5, 9, 2)
        var dice = Dice(state: 4)
        let q = dice.floats(d * queries * heads)
        let (k, v) = (dice.floats(d * keys * heads), dice.floats(d * keys * heads))
        let mask = (0..<(keys * queries)).map { $0 % keys > $0 / keys + 4 ? -Float.infinity : 0 }
        let inputs: [(Shape, [Float])] = [
            ([d, queries, heads], q), ([d, keys, heads], k), ([d, keys, heads], v), ([keys, queries], mask),
        ]
        let scale = 1 / Float(d).squareRoot()
        let flash = try compute(inputs) { g, t throws(VoiceError) in
            try g.flashAttention(q: t[0], k: t[1], v: t[2], mask: g.cast(t[3], to: .f16), scale: scale)
        }
        let stored = try compute(inputs) { g, t throws(VoiceError) in
            let scores = try g.softmax(g.matmul(t[1], t[0]), mask: t[3], scale: scale)
            let mixed = try g.matmul(g.contiguous(g.transpose(t[2])), scores)
            return try g.permute(mixed, [0, 2, 1, 3])
        }
        #expect(flash.shape == [d, heads, queries] && stored.shape == flash.shape)
        expectClose(flash.values, stored.values, within: 1e-4)
        var expected = [Float](repeating: 0, count: d * heads * queries)
        for h in 0..<heads {
            for i in 0..<queries {
                let weights = (0..<keys).map { j -> Float in
                    let dot = (0..<d).reduce(Float(0)) {
                        $0 + q[(h * queries + i) * d + $1] * k[(h * keys + j) * d + $1]
                    }
                    return exp(dot * scale + mask[i * keys + j])
                }
                for e in 0..<d {
                    let sum = (0..<keys).reduce(Float(0)) { $0 + weights[$1] * v[(h * keys + $1) * d + e] }
                    expected[(i * heads + h) * d + e] = sum / weights.reduce(0, +)
                }
            }
        }
        expectClose(stored.values, expected)
    }

    @Test func `rows are chosen by index and indices are bounded`() throws {
        let stream = try ComputeStream(on: Device.cpu())
        let graph = try Graph(on: stream) { g throws(VoiceError) in
            let table = try g.input("table", shape: [2, 3])
            let indices = try g.indices("indices", count: 2, below: 3)
            let rows = try g.rows(of: table.tensor, at: indices.tensor)
            let best = try g.argmax(rows)
            return (table: table, indices: indices, rows: try g.output(rows, "rows"), best: try g.output(best, "best"))
        }
        try graph.write([1, 2, 6, 4, 5, 3], to: graph.ports.table)
        try graph.write(indices: [2, 0], to: graph.ports.indices)
        try graph.run()
        #expect(try graph.read(graph.ports.rows) == [5, 3, 1, 2])
        #expect(try graph.readIntegers(graph.ports.best) == [0, 1])
        for wrong: [Int32] in [[0, 3], [-1, 0], [0], [0, 1, 2]] {
            #expect(throws: VoiceError.self) { try graph.write(indices: wrong, to: graph.ports.indices) }
        }
    }

    @Test func `a graph runs many times and inputs keep their values`() throws {
        let stream = try ComputeStream(on: Device.cpu())
        let graph = try Graph(on: stream) { g throws(VoiceError) in
            let (a, b) = (try g.input("a", shape: [4]), try g.input("b", shape: [4]))
            // Enough steps for buffers to be reused for one another.
            var sum = try g.add(a.tensor, b.tensor)
            for _ in 0..<8 { sum = try g.scale(g.add(sum, b.tensor), by: 0.5) }
            return (
                a: a, b: b, out: try g.output(sum, "out"), view: try g.output(g.slice(sum, dimension: 0, 1..<3), "view")
            )
        }
        try graph.write([1, 1, 1, 1], to: graph.ports.b)
        var last: [Float] = []
        for round in 0..<5 {
            try graph.write([Float](repeating: Float(round % 2) * 256, count: 4), to: graph.ports.a)
            try graph.run()
            let out = try graph.read(graph.ports.out)
            #expect(try graph.read(graph.ports.view) == Array(out[1..<3]))
            if round >= 2 { #expect((round % 2 == 0) == (out[0] < 1.1)) }
            last = out
        }
        try graph.run()
        #expect(try graph.read(graph.ports.out) == last)
    }

    @Test func `weights are loaded as they are or converted`() throws {
        try GGUFBytes.withFile(GGUFBytes.sample.bytes) { path in
            let file = try GGUFFile(path: path)
            let weights = try Weights(file, on: Device.cpu(), storing: { $0.name == "matrix" ? .f16 : nil })
            let matrix = try weights.tensor("matrix", shape: [3, 2])
            #expect(matrix.type == .f16)
            let graph = try Graph(on: ComputeStream(on: Device.cpu())) { g throws(VoiceError) in
                let x = try g.input("x", shape: [3])
                let halves = try g.cast(weights.tensor("halves"), to: .f32)
                return (
                    x: x, y: try g.output(g.matmul(matrix, x.tensor), "y"), halves: try g.output(halves, "halves"),
                    scalar: try g.output(weights.tensor("scalar"), "scalar")
                )
            }
            try graph.write([1, 0, -1], to: graph.ports.x)
            try graph.run()
            #expect(try graph.read(graph.ports.y) == [-2, -2])
            #expect(try graph.read(graph.ports.halves) == [1, 2, -2, 0])
            #expect(try graph.read(graph.ports.scalar) == [42])
            #expect(throws: VoiceError.self) { try weights.tensor("missing") }
            #expect(throws: VoiceError.self) { try weights.tensor("matrix", shape: [2, 3]) }
            #expect(throws: VoiceError.self) { try Weights(file, on: Device.cpu(), storing: { _ in .q8_0 }) }
        }
    }
}
