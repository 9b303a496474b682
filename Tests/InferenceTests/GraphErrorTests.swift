import Inference
import Testing
import VoiceCore

/// Everything here would end the process if it reached ggml.
@Suite struct GraphErrorTests {
    typealias Misuse = @Sendable (GraphBuilder, Tensor, Tensor) throws(VoiceError) -> Tensor

    /// a is [4, 3], b is [5, 2].
    static let misuses: [(String, Misuse)] = [
        ("matmul", { g, a, b throws(VoiceError) in try g.matmul(a, b) }),
        ("matmul", { g, a, b throws(VoiceError) in try g.matmul(g.transpose(a), g.transpose(a)) }),
        ("add", { g, a, b throws(VoiceError) in try g.add(a, b) }),
        ("multiply", { g, a, b throws(VoiceError) in try g.multiply(a, g.cast(a, to: .f16)) }),
        ("scale", { g, a, b throws(VoiceError) in try g.scale(g.transpose(a), by: 2) }),
        ("relu", { g, a, b throws(VoiceError) in try g.relu(g.cast(a, to: .f16)) }),
        ("norm", { g, a, b throws(VoiceError) in try g.norm(g.transpose(a), epsilon: 0) }),
        ("reshape", { g, a, b throws(VoiceError) in try g.reshape(a, [5, 3]) }),
        ("reshape", { g, a, b throws(VoiceError) in try g.reshape(g.transpose(a), [12]) }),
        ("reshape", { g, a, b throws(VoiceError) in try g.reshape(a, [.max, .max]) }),
        ("reshape", { g, a, b throws(VoiceError) in try g.reshape(a, [-4, -3]) }),
        ("permute", { g, a, b throws(VoiceError) in try g.permute(a, [0, 0, 1, 2]) }),
        ("permute", { g, a, b throws(VoiceError) in try g.permute(a, [0, 1]) }),
        ("slice", { g, a, b throws(VoiceError) in try g.slice(a, dimension: 0, 2..<5) }),
        ("slice", { g, a, b throws(VoiceError) in try g.slice(a, dimension: 0, -1..<2) }),
        ("slice", { g, a, b throws(VoiceError) in try g.slice(a, dimension: 4, 0..<1) }),
        ("slice", { g, a, b throws(VoiceError) in try g.slice(a, dimension: 1, 1..<1) }),
        ("concat", { g, a, b throws(VoiceError) in try g.concat(a, b, dimension: 0) }),
        ("concat", { g, a, b throws(VoiceError) in try g.concat(a, a, dimension: -1) }),
        ("pad", { g, a, b throws(VoiceError) in try g.pad(a, dimension: 0, before: -1) }),
        ("pad", { g, a, b throws(VoiceError) in try g.pad(a, dimension: 0, after: .max) }),
        ("padReflecting", { g, a, b throws(VoiceError) in try g.padReflecting(a, before: 4, after: 0) }),
        ("broadcast", { g, a, b throws(VoiceError) in try g.broadcast(a, to: [5, 3]) }),
        ("rows", { g, a, b throws(VoiceError) in try g.rows(of: a, at: b) }),
        ("rows", { g, a, b throws(VoiceError) in try g.rows(of: a, at: g.indices("i", count: 1, below: 4).tensor) }),
        ("argmax", { g, a, b throws(VoiceError) in try g.argmax(g.reshape(a, [2, 2, 3])) }),
        ("softmax", { g, a, b throws(VoiceError) in try g.softmax(a, mask: b) }),
        ("softmax", { g, a, b throws(VoiceError) in try g.softmax(g.transpose(a)) }),
        ("flashAttention", { g, a, b throws(VoiceError) in try g.flashAttention(q: a, k: b, v: b, scale: 1) }),
        (
            "flashAttention",
            { g, a, b throws(VoiceError) in
                try g.flashAttention(q: a, k: a, v: a, mask: g.input("m", shape: [3, 3]).tensor, scale: 1)
            }
        ),
        ("im2col", { g, a, b throws(VoiceError) in try g.conv1d(a, kernel: b) }),
        (
            "im2col",
            { g, a, b throws(VoiceError) in
                try g.conv1d(b, kernel: g.reshape(a, [2, 2, 3]), geometry: .init(stride: 0))
            }
        ),
        (
            "im2col",
            { g, a, b throws(VoiceError) in
                try g.conv1d(g.slice(b, dimension: 0, 0..<1), kernel: g.reshape(a, [2, 2, 3]))
            }
        ),
        ("input", { g, a, b throws(VoiceError) in try g.input("i", shape: [0]).tensor }),
        ("input", { g, a, b throws(VoiceError) in try g.input("i", shape: [1 << 40, 1 << 40]).tensor }),
        ("input", { g, a, b throws(VoiceError) in try g.input("i", shape: [32], type: .q8_0).tensor }),
        ("indices", { g, a, b throws(VoiceError) in try g.indices("i", count: 1, below: 0).tensor }),
    ]

