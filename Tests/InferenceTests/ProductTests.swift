internal import Testing
internal import VoiceCore

@testable internal import Inference

/// ggml's products, our kernels in them included where the processor has what they need (`scripts/llama`), against sums in
/// double precision.
@Suite struct ProductTests {
    /// Fewer rows than a vector has lanes, as many, one more, and many; columns for one pass, several, and several groups; rows
    /// of one block, and of more than are laid side by side at a time.
    @Test(
        arguments: [
            (32, 7, 2), (32, 15, 3), (32, 16, 1), (576, 9, 1), (576, 17, 1), (576, 49, 8), (576, 64, 9), (1536, 48, 10),
            (1568, 40, 17), (4096, 33, 70),
        ],
        [1, 2, 3]
    ) func `a product of blocks is exact but for rounding`(size: (k: Int, rows: Int, columns: Int), threads: Int) throws
    {
        for type in [ElementType.q8_0, .q4_1] {
            let matrix = Matrix(type, k: size.k, rows: size.rows)
            // Whole numbers of at most 127, which every block has, times a power of two: they are their own roundings. Their
            // sums are whole numbers that 16 bits hold.
            var generator = SplitMix64(seed: 12)
            let columns = (0..<size.k * size.columns).map { index in
                index % 32 == 7 ? 127.0 / 64 : Float(Int(generator.next() % 121) - 60) / 64
            }
            #expect(try matrix.error(of: columns, count: size.columns, threads: threads) < 1e-6, "\(type)")
        }
    }

    /// Rows of one vector and of many; heads of queries that share one of keys; columns for one pass and several.
    @Test(
        arguments: [
            (16, 4, 1, 1, 1), (64, 512, 1, 3, 9), (512, 64, 1, 3, 9), (64, 260, 10, 3, 9), (320, 64, 10, 2, 2),
            (2048, 12, 7, 1, 4), (64, 40, 33, 6, 6),
            // These are ggml's own: rows that fill no vector, or come in no fours.
            (20, 8, 3, 1, 1), (64, 7, 3, 2, 4),
        ],
        [1, 2, 3]
    ) func `a product of heads is exact but for rounding`(
        size: (k: Int, rows: Int, columns: Int, heads: Int, queries: Int),
        threads: Int
    ) throws {
        for type in [ElementType.f32, .f16] {
            let matrix = Matrix(type, k: size.k, rows: size.rows, heads: size.heads)
            // Numbers that 16 bits hold, in case they are rounded to that.
            var generator = SplitMix64(seed: 13)
            let columns = (0..<size.k * size.columns * size.queries).map { _ in
                Float(Int(generator.next() % 2047) - 1023) / 512
            }
            #expect(
                try matrix.error(of: columns, count: size.columns, heads: size.queries, threads: threads) < 1e-6,
                "\(type)"
            )
        }
    }

    /// A cache of keys lies between those of other heads, queries come in another order than they are multiplied in, and
    /// several conversations are computed at once.
    @Test(arguments: [1, 2]) func `keys and queries are found wherever they lie`(threads: Int) throws {
        let (width, keys, queries, heads, shared, batch) = (64, 24, 5, 2, 3, 2)
        var generator = SplitMix64(seed: 14)
        let matrix = (0..<width * heads * keys * batch).map { _ in Float(Int(generator.next() % 2047) - 1023) / 512 }
        let x = (0..<width * heads * shared * queries * batch).map { _ in
            Float(Int(generator.next() % 2047) - 1023) / 512
        }
        var bytes = GGUFBytes(tensors: 1)
        bytes.tensor("keys", [UInt64(width), UInt64(heads), UInt64(keys), UInt64(batch)])
        bytes.align()
        bytes.floats(matrix)
        let y = try GGUFBytes.withFile(bytes.bytes) { path in
            let weights = try Weights(GGUFFile(path: path), on: Device.cpu(), storing: { _ in .f16 })
            let graph = try Graph(on: ComputeStream(on: Device.cpu(), threads: threads)) { g throws(VoiceError) in
                let x = try g.input("x", shape: [width, heads * shared, queries, batch])
                let product = try g.matmul(
                    g.permute(weights.tensor("keys"), [0, 2, 1, 3]),
                    g.permute(x.tensor, [0, 2, 1, 3])
                )
                return (x: x, y: try g.output(product, "y"))
            }
            try graph.write(x, to: graph.ports.x)
            try graph.run()
            return try graph.read(graph.ports.y)
        }
        var worst = 0.0
        for (index, value) in y.enumerated() {
            let (key, query) = (index % keys, index / keys % queries)
            let (head, stream) = (
                index / (keys * queries) % (heads * shared), index / (keys * queries * heads * shared)
            )
            var (expected, magnitude) = (0.0, 0.0)
            for number in 0..<width {
                let left = matrix[((stream * keys + key) * heads + head / shared) * width + number]
                let right = x[((stream * queries + query) * heads * shared + head) * width + number]
                expected += Double(left) * Double(right)
                magnitude += abs(Double(left) * Double(right))
            }
            worst = max(worst, abs(Double(value) - expected) / magnitude)
        }
        #expect(y.count == keys * queries * heads * shared * batch)
        #expect(worst < 1e-6)
    }

    /// A soft-max is of what it is given, wherever its largest number stands.
    @Test(arguments: [1, 3, 16, 17, 40, 400]) func `a soft-max finds the largest number`(count: Int) throws {
        let rows = (0..<count).map { row in (0..<count).map { Float($0 == row ? 500 : -Float($0)) } }
        let graph = try Graph(on: ComputeStream(on: Device.cpu(), threads: 1)) { g throws(VoiceError) in
            let x = try g.input("x", shape: [count, count])
            return (x: x, y: try g.output(g.softmax(x.tensor), "y"))
        }
        try graph.write(rows.flatMap(\.self), to: graph.ports.x)
        try graph.run()
        let y = try graph.read(graph.ports.y)
        #expect(y == (0..<count * count).map { $0 % count == $0 / count ? 1 : 0 })
    }
}

