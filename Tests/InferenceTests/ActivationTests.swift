internal import Testing
internal import VoiceCore

@testable internal import Inference

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

@Suite struct ActivationTests {
    /// From far below to far above where the functions have levelled off; 1003 is not a multiple of the lanes.
    private let x = (0..<1003).map { (Float($0) - 501) / 40 }
    private let bias = (0..<1003).map { Float($0 % 7) / 10 - 0.3 }

    @Test(arguments: [1, 2]) func `activations of linear layers are exact to 5e-7`(threads: Int) throws {
        let device = try Device.cpu()
        let weights = try Weights(computed: [("x", [1, 1003], x), ("b", [1003], bias)], from: "computed", on: device)
        let graph = try Graph(on: ComputeStream(on: device, threads: threads)) { g throws(VoiceError) in
            // Two columns: the weights, and minus the weights.
            let signs = try g.input("signs", shape: [1, 2])
            let (x, bias) = try (weights.tensor("x"), weights.tensor("b"))
            let gelu = try g.linear(signs.tensor, x, bias: bias, activation: .geluExact)
            let tanh = try g.linear(signs.tensor, x, bias: bias, activation: .tanh)
            return (signs: signs, gelu: try g.output(gelu, "gelu"), tanh: try g.output(tanh, "tanh"))
        }
        try graph.write([1, -1] as [Float], to: graph.ports.signs)
        try graph.run()
        let gelus = try graph.read(graph.ports.gelu)
        let tanhs = try graph.read(graph.ports.tanh)
        for index in gelus.indices {
            let value = Double((index < 1003 ? x[index] : -x[index - 1003]) + bias[index % 1003])
            let gelu = 0.5 * value * (1 + erf(value / 2.0.squareRoot()))
            #expect(abs(Double(gelus[index]) - gelu) <= 5e-7 * max(1, abs(value)), "gelu(\(value))")
            #expect(abs(Double(tanhs[index]) - tanh(value)) <= 4e-7, "tanh(\(value))")
        }
    }

    @Test(arguments: [1, 2, 3]) func `the approximation of GELU by tanh is exact to 1e-6`(threads: Int) throws {
        let device = try Device.cpu()
        let graph = try Graph(on: ComputeStream(on: device, threads: threads)) { g throws(VoiceError) in
            let x = try g.input("x", shape: [1003])
            return (x: x, y: try g.output(g.geluTanh(g.scale(x.tensor, by: 1)), "y"))
        }
        try graph.write(x, to: graph.ports.x)
        try graph.run()
        for (x, y) in zip(x.map(Double.init), try graph.read(graph.ports.y)) {
            let expected = 0.5 * x * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
            #expect(abs(Double(y) - expected) <= 1e-6 * max(1, abs(x)), "gelu(\(x))")
        }
    }

    @Test func `a bias of another length than the layer's outputs is refused`() throws {
        let device = try Device.cpu()
        let weights = try Weights(computed: [("w", [2, 8], [Float](repeating: 1, count: 16))], from: "", on: device)
        #expect(throws: VoiceError.self) {
            _ = try Graph(on: ComputeStream(on: device)) { g throws(VoiceError) in
                let x = try g.input("x", shape: [2])
                let bias = try g.input("bias", shape: [4])
                let y = try g.linear(x.tensor, weights.tensor("w"), bias: bias.tensor, activation: .tanh)
                return try g.output(y, "y")
            }
        }
    }

    @Test func `computed weights can be used in a graph`() throws {
        let device = try Device.cpu()
        let weights = try Weights(computed: [("w", [2, 2], [1, 2, 3, 4])], from: "computed", on: device)
        let graph = try Graph(on: ComputeStream(on: device)) { g throws(VoiceError) in
            let x = try g.input("x", shape: [2])
            return (x: x, y: try g.output(g.matmul(weights.tensor("w"), x.tensor), "y"))
        }
        try graph.write([10, 1] as [Float], to: graph.ports.x)
        try graph.run()
        #expect(try graph.read(graph.ports.y) == [12, 34])
    }

    @Test func `computed weights that do not fill their shape are refused`() throws {
        let device = try Device.cpu()
        #expect(throws: VoiceError.self) {
            _ = try Weights(computed: [("w", [2, 2], [1, 2, 3])], from: "computed", on: device)
        }
        #expect(throws: VoiceError.self) {
            _ = try Weights(computed: [("w", [1], [1]), ("w", [1], [1])], from: "computed", on: device)
        }
    }
}
