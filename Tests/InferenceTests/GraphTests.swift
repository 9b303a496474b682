import Inference
import Testing
import VoiceCore

@Suite struct GraphTests {
    @Test func `a linear layer with relu equals plain loops`() throws {
        let stream = try ComputeStream(on: Device.cpu())
        let graph = try Graph(on: stream) { g throws(VoiceError) in
            let w = try g.input("w", shape: [3, 2])
            let x = try g.input("x", shape: [3, 4])
            let y = try g.relu(g.matmul(w.tensor, x.tensor))
            return (w: w, x: x, y: try g.output(y, "y"))
        }
        let w: [Float] = [1, -2, 3, 4, 5, -6]
        let x: [Float] = (0..<12).map { Float($0) * 0.5 - 2 }
        try graph.write(w, to: graph.ports.w)
        try graph.write(x, to: graph.ports.x)
        try graph.run()
        let y = try graph.read(graph.ports.y)
        var expected: [Float] = []
        for m in 0..<4 {
            for n in 0..<2 {
                expected.append(max(0, (0..<3).reduce(0) { $0 + w[n * 3 + $1] * x[m * 3 + $1] }))
            }
        }
        #expect(y == expected)
    }
}
