internal import Foundation
@testable internal import Inference
internal import Testing
internal import VoiceCore

/// Attention to caches against plain sums, in every form that the kernels have.
@Suite struct CachedAttentionTests {
    /// Plain attention in double precision: keys and values of `heads · size` numbers per row.
    private func expected(_ q: [Float], _ keys: [[Float]], _ values: [[Float]], heads: Int) -> [Float] {
        let size = q.count / heads
        return (0..<heads).flatMap { head -> [Float] in
            let part = (head * size)..<((head + 1) * size)
            let scores = keys.map { key in
                part.reduce(0.0) { $0 + Double(q[$1]) * Double(key[$1]) } / Double(size).squareRoot()
            }
            let greatest = scores.max() ?? 0
            let shares = scores.map { exp($0 - greatest) }
            let sum = shares.reduce(0, +)
            return part.map { index in
                Float(zip(shares, values).reduce(0.0) { $0 + $1.0 * Double($1.1[index]) } / sum)
            }
        }
    }

    /// Sizes of a head that take the kernels' different ways, caches shorter and longer than a block of rows.
    @Test(
        arguments: [(4, 8), (3, 64), (2, 40), (3, 5), (1, 32)],
        [
            (1, ElementType.f32, false), (2, .f32, false), (2, .f16, false), (3, .f16, false), (1, .f32, true),
            (2, .f16, true),
        ]
    )
    func `positions see those before them, shared and own`(
        form: (heads: Int, size: Int),
        setting: (threads: Int, type: ElementType, gathers: Bool)
    ) throws {
        let (heads, width) = (form.heads, form.heads * form.size)
        let (sharedRows, slots, capacity) = (37, 3, 80)
        let device = try Device.cpu()
        let arena = try StateArena(
            [
                StateArena.Matrix("keys", rowLength: width, rowsPerSlot: capacity, type: setting.type),
                StateArena.Matrix("values", rowLength: width, rowsPerSlot: capacity, type: setting.type),
            ],
            slots: slots,
            on: device
        )
        let stream = try ComputeStream(on: device, threads: setting.threads)
        var dice = Dice(state: 5)

        /// Computes new positions and returns what they attended to.
        func run(_ x: [Float], _ spans: [CacheSpan], _ gathering: SpanGathering) throws -> [Float] {
            let graph = try Graph(on: stream) { g throws(VoiceError) in
                let input = try g.input("x", shape: [3 * width, spans.count])
                let places = try g.spans(
                    "spans",
                    count: spans.count,
                    rows: slots * capacity,
                    gathering: setting.gathers ? gathering : nil
                )
                let y = try g.cachedAttention(
                    input.tensor,
                    keys: arena.matrix("keys"),
                    values: arena.matrix("values"),
                    spans: places,
                    heads: heads
                )
                return (x: input, spans: places, y: try g.output(y, "y"))
            }
            try graph.write(x, to: graph.ports.x)
            try graph.write(spans: spans, to: graph.ports.spans)
            try graph.run()
            return try graph.read(graph.ports.y)
        }
        func parts(_ x: [Float], _ index: Int) -> (q: [Float], k: [Float], v: [Float]) {
            let start = index * 3 * width
            return (
                Array(x[start..<(start + width)]), Array(x[(start + width)..<(start + 2 * width)]),
                Array(x[(start + 2 * width)..<(start + 3 * width)])
            )
        }
        let bound: Float = setting.type == .f32 ? 1e-5 : 2e-3

        // The beginning that two sequences share, all at once: each position sees those before it.
        let beginning = dice.floats(3 * width * sharedRows)
        let first = 2 * capacity
        let y = try run(
            beginning,
            (0..<sharedRows).map { CacheSpan(own: first..<(first + $0 + 1)) },
            SpanGathering(sequences: 1, before: 0)
        )
        let shared = (0..<sharedRows).map { parts(beginning, $0) }
        for index in 0..<sharedRows {
            let seen = shared[...index]
            let wanted = expected(shared[index].q, seen.map(\.k), seen.map(\.v), heads: heads)
            expectClose(Array(y[(index * width)..<((index + 1) * width)]), wanted, within: bound)
        }
        // Then both, one position at a time in the same run.
        var own: [[(q: [Float], k: [Float], v: [Float])]] = [[], []]
        for position in 0..<(sharedRows + 9) where position < capacity {
            let x = dice.floats(3 * width * 2)
            let spans = (0..<2).map { slot in
                CacheSpan(
                    shared: first..<(first + sharedRows),
                    own: (slot * capacity)..<(slot * capacity + position + 1)
                )
            }
            let y = try run(x, spans, SpanGathering(sequences: 2, before: 96))
            for slot in 0..<2 {
                own[slot].append(parts(x, slot))
                let seen = shared + own[slot]
                let wanted = expected(own[slot][position].q, seen.map(\.k), seen.map(\.v), heads: heads)
                expectClose(Array(y[(slot * width)..<((slot + 1) * width)]), wanted, within: bound)
            }
        }
    }

