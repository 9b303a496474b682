internal import Inference
internal import Testing
internal import VoiceCore

/// The operations that streaming encoders are made of, against plain loops, and the memory that streams keep.
@Suite struct StreamingGraphTests {
    @Test func `relative scores line up by key`() throws {
        let (keys, queries, heads) = (5, 3, 2)
        let positions = keys + queries - 1
        var dice = Dice(state: 11)
        let x = dice.floats(positions * queries * heads)
        let y = try compute([([positions, queries, heads], x)]) { g, t throws(VoiceError) in try g.relativeShift(t[0]) }
        #expect(y.shape == [keys, queries, heads])
        let expected = (0..<heads).flatMap { head in
            (0..<queries).flatMap { i in
                (0..<keys).map { j in x[(head * queries + i) * positions + j + queries - 1 - i] }
            }
        }
        #expect(y.values == expected)
    }

    @Test(arguments: [1, 2]) func `mixed values equal plain loops`(threads: Int) throws {
        let (size, keys, queries, heads) = (6, 5, 3, 2)
        var dice = Dice(state: 12)
        let (v, w) = (dice.floats(size * heads * keys), dice.floats(keys * queries * heads))
        // Values as they lie in a cache: all heads of a key next to each other.
        let y = try compute([([size, heads, keys], v), ([keys, queries, heads], w)], threads: threads) {
            g,
            t throws(VoiceError) in
            try g.mix(g.permute(t[0], [0, 2, 1, 3]), by: t[1])
        }
        let expected = (0..<heads).flatMap { head in
            (0..<queries).flatMap { i in
                (0..<size).map { e in
                    (0..<keys).reduce(Float(0)) {
                        $0 + v[($1 * heads + head) * size + e] * w[(head * queries + i) * keys + $1]
                    }
                }
            }
        }
        expectClose(y.values, expected)
    }

    @Test func `a causal convolution per channel equals plain loops`() throws {
        let (k, time, channels, streams) = (4, 3, 5, 2)
        var dice = Dice(state: 13)
        let length = k - 1 + time
        let (x, w) = (dice.floats(length * channels * streams), dice.floats(k * channels))
        let y = try compute([([length, channels, streams], x), ([k, channels], w)]) { g, t throws(VoiceError) in
            try g.causalDepthwise(t[0], kernel: t[1])
        }
        #expect(y.shape == [channels, time, streams])
        let expected = (0..<streams).flatMap { s in
            (0..<time).flatMap { t in
                (0..<channels).map { c in
                    (0..<k).reduce(Float(0)) { $0 + x[(s * channels + c) * length + t + $1] * w[c * k + $1] }
                }
            }
        }
        expectClose(y.values, expected)
    }

    @Test func `a convolution over two axes per channel equals plain loops`() throws {
        let (channels, width, height, images) = (32, 7, 5, 2)
        var dice = Dice(state: 14)
        let (x, w) = (dice.floats(channels * width * height * images), dice.floats(channels * 9))
        let y = try compute([([channels, width, height, images], x), ([channels, 1, 3, 3], w)]) {
            g,
            t throws(VoiceError) in
            try g.depthwise2d(t[0], kernel: t[1], stride: 2)
        }
        #expect(y.shape == [channels, 3, 2, images])
        var expected: [Float] = []
        for image in 0..<images {
            for row in 0..<2 {
                for column in 0..<3 {
                    for c in 0..<channels {
                        var sum: Float = 0
                        for a in 0..<3 {
                            for b in 0..<3 {
                                let place = (image * height + 2 * row + b) * width + 2 * column + a
                                sum += x[place * channels + c] * w[(b * 3 + a) * channels + c]
                            }
                        }
                        expected.append(sum)
                    }
                }
            }
        }
        expectClose(y.values, expected)
    }

    enum Misfit: CaseIterable { case shift, mix, causal, twoAxes, store }

    @Test(arguments: Misfit.allCases) func `operands that do not fit are errors`(misfit: Misfit) {
        let error = #expect(throws: VoiceError.self) {
            let a: (shape: Shape, values: [Float]) = ([4, 3], [Float](repeating: 0, count: 12))
            let b: (shape: Shape, values: [Float]) = ([5, 2], [Float](repeating: 0, count: 10))
            _ = try compute([a, b]) { g, t throws(VoiceError) in
                switch misfit {
                case .shift: return try g.relativeShift(g.reshape(t[0], [2, 6]))
                case .mix: return try g.mix(t[0], by: t[1])
                case .causal: return try g.causalDepthwise(t[0], kernel: t[1])
                case .twoAxes: return try g.depthwise2d(t[0], kernel: t[1], stride: 2)
                case .store:
                    try g.store(t[0], into: t[1], at: g.indices("i", count: 3, below: 3).tensor)
                    return t[0]
                }
            }
        }
        #expect(error?.code == .fault)
    }

    // MARK: state

    @Test(arguments: [ElementType.f32, .f16]) func `a graph reads what the state held before it writes`(
        type: ElementType
    ) throws {
        let stream = try ComputeStream(on: Device.cpu())
        let arena = try StateArena(
            [StateArena.Matrix("rows", rowLength: 4, rowsPerSlot: 2, type: type)],
            slots: 3,
            on: stream.device
        )
        for slot in 0..<3 { arena.clear(slot) }
        let graph = try Graph(on: stream) { g throws(VoiceError) in
            let x = try g.input("x", shape: [4, 2])
            let rows = try g.indices("rows", count: 2, below: 6)
            try g.store(g.scale(x.tensor, by: 2), into: arena.matrix("rows"), at: rows.tensor)
            let before = try g.rows(of: arena.matrix("rows"), at: rows.tensor)
            return (x: x, rows: rows, before: try g.output(before, "before"))
        }
        func run(_ x: [Float], at rows: [Int32]) throws -> [Float] {
            try graph.write(x, to: graph.ports.x)
            try graph.write(indices: rows, to: graph.ports.rows)
            try graph.run()
            return try graph.read(graph.ports.before)
        }
        #expect(try run([1, 2, 3, 4, 5, 6, 7, 8], at: [2, 5]) == [Float](repeating: 0, count: 8))
        #expect(try run([0, 0, 0, 0, 9, 9, 9, 9], at: [5, 2]) == [10, 12, 14, 16, 2, 4, 6, 8])
        // Slot 1 has rows 2 and 3, slot 2 rows 4 and 5.
        arena.copy(1, to: 0)
        arena.clear(1)
        #expect(try run([1, 1, 1, 1, 1, 1, 1, 1], at: [0, 2]) == [18, 18, 18, 18, 0, 0, 0, 0])
        #expect(throws: VoiceError.self) { _ = try run([0, 0, 0, 0, 0, 0, 0, 0], at: [0, 6]) }
    }

    @Test func `state that makes no sense is refused`() throws {
        let device = try Device.cpu()
        let row = StateArena.Matrix("a", rowLength: 4)
        #expect(throws: VoiceError.self) { _ = try StateArena([row], slots: 0, on: device) }
        #expect(throws: VoiceError.self) { _ = try StateArena([row, row], slots: 1, on: device) }
        let empty = StateArena.Matrix("b", rowLength: 0)
        #expect(throws: VoiceError.self) { _ = try StateArena([empty], slots: 1, on: device) }
        let quantised = StateArena.Matrix("c", rowLength: 32, type: .q8_0)
        #expect(throws: VoiceError.self) { _ = try StateArena([quantised], slots: 1, on: device) }
        #expect(throws: VoiceError.self) { _ = try StateArena([row], slots: 1, on: device).matrix("z") }
    }
}
