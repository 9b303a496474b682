package import VoiceCore

extension GGUFFile {
    /// A text value.
    /// - Throws: ``VoiceError/Code/malformedInput`` when it is absent or not text.
    package func string(_ key: String) throws(VoiceError) -> String {
        let entry = try entry(key, isArray: false, wanted: "a string") { $0 == .string }
        return try values(of: entry, key: key) { cursor throws(VoiceError) in try cursor.string("'\(key)'") }[0]
    }

    /// An integer value of any width.
    /// - Throws: ``VoiceError/Code/malformedInput`` when it is absent, not an integer or beyond 63 bits.
    package func int(_ key: String) throws(VoiceError) -> Int {
        try integers(key, isArray: false, wanted: "an integer")[0]
    }

    /// A floating-point value of either width, rounded to 32 bits.
    /// - Throws: ``VoiceError/Code/malformedInput`` when it is absent or not a floating-point number.
    package func float(_ key: String) throws(VoiceError) -> Float {
        try reals(key, isArray: false, wanted: "a floating-point number")[0]
    }

    /// A truth value.
    /// - Throws: ``VoiceError/Code/malformedInput`` when it is absent or not a truth value.
    package func bool(_ key: String) throws(VoiceError) -> Bool {
        let entry = try entry(key, isArray: false, wanted: "a truth value") { $0 == .bool }
        return try values(of: entry, key: key) { cursor throws(VoiceError) in
            try cursor.number("'\(key)'", as: UInt8.self) != 0
        }[0]
    }

    /// An array of texts.
    /// - Throws: ``VoiceError/Code/malformedInput`` when it is absent, something else or not UTF-8.
    package func strings(_ key: String) throws(VoiceError) -> [String] {
        let entry = try entry(key, isArray: true, wanted: "an array of strings") { $0 == .string }
        return try values(of: entry, key: key) { cursor throws(VoiceError) in try cursor.string("'\(key)'") }
    }

    /// An array of integers of any width.
    /// - Throws: ``VoiceError/Code/malformedInput`` when it is absent, something else or beyond 63 bits.
    package func ints(_ key: String) throws(VoiceError) -> [Int] {
        try integers(key, isArray: true, wanted: "an array of integers")
    }

    /// An array of floating-point numbers of either width, rounded to 32 bits.
    /// - Throws: ``VoiceError/Code/malformedInput`` when it is absent or something else.
    package func floats(_ key: String) throws(VoiceError) -> [Float] {
        try reals(key, isArray: true, wanted: "an array of floating-point numbers")
    }

    private func integers(_ key: String, isArray: Bool, wanted: String) throws(VoiceError) -> [Int] {
        let entry = try entry(key, isArray: isArray, wanted: wanted, accepts: \.isInteger)
        let name = "'\(key)'"
        return try values(of: entry, key: key) { cursor throws(VoiceError) in
            switch entry.type {
            case .uint8: Int(try cursor.number(name, as: UInt8.self))
            case .int8: Int(try cursor.number(name, as: Int8.self))
            case .uint16: Int(try cursor.number(name, as: UInt16.self))
            case .int16: Int(try cursor.number(name, as: Int16.self))
            case .uint32: Int(try cursor.number(name, as: UInt32.self))
            case .int32: Int(try cursor.number(name, as: Int32.self))
            case .int64: Int(try cursor.number(name, as: Int64.self))
            default: try narrow(try cursor.number(name, as: UInt64.self), key)
            }
        }
    }

    private func narrow(_ value: UInt64, _ key: String) throws(VoiceError) -> Int {
        guard let value = Int(exactly: value) else { throw unsuitable("'\(key)' is \(value), beyond 63 bits") }
        return value
    }

    private func reals(_ key: String, isArray: Bool, wanted: String) throws(VoiceError) -> [Float] {
        let entry = try entry(key, isArray: isArray, wanted: wanted, accepts: \.isFloat)
        return try values(of: entry, key: key) { cursor throws(VoiceError) in
            if entry.type == .float32 { return Float(bitPattern: try cursor.number("'\(key)'")) }
            return Float(Double(bitPattern: try cursor.number("'\(key)'")))
        }
    }

    private func values<Value>(
        of entry: GGUFEntry,
        key: String,
        _ next: (inout GGUFCursor) throws(VoiceError) -> Value
    ) throws(VoiceError) -> [Value] {
        try file.withBytes { bytes throws(VoiceError) in
            var cursor = GGUFCursor(bytes, path: path, at: entry.offset)
            var values: [Value] = []
            values.reserveCapacity(entry.count)
            for _ in 0..<entry.count { values.append(try next(&cursor)) }
            return values
        }
    }
}
