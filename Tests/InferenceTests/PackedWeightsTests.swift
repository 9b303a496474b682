internal import CKernels
internal import Testing
internal import VoiceCore

/// Our own kernels for 8-bit matrices, every kind that this machine runs, against sums in double precision.
@Suite struct PackedWeightsTests {
    private static let kinds = (1...2).map(Int32.init).filter { $0 <= ck_best_kind() }

    /// A Q8_0 matrix of random numbers, and its values.
    private func matrix(rows: Int, columns: Int, seed: UInt64) -> (bytes: [UInt8], values: [Double]) {
        var generator = SplitMix64(seed: seed)
        var (bytes, values): ([UInt8], [Double]) = ([], [])
        for _ in 0..<(rows * columns / 32) {
            // 2^-7 and 2^-6 in half precision: exact factors.
            let exponent = UInt16(generator.next() % 2)
            let half = (15 - 7 + exponent) << 10
            bytes += [UInt8(half & 0xFF), UInt8(half >> 8)]
            for _ in 0..<32 {
                let number = Int8(truncatingIfNeeded: generator.next())
                bytes.append(UInt8(bitPattern: number))
                values.append(Double(number) * (exponent == 0 ? 1.0 / 128 : 1.0 / 64))
            }
        }
        return (bytes, values)
    }

    @Test(arguments: kinds, [1, 2, 3, 4, 5, 6, 7, 8, 9, 28]) func `a packed product is exact but for rounding`(
        kind: Int32,
        columns: Int
    ) {
        let (k, n) = (96, 48)
        let (bytes, weights) = matrix(rows: n, columns: k, seed: 7)
        var packed = [UInt8](repeating: 0, count: bytes.count)
        ck_pack(Int64(k), Int64(n), bytes, &packed)
        var generator = SplitMix64(seed: 3)
        // Whole numbers up to 127, with 127 in every block: they are their own roundings.
        let x = (0..<(k * columns)).map { $0 % 32 == 5 ? Float(127) : Float(Int(generator.next() % 255) - 127) }
        let stride = Int(ck_column_bytes(Int64(k)))
        var packedColumns = [UInt8](repeating: 0, count: stride * columns)
        for column in 0..<columns {
            packedColumns.withUnsafeMutableBytes { bytes in
                x.withUnsafeBufferPointer { values in
                    guard let to = bytes.baseAddress, let from = values.baseAddress else { return }
                    ck_pack_column(kind, Int64(k), from + column * k, to + column * stride)
                }
            }
        }
        var y = [Float](repeating: .nan, count: n * columns)
        // In two parts, as two threads would.
        for (first, last) in [(0, 2), (2, 3)] as [(Int64, Int64)] {
            ck_multiply(kind, Int64(k), Int64(n), Int64(columns), first, last, packed, packedColumns, 0, &y)
        }
        for column in 0..<columns {
            for row in 0..<n {
                let expected = (0..<k).reduce(0.0) { $0 + weights[row * k + $1] * Double(x[column * k + $1]) }
                #expect(abs(Double(y[column * n + row]) - expected) <= 1e-5 * max(1, abs(expected)))
            }
        }
    }

    @Test(arguments: kinds, [1, 2, 3, 7]) func `a product can be added to what is there`(kind: Int32, columns: Int) {
        let (k, n) = (64, 32)
        let (bytes, _) = matrix(rows: n, columns: k, seed: 8)
        var packed = [UInt8](repeating: 0, count: bytes.count)
        ck_pack(Int64(k), Int64(n), bytes, &packed)
        var generator = SplitMix64(seed: 4)
        let stride = Int(ck_column_bytes(Int64(k)))
        var packedColumns = [UInt8](repeating: 0, count: stride * columns)
        packedColumns.withUnsafeMutableBytes { bytes in
            for column in 0..<columns {
                let x = (0..<k).map { _ in Float(generator.uniform()) - 0.5 }
                guard let to = bytes.baseAddress else { return }
                ck_pack_column(kind, Int64(k), x, to + column * stride)
            }
        }
        var y = [Float](repeating: 0, count: n * columns)
        ck_multiply(kind, Int64(k), Int64(n), Int64(columns), 0, 2, packed, packedColumns, 0, &y)
        let once = y
        ck_multiply(kind, Int64(k), Int64(n), Int64(columns), 0, 2, packed, packedColumns, 1, &y)
        #expect(y == once.map { $0 + $0 })
        #expect(once.contains { $0 != 0 })
    }

    @Test(arguments: [0] + kinds)
    func `columns of zeros, of one value and of anything else round to within half a step`(kind: Int32) {
        let k = 64
        var generator = SplitMix64(seed: 9)
        for scale in [0, 1e-30, 0.37, 1, 1e30] as [Float] {
            let x = (0..<k).map { _ in scale * (Float(generator.next() % 2001) / 1000 - 1) }
            var column = [UInt8](repeating: 0, count: Int(ck_column_bytes(Int64(k))))
            ck_pack_column(kind, Int64(k), x, &column)
            var plain = column
            ck_pack_column(0, Int64(k), x, &plain)
            #expect(column == plain, "every kind packs the same")
            for index in 0..<k {
                let tail = k + index / 32 * 8
                let bits = (0..<4).reduce(UInt32(0)) { $0 | UInt32(column[tail + $1]) << (8 * UInt32($1)) }
                let step = Float(bitPattern: bits)
                let value = Float(Int8(bitPattern: column[index])) * step
                #expect(abs(value - x[index]) <= 0.5001 * step)
            }
        }
    }
}
