internal import VoiceCore

/// The type of a metadata value. Raw values: `enum gguf_type` in `gguf.h`, llama.cpp 0c1e57098.
enum GGUFValueType: UInt32 {
    case uint8 = 0, int8 = 1, uint16 = 2, int16 = 3, uint32 = 4, int32 = 5, float32 = 6
    case bool = 7, string = 8, array = 9, uint64 = 10, int64 = 11, float64 = 12

    /// Bytes of one value; nil where they vary.
    var size: Int? {
        switch self {
        case .uint8, .int8, .bool: 1
        case .uint16, .int16: 2
        case .uint32, .int32, .float32: 4
        case .uint64, .int64, .float64: 8
        case .string, .array: nil
        }
    }

    var isInteger: Bool {
        switch self {
        case .uint8, .int8, .uint16, .int16, .uint32, .int32, .uint64, .int64: true
        case .float32, .float64, .bool, .string, .array: false
        }
    }

    var isFloat: Bool { self == .float32 || self == .float64 }
}

/// Where a metadata value lies in the file. Values are decoded when somebody asks, so that a vocabulary of 150 000
/// strings costs nothing to those who do not.
struct GGUFEntry {
    /// The type of the value, or of each element.
    var type: GGUFValueType
    /// Whether it is an array; one value otherwise.
    var isArray: Bool
    /// Values; 1 unless it is an array.
    var count: Int
    /// Offset in the file of the first value.
    var offset: Int

    /// Reads an entry's type and steps over its value, which is thereby known to be inside the file.
    init(_ cursor: inout GGUFCursor, key: String) throws(VoiceError) {
        type = try Self.type(&cursor, key: key)
        isArray = type == .array
        count = 1
        if isArray {
            type = try Self.type(&cursor, key: key)
            // Arrays of arrays are in the format's text, but ggml reads none either (gguf.cpp, 0c1e57098).
            guard type != .array else { throw cursor.malformed("'\(key)' is an array of arrays") }
            count = try cursor.count("the length of '\(key)'", minimumBytes: type.size ?? MemoryLayout<UInt64>.size)
        }
        offset = cursor.offset
        if let size = type.size {
            try cursor.skip(count, of: size, "'\(key)'")
        } else {
            for _ in 0..<count { _ = try cursor.stringRange("'\(key)'") }
        }
    }

    private static func type(_ cursor: inout GGUFCursor, key: String) throws(VoiceError) -> GGUFValueType {
        let raw: UInt32 = try cursor.number("the type of '\(key)'")
        guard let type = GGUFValueType(rawValue: raw) else {
            throw cursor.malformed("'\(key)' has the unknown type \(raw)")
        }
        return type
    }

    /// A short description for messages: `string`, `array of 3 float32`.
    var summary: String { isArray ? "array of \(count) \(type)" : "\(type)" }
}