    @Test(arguments: misuses.indices)
    func `operands that do not fit throw`(index: Int) throws {
        let (operation, body) = Self.misuses[index]
        let stream = try ComputeStream(on: Device.cpu())
        let error = try #require(throws: VoiceError.self) {
            _ = try Graph(on: stream) { g throws(VoiceError) in
                let (a, b) = (try g.input("a", shape: [4, 3]), try g.input("b", shape: [5, 2]))
                return try g.output(body(g, a.tensor, b.tensor), "y")
            }
        }
        #expect(error.code == .fault)
        #expect(error.message.contains("'\(operation)'"), "\(error.message)")
    }

    @Test func `a graph larger than it may be throws`() throws {
        let stream = try ComputeStream(on: Device.cpu())
        #expect(throws: VoiceError.self) {
            _ = try Graph(on: stream, capacity: 10) { g throws(VoiceError) in
                var x = try g.input("x", shape: [4]).tensor
                for _ in 0..<10 { x = try g.relu(x) }
                return try g.output(x, "y")
            }
        }
    }

    @Test func `tensors and ports of another graph throw`() throws {
        let stream = try ComputeStream(on: Device.cpu())
        func graph() throws -> Graph<(x: GraphInput, y: GraphOutput)> {
            try Graph(on: stream) { g throws(VoiceError) in
                let x = try g.input("x", shape: [4])
                return (x: x, y: try g.output(g.relu(x.tensor), "y"))
            }
        }
        let (one, other) = (try graph(), try graph())
        #expect(throws: VoiceError.self) { try one.write([1, 2, 3, 4], to: other.ports.x) }
        #expect(throws: VoiceError.self) { try one.read(other.ports.y) }
        #expect(throws: VoiceError.self) {
            _ = try Graph(on: stream) { g throws(VoiceError) in try g.output(g.relu(other.ports.x.tensor), "y") }
        }
    }

    @Test func `a write or read of the wrong size or type throws`() throws {
        let graph = try Graph(on: ComputeStream(on: Device.cpu())) { g throws(VoiceError) in
            let x = try g.input("x", shape: [4])
            return (x: x, y: try g.output(g.relu(x.tensor), "y"))
        }
        #expect(throws: VoiceError.self) { try graph.write([1, 2, 3], to: graph.ports.x) }
        #expect(throws: VoiceError.self) { try graph.write(indices: [1, 2, 3, 4], to: graph.ports.x) }
        #expect(throws: VoiceError.self) { try graph.readIntegers(graph.ports.y) }
        var three = [Float](repeating: 0, count: 3)
        #expect(throws: VoiceError.self) {
            var span = three.mutableSpan
            try graph.read(graph.ports.y, into: &span)
        }
    }

    @Test func `an unknown device is named with those that exist`() throws {
        let error = try #require(throws: VoiceError.self) { try Device.named("TPU9") }
        #expect(error.code == .unavailable && error.message.contains("CPU"))
        #expect(try Device.cpu().memory.total > 0)
    }
}
