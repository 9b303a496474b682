internal import Foundation
internal import Inference
internal import Testing
internal import VoiceCore

@Suite struct GGUFFileTests {
    @Test func `values and tensors are read back`() throws {
        try GGUFBytes.withFile(GGUFBytes.sample.bytes) { path in
            let file = try GGUFFile(path: path)
            #expect(try file.string("general.architecture") == "test")
            #expect(try file.int("test.count") == 7)
            #expect(try file.float("test.epsilon") == 0.5)
            #expect(try file.bool("test.flag"))
            #expect(try file.strings("test.names") == ["ä", ""])
            #expect(try file.floats("test.weights") == [1.5, -2])
            #expect(try file.floats(of: file.tensor(named: "matrix", shape: [3, 2])) == [1, 2, 3, 4, 5, 6])
            #expect(try file.floats(of: file.tensor(named: "scalar", shape: [])) == [42])
            #expect(try file.floats(of: file.tensor(named: "halves", types: [.f16])) == [1, 2, -2, 0])
            #expect(file.tensors.map(\.name) == ["matrix", "scalar", "halves"])
        }
    }

    @Test func `a wrong key, type, shape or element type is named with the file`() throws {
        try GGUFBytes.withFile(GGUFBytes.sample.bytes) { path in
            let file = try GGUFFile(path: path)
            let failures: [(String, () throws -> Void)] = [
                ("'missing'", { _ = try file.int("missing") }),
                ("'test.count'", { _ = try file.string("test.count") }),
                ("'test.names'", { _ = try file.string("test.names") }),
                ("'test.epsilon'", { _ = try file.ints("test.epsilon") }),
                ("'test.big'", { _ = try file.int("test.big") }),
                ("'missing'", { _ = try file.tensor(named: "missing") }),
                ("[3, 2]", { _ = try file.tensor(named: "matrix", shape: [2, 3]) }),
                ("F32", { _ = try file.tensor(named: "matrix", types: [.f16, .q8_0]) }),
            ]
            for (mention, failure) in failures {
                let error = try #require(throws: VoiceError.self) { try failure() }
                #expect(error.code == .malformedInput)
                #expect(error.message.contains(path) && error.message.contains(mention), "\(error.message)")
            }
        }
    }

    @Test(arguments: ["/does/not/exist.gguf", "/", "/dev/null"])
    func `a path that is no file is missing input`(path: String) throws {
        let error = try #require(throws: VoiceError.self) { try GGUFFile(path: path) }
        #expect(error.code == .missingInput)
    }

    /// Files that are wrong in one way each.
    static var hostile: [(name: String, bytes: [UInt8])] {
        func file(tensors: UInt64 = 0, values: UInt64 = 0, _ body: (inout GGUFBytes) -> Void = { _ in }) -> [UInt8] {
            var file = GGUFBytes(tensors: tensors, values: values)
            body(&file)
            file.align()
            file.raw([UInt8](repeating: 0, count: 256))
            return file.bytes
        }
        func array(_ type: UInt32, _ count: UInt64) -> [UInt8] {
            file(values: 1) { file in
                file.value("k", type: 9) {
                    $0.number(type)
                    $0.number(count)
                }
            }
        }
        func tensor(_ dimensions: [UInt64], type: UInt32 = 0, offset: UInt64 = 0, name: String = "t") -> [UInt8] {
            file(tensors: 1) { $0.tensor(name, dimensions, type: type, offset: offset) }
        }
        let huge = UInt64(1) << 63
        return [
            ("nothing", []),
            ("one byte", [0x47]),
            ("a foreign file", Array("RIFF\u{24}\0\0\0WAVEfmt this is not a model at all".utf8)),
            ("version 1", GGUFBytes(version: 1).bytes),
            ("version 4", GGUFBytes(version: 4).bytes),
            ("big-endian", GGUFBytes(version: UInt32(3).byteSwapped).bytes),
            ("a huge number of tensors", file(tensors: huge)),
            ("all bits set in a number", file(tensors: .max, values: .max)),
            ("a huge number of values", file(values: huge)),
            ("a huge key", file(values: 1) { $0.text("k", length: huge) }),
            ("a key beyond the end", file(values: 1) { $0.text("k", length: 100_000) }),
            (
                "a key that is not UTF-8",
                file(values: 1) {
                    $0.number(UInt64(2)); $0.raw([0xC3, 0x28]); $0.number(UInt32(4))
                }
            ),
            ("an unknown value type", file(values: 1) { $0.value("k", type: 13) { _ in } }),
            ("a huge string", file(values: 1) { $0.value("k", type: 8) { $0.text("", length: .max) } }),
            ("a huge array", array(4, huge)),
            ("an array whose size overflows", array(10, huge / 4 + 1)),
            (
                "an array of huge strings",
                file(values: 1) { file in
                    file.value("k", type: 9) {
                        $0.number(UInt32(8))
                        $0.number(UInt64(2))
                        $0.text("", length: huge)
                    }
                }
            ),
            ("an array of arrays", array(9, 1)),
            (
                "a key twice",
                file(values: 2) {
                    $0.uint32("k", 1); $0.uint32("k", 2)
                }
            ),
            ("alignment 0", file(values: 1) { $0.uint32("general.alignment", 0) }),
            ("alignment 3", file(values: 1) { $0.uint32("general.alignment", 3) }),
            ("a huge alignment", file(values: 1) { $0.uint32("general.alignment", 1 << 31) }),
            ("alignment as text", file(values: 1) { $0.string("general.alignment", "32") }),
            ("five dimensions", tensor([1, 1, 1, 1, 1])),
            (
                "2³² dimensions",
                file(tensors: 1) {
                    $0.text("t"); $0.number(UInt32.max)
                }
            ),
            ("a dimension of 0", tensor([0, 4])),
            ("a negative dimension", tensor([.max])),
            ("dimensions that overflow", tensor([1 << 32, 1 << 32])),
            ("bytes that overflow", tensor([1 << 62])),
            ("a retired element type", tensor([32], type: 4)),
            ("an unknown element type", tensor([32], type: 99)),
            ("half a block", tensor([16], type: 2)),
            ("an offset beyond the end", tensor([4], offset: 1 << 20)),
            ("a huge offset", tensor([4], offset: huge)),
            ("a crooked offset", tensor([4], offset: 4)),
            ("data beyond the end", tensor([1 << 20])),
            ("an endless name", tensor([4], name: String(repeating: "n", count: 64))),
            (
                "two tensors of one name",
                file(tensors: 2) {
                    $0.tensor("t", [4]); $0.tensor("t", [4], offset: 32)
                }
            ),
            (
                "two tensors in one place",
                file(tensors: 2) {
                    $0.tensor("a", [16]); $0.tensor("b", [4], offset: 32)
                }
            ),
        ]
    }