    @Test func `very large and very small scores give no infinities`() throws {
        let device = try Device.cpu()
        let matrices = ["keys", "values"].map { StateArena.Matrix($0, rowLength: 8, rowsPerSlot: 4) }
        let arena = try StateArena(matrices, slots: 1, on: device)
        let graph = try Graph(on: ComputeStream(on: device)) { g throws(VoiceError) in
            let input = try g.input("x", shape: [24, 2])
            let spans = try g.spans("spans", count: 2, rows: 4)
            let y = try g.cachedAttention(
                input.tensor,
                keys: arena.matrix("keys"),
                values: arena.matrix("values"),
                spans: spans,
                heads: 1
            )
            return (x: input, spans: spans, y: try g.output(y, "y"))
        }
        let large = [Float](repeating: 1e15, count: 16) + [Float](repeating: 1, count: 8)
        let small =
            [Float](repeating: 1e15, count: 8) + [Float](repeating: -1e15, count: 8)
            + [Float](repeating: 2, count: 8)
        try graph.write(large + small, to: graph.ports.x)
        try graph.write(spans: [CacheSpan(own: 0..<1), CacheSpan(own: 0..<2)], to: graph.ports.spans)
        try graph.run()
        #expect(try graph.read(graph.ports.y) == [Float](repeating: 1, count: 16))
    }

    @Test func `spans outside the caches, and shapes that do not fit, are refused`() throws {
        let device = try Device.cpu()
        let matrices = ["keys", "values"].map { StateArena.Matrix($0, rowLength: 8, rowsPerSlot: 4) }
        let arena = try StateArena(matrices, slots: 2, on: device)
        func build(width: Int = 24, heads: Int = 2, rows: Int = 8) throws -> Graph<SpanInput> {
            try Graph(on: ComputeStream(on: device)) { g throws(VoiceError) in
                let input = try g.input("x", shape: [width, 1])
                let spans = try g.spans("spans", count: 1, rows: rows)
                let y = try g.cachedAttention(
                    input.tensor,
                    keys: arena.matrix("keys"),
                    values: arena.matrix("values"),
                    spans: spans,
                    heads: heads
                )
                _ = try g.output(y, "y")
                return spans
            }
        }
        let graph = try build()
        for span in [
            CacheSpan(own: 7..<9), CacheSpan(own: 3..<3), CacheSpan(own: -1..<1), CacheSpan(shared: 0..<9, own: 0..<1),
        ] {
            #expect(throws: VoiceError.self) { try graph.write(spans: [span], to: graph.ports) }
        }
        #expect(throws: VoiceError.self) { try graph.write(spans: [], to: graph.ports) }
        #expect(throws: VoiceError.self) { try build(width: 16) }
        #expect(throws: VoiceError.self) { try build(heads: 3) }
        #expect(throws: VoiceError.self) { try build(heads: 0) }
        #expect(throws: VoiceError.self) { try build(rows: 9) }
        // Nobody has set the span: the first row, and no crash.
        try graph.run()
    }

    @Test func `spans that do not fit a gathering are refused`() throws {
        let graph = try Graph(on: ComputeStream(on: .cpu())) { g throws(VoiceError) in
            let spans = try g.spans("spans", count: 4, rows: 40, gathering: SpanGathering(sequences: 2, before: 5))
            guard case .gathered(let gathered) = spans.form else { throw VoiceError(.fault, "gathered") }
            return (spans: spans, mask: try g.output(g.scale(gathered.mask.tensor, by: 1), "mask"))
        }
        func code(_ owns: [Range<Int>]) -> VoiceError.Code? {
            let spans = owns.map { CacheSpan(own: $0) }
            return (#expect(throws: VoiceError.self) { try graph.write(spans: spans, to: graph.ports.spans) })?.code
        }
        try graph.write(spans: [0..<3, 0..<4, 20..<26, 20..<27].map { CacheSpan(own: $0) }, to: graph.ports.spans)
        // Not two after each other; too many before; nothing before; too few; outside.
        #expect(code([0..<3, 0..<5, 20..<26, 20..<27]) == .fault)
        #expect(code([0..<3, 0..<4, 20..<27, 20..<28]) == .fault)
        #expect(code([0..<1, 0..<2, 20..<26, 20..<27]) == .fault)
        #expect(code([0..<3, 0..<4]) == .fault)
        #expect(code([0..<3, 0..<4, 34..<40, 34..<41]) == .fault)
    }
}
