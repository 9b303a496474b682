import Foundation

/// Writes GGUF files for tests, correct ones and all others.
struct GGUFBytes {
    private(set) var bytes: [UInt8] = []

    /// A header. Magic, version, number of tensors, number of values.
    init(magic: String = "GGUF", version: UInt32 = 3, tensors: UInt64 = 0, values: UInt64 = 0) {
        bytes += magic.utf8
        number(version)
        number(tensors)
        number(values)
    }

    mutating func number(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.littleEndian) { bytes += $0 }
    }

    mutating func text(_ text: String, length: UInt64? = nil) {
        number(length ?? UInt64(text.utf8.count))
        bytes += text.utf8
    }

    mutating func value(_ key: String, type: UInt32, _ content: (inout GGUFBytes) -> Void) {
        text(key)
        number(type)
        content(&self)
    }

    mutating func string(_ key: String, _ content: String) { value(key, type: 8) { $0.text(content) } }
    mutating func uint32(_ key: String, _ content: UInt32) { value(key, type: 4) { $0.number(content) } }
    mutating func float(_ key: String, _ content: Float) { value(key, type: 6) { $0.number(content.bitPattern) } }

    mutating func tensor(_ name: String, _ dimensions: [UInt64], type: UInt32 = 0, offset: UInt64 = 0) {
        text(name)
        number(UInt32(dimensions.count))
        for dimension in dimensions { number(dimension) }
        number(type)
        number(offset)
    }

    mutating func align(to alignment: Int = 32) {
        bytes += [UInt8](repeating: 0, count: (alignment - bytes.count % alignment) % alignment)
    }

    mutating func floats(_ values: [Float]) {
        for value in values { number(value.bitPattern) }
    }

    mutating func raw(_ more: [UInt8]) { bytes += more }

    /// Writes the bytes to a new file, calls `body` with its path and removes it.
    static func withFile<Result>(_ bytes: [UInt8], _ body: (String) throws -> Result) throws -> Result {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID()).gguf").path
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try body(path)
    }

    /// A small correct file with values of several types and three tensors.
    static var sample: GGUFBytes {
        var file = GGUFBytes(tensors: 3, values: 7)
        file.string("general.architecture", "test")
        file.uint32("test.count", 7)
        file.float("test.epsilon", 0.5)
        file.value("test.flag", type: 7) { $0.number(UInt8(1)) }
        file.value("test.names", type: 9) { array in
            array.number(UInt32(8))
            array.number(UInt64(2))
            array.text("ä")
            array.text("")
        }
        file.value("test.big", type: 10) { $0.number(UInt64.max) }
        file.value("test.weights", type: 9) { array in
            array.number(UInt32(12))
            array.number(UInt64(2))
            array.number((1.5).bitPattern)
            array.number((-2.0).bitPattern)
        }
        file.tensor("matrix", [3, 2], offset: 0)
        file.tensor("scalar", [], offset: 32)
        file.tensor("halves", [4], type: 1, offset: 64)
        file.align()
        file.floats([1, 2, 3, 4, 5, 6])
        file.align()
        file.floats([42])
        file.align()
        file.raw([0x00, 0x3C, 0x00, 0x40, 0x00, 0xC0, 0x00, 0x00])  // 1, 2, −2, 0
        return file
    }
}