    @Test(arguments: hostile)
    func `a hostile file is refused`(name: String, bytes: [UInt8]) throws {
        try GGUFBytes.withFile(bytes) { path in
            let error = try #require(throws: VoiceError.self, "\(name)") { try GGUFFile(path: path) }
            #expect(error.code == .malformedInput)
            #expect(error.message.contains(path))
        }
    }

    @Test func `a truncated file is refused at every length`() throws {
        let bytes = GGUFBytes.sample.bytes
        // Cut inside the padding after the last tensor nothing is missing.
        for length in 0..<(bytes.count - 1) {
            try GGUFBytes.withFile(Array(bytes[..<length])) { path in
                _ = #expect(throws: VoiceError.self, "\(length) of \(bytes.count) bytes") { try GGUFFile(path: path) }
            }
        }
    }

    @Test func `no damage makes the process end`() throws {
        let whole = GGUFBytes.sample.bytes
        var random = Dice(state: 20_261_122)
        var accepted = 0
        for _ in 0..<400 {
            var bytes = whole
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                let interesting: [UInt8] = [0, 1, 0x7F, 0x80, 0xFF, .random(in: 0...255, using: &random)]
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = interesting.randomElement(using: &random) ?? 0
            }
            try GGUFBytes.withFile(bytes) { path in
                guard let file = try? GGUFFile(path: path) else { return }
                accepted += 1
                for key in file.keys {
                    _ = try? file.string(key)
                    _ = try? file.strings(key)
                    _ = try? file.int(key)
                    _ = try? file.floats(key)
                }
                for tensor in file.tensors { _ = try? file.floats(of: tensor) }
                _ = try? Weights(file, on: Device.cpu())
            }
        }
        #expect(accepted > 0 && accepted < 400)
    }

    @Test(arguments: ElementType.allCases)
    func `an element type takes as much room as in the linked ggml`(type: ElementType) throws {
        let blocks = 64  // so many that no padding is needed
        var file = GGUFBytes(tensors: 1)
        file.tensor("t", [UInt64(type.blockSize * blocks)], type: type.rawValue)
        file.align()
        file.raw([UInt8](repeating: 0, count: type.blockBytes * blocks))
        try GGUFBytes.withFile(file.bytes) { path in
            let weights = try Weights(GGUFFile(path: path), on: Device.cpu())
            #expect(weights.byteCount == type.blockBytes * blocks)
        }
    }
}

/// A generator with a seed (xorshift64*, Vigna 2016).
struct Dice: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state ^= state >> 12
        state ^= state << 25
        state ^= state >> 27
        return state &* 0x2545_F491_4F6C_DD1D
    }

    /// Numbers between −1 and 1.
    mutating func floats(_ count: Int) -> [Float] {
        (0..<count).map { _ in Float.random(in: -1...1, using: &self) }
    }
}
