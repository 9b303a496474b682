internal import Testing
internal import VoiceCore

@testable internal import Inference

/// ggml's products of 8-bit matrices, our kernel in them included where the processor has what it needs (`scripts/llama`),
/// against sums in double precision.
@Suite struct EightBitProductTests {
    /// Fewer rows than a vector has lanes, as many, one more, and many; columns for one pass, several, and several groups; rows
    /// of one block, and of more than are laid side by side at a time.
    @Test(
        arguments: [
            (32, 15, 3), (32, 16, 1), (576, 17, 1), (576, 49, 8), (576, 64, 9), (1536, 48, 10), (1568, 40, 17),
            (4096, 33, 70),
        ],
        [1, 2, 3]
    ) func `an 8-bit product is exact but for rounding`(size: (k: Int, rows: Int, columns: Int), threads: Int) throws {
        var generator = SplitMix64(seed: 11)
        // Whole numbers of at most 127, which every block has, times a power of two: they are their own roundings.
        func numbers(_ count: Int, _ scale: Float) -> [Float] {
            (0..<count).map { $0 % 32 == 7 ? 127 * scale : Float(Int(generator.next() % 255) - 127) * scale }
        }
        let matrix = numbers(size.k * size.rows, 1.0 / 128)
        let x = numbers(size.k * size.columns, 1.0 / 64)
        var bytes = GGUFBytes(tensors: 1)
        bytes.tensor("matrix", [UInt64(size.k), UInt64(size.rows)])
        bytes.align()
        bytes.floats(matrix)
        let y = try GGUFBytes.withFile(bytes.bytes) { path in
            let weights = try Weights(GGUFFile(path: path), on: Device.cpu(), storing: { _ in .q8_0 })
            let graph = try Graph(on: ComputeStream(on: Device.cpu(), threads: threads)) { g throws(VoiceError) in
                let x = try g.input("x", shape: [size.k, size.columns])
                return (x: x, y: try g.output(g.matmul(weights.tensor("matrix"), x.tensor), "y"))
            }
            try graph.write(x, to: graph.ports.x)
            try graph.run()
            return try graph.read(graph.ports.y)
        }
        var worst = 0.0
        for column in 0..<size.columns {
            for row in 0..<size.rows {
                var (expected, magnitude) = (0.0, 0.0)
                for index in 0..<size.k {
                    let product = Double(matrix[row * size.k + index]) * Double(x[column * size.k + index])
                    expected += product
                    magnitude += abs(product)
                }
                worst = max(worst, abs(Double(y[column * size.rows + row]) - expected) / magnitude)
            }
        }
        #expect(worst < 1e-6)
    }
}