/// A matrix of each of some heads, of numbers that its type holds exactly, and the bytes that it is stored in.
private struct Matrix {
    let type: ElementType
    let k: Int
    let rows: Int
    let heads: Int
    private(set) var values: [Float] = []
    private(set) var bytes: [UInt8] = []

    init(_ type: ElementType, k: Int, rows: Int, heads: Int = 1) {
        (self.type, self.k, self.rows, self.heads) = (type, k, rows, heads)
        var generator = SplitMix64(seed: 11)
        func random(_ count: Int) -> Int { Int(generator.next() % UInt64(count)) }
        func append(_ number: some FixedWidthInteger) {
            withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
        }
        for _ in 0..<k * rows * heads / (type == .q8_0 || type == .q4_1 ? 32 : 1) {
            switch type {
            // Blocks as ggml defines them (`block_q8_0`, `block_q4_1` in ggml-common.h).
            case .q8_0:
                let scale = Float16(sign: .plus, exponent: -random(4), significand: 1)
                let numbers = (0..<32).map { _ in Int8(random(255) - 127) }
                append(scale.bitPattern)
                for number in numbers { append(number) }
                values += numbers.map { Float(scale) * Float($0) }
            case .q4_1:
                let scale = Float16(sign: .plus, exponent: -random(4), significand: 1)
                let offset = Float16(random(64) - 32) / 8
                let numbers = (0..<32).map { _ in UInt8(random(16)) }
                append(scale.bitPattern)
                append(offset.bitPattern)
                for index in 0..<16 { append(numbers[index] | numbers[index + 16] << 4) }
                values += numbers.map { Float(scale) * Float($0) + Float(offset) }
            default:
                let value = Float(random(2047) - 1023) / 256
                if type == .f16 { append(Float16(value).bitPattern) } else { append(value.bitPattern) }
                values.append(value)
            }
        }
    }

    /// The largest error of a number of the product with columns, those of `heads` heads one after the other, by the sum of
    /// its terms' magnitudes.
    func error(of columns: [Float], count: Int, heads queries: Int = 1, threads: Int) throws -> Double {
        var file = GGUFBytes(tensors: 1)
        file.tensor("matrix", [UInt64(k), UInt64(rows), UInt64(heads)], type: UInt32(type.rawValue))
        file.align()
        file.raw(bytes)
        let y = try GGUFBytes.withFile(file.bytes) { path in
            let weights = try Weights(GGUFFile(path: path), on: Device.cpu())
            let graph = try Graph(on: ComputeStream(on: Device.cpu(), threads: threads)) { g throws(VoiceError) in
                let x = try g.input("x", shape: [k, count, queries])
                return (x: x, y: try g.output(g.matmul(weights.tensor("matrix"), x.tensor), "y"))
            }
            try graph.write(columns, to: graph.ports.x)
            try graph.run()
            return try graph.read(graph.ports.y)
        }
        guard y.count == rows * count * queries else { return .infinity }
        var worst = 0.0
        for column in 0..<count * queries {
            let head = column / count / (queries / heads)
            for row in 0..<rows {
                var (expected, magnitude) = (0.0, 0.0)
                for index in 0..<k {
                    let product = Double(values[(head * rows + row) * k + index]) * Double(columns[column * k + index])
                    expected += product
                    magnitude += abs(product)
                }
                let error = abs(Double(y[column * rows + row]) - expected) / magnitude
                worst = error.isNaN ? .infinity : max(worst, error)
            }
        }
        return worst
    }
}
