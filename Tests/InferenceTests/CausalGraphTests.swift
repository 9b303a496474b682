internal import Inference
internal import Testing
internal import VoiceCore

/// Windows over time and the columns that streams keep.
@Suite struct CausalGraphTests {
    @Test(arguments: [(1, 1), (2, 1), (3, 1), (3, 2), (2, 5)]) func `windows are the columns that taps meet`(
        taps: Int,
        dilation: Int
    ) throws {
        let (channels, columns, streams) = (3, 7, 2)
        let x = (0..<(channels * columns * streams)).map(Float.init)
        let graph = try Graph(on: ComputeStream(on: .cpu())) { g throws(VoiceError) in
            let x = try g.input("x", shape: [channels, columns, streams])
            return (x: x, y: try g.output(g.windows(x.tensor, taps: taps, dilation: dilation), "y"))
        }
        try graph.write(x, to: graph.ports.x)
        try graph.run()
        let count = columns - (taps - 1) * dilation
        var expected: [Float] = []
        for stream in 0..<streams {
            for column in 0..<count {
                for tap in 0..<taps {
                    let first = (stream * columns + column + tap * dilation) * channels
                    expected += x[first..<(first + channels)]
                }
            }
        }
        #expect(graph.ports.y.shape == [channels * taps, count, streams])
        #expect(try graph.read(graph.ports.y) == expected)
    }

    @Test func `what is kept early comes before the next step's columns`() throws {
        let arena = try StateArena([StateArena.Matrix("kept", rowLength: 6)], slots: 3, on: .cpu())
        for slot in 0..<3 { arena.clear(slot) }
        let graph = try Graph(on: ComputeStream(on: .cpu())) { g throws(VoiceError) in
            let x = try g.input("x", shape: [2, 1, 2])
            let slots = try g.indices("slots", count: 2, below: 3)
            let matrix = try arena.matrix("kept")
            let before = try g.history(of: matrix, channels: 2, at: slots.tensor)
            let all = try g.concat(before, x.tensor, dimension: 1)
            try g.keepHistory(all, in: matrix, at: slots.tensor)
            return (x: x, slots: slots, all: try g.output(all, "all"))
        }
        var (first, second): ([Float], [Float]) = ([Float](repeating: 0, count: 6), [Float](repeating: 0, count: 6))
        for step in 1...5 {
            let column = [Float(step), Float(-step), Float(10 * step), Float(-10 * step)]
            // The streams change places in the step, not their slots.
            let isSwapped = step % 2 == 0
            try graph.write(isSwapped ? Array(column[2...] + column[..<2]) : column, to: graph.ports.x)
            try graph.write(indices: isSwapped ? [0, 2] : [2, 0], to: graph.ports.slots)
            try graph.run()
            first += column[..<2]
            second += column[2...]
            let all = try graph.read(graph.ports.all)
            #expect(Array(all[..<8]) == Array((isSwapped ? second : first).suffix(8)))
            #expect(Array(all[8...]) == Array((isSwapped ? first : second).suffix(8)))
        }
    }

    @Test func `what does not fit is an error`() throws {
        let arena = try StateArena([StateArena.Matrix("kept", rowLength: 6)], slots: 1, on: .cpu())
        _ = try Graph(on: ComputeStream(on: .cpu())) { g throws(VoiceError) in
            let x = try g.input("x", shape: [4, 3])
            let slots = try g.indices("slots", count: 1, below: 1)
            let matrix = try arena.matrix("kept")
            for (taps, dilation) in [(4, 1), (2, 3), (0, 1), (1, 0), (-1, 1), (.max, .max)] {
                #expect(throws: VoiceError.self) { try g.windows(x.tensor, taps: taps, dilation: dilation) }
            }
            #expect(throws: VoiceError.self) { try g.history(of: matrix, channels: 4, at: slots.tensor) }
            #expect(throws: VoiceError.self) { try g.history(of: matrix, channels: 0, at: slots.tensor) }
            #expect(throws: VoiceError.self) { try g.keepHistory(x.tensor, in: matrix, at: slots.tensor) }
            return try g.output(x.tensor, "x")
        }
    }
}
