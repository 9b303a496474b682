internal import VoiceCore

extension GGUFFile {
    /// `GGUF` in ASCII, read as a little-endian number.
    private static let magic: UInt32 = 0x4655_4747
    private static let versions: ClosedRange<UInt32> = 2...3
    private static let alignmentKey = "general.alignment"
    private static let defaultAlignment = 32
    /// A larger one would only serve to overflow sums.
    private static let maximumAlignment = 1 << 20
    /// ggml keeps names in arrays of 64 bytes with a final zero (`GGML_MAX_NAME`).
    private static let maximumNameLength = 63

    /// Reads the header, the metadata and the table of tensors; nothing is believed that was not compared with the
    /// size of the file.
    static func parse(
        _ cursor: inout GGUFCursor
    ) throws(VoiceError) -> (entries: [String: GGUFEntry], tensors: [GGUFTensor]) {
        let found: UInt32 = try cursor.number("the header")
        guard found == magic else { throw cursor.malformed("it does not begin with 'GGUF'") }
        let version: UInt32 = try cursor.number("the header")
        guard versions.contains(version) else {
            let order = versions.contains(version.byteSwapped) ? "big-endian" : "of version \(version)"
            throw cursor.malformed("it is \(order); versions 2 and 3, little-endian, are read")
        }
        // The least a tensor takes: name length, dimension count, type, offset. A value: name length, type, one byte.
        let tensorCount = try cursor.count("the number of tensors", minimumBytes: 8 + 4 + 4 + 8)
        let entryCount = try cursor.count("the number of metadata values", minimumBytes: 8 + 4 + 1)
        var entries: [String: GGUFEntry] = [:]
        for _ in 0..<entryCount {
            let key = try cursor.string("a metadata key")
            let entry = try GGUFEntry(&cursor, key: key)
            guard entries.updateValue(entry, forKey: key) == nil else {
                throw cursor.malformed("'\(key)' is there twice")
            }
        }
        let alignment = try alignment(entries[alignmentKey], cursor)
        var tensors: [GGUFTensor] = []
        for _ in 0..<tensorCount { tensors.append(try tensor(&cursor, alignment: alignment)) }
        return (entries, try place(tensors, after: cursor, alignment: alignment))
    }

    private static func alignment(_ entry: GGUFEntry?, _ cursor: GGUFCursor) throws(VoiceError) -> Int {
        guard let entry else { return defaultAlignment }
        guard entry.type == .uint32, !entry.isArray else {
            throw cursor.malformed("'\(alignmentKey)' is \(entry.summary), not uint32")
        }
        var value = cursor
        value.offset = entry.offset
        let alignment = Int(try value.number("'\(alignmentKey)'", as: UInt32.self))
        guard alignment.nonzeroBitCount == 1, alignment <= maximumAlignment else {
            throw cursor.malformed("'\(alignmentKey)' is \(alignment), not a power of two up to \(maximumAlignment)")
        }
        return alignment
    }

    /// Reads one row of the table; the offset is still counted from the start of the tensors' data.
    private static func tensor(_ cursor: inout GGUFCursor, alignment: Int) throws(VoiceError) -> GGUFTensor {
        let name = try cursor.string("a tensor's name")
        guard name.utf8.count <= maximumNameLength else {
            throw cursor.malformed("the tensor name '\(name.prefix(80))' has more than \(maximumNameLength) bytes")
        }
        let rank: UInt32 = try cursor.number("tensor '\(name)'")
        guard rank <= 4 else { throw cursor.malformed("tensor '\(name)' has \(rank) dimensions, more than 4") }
        var dimensions: [Int] = []
        for _ in 0..<rank {
            let count: UInt64 = try cursor.number("tensor '\(name)'")
            dimensions.append(Int(clamping: count))
        }
        let rawType: UInt32 = try cursor.number("tensor '\(name)'")
        guard let type = ElementType(rawValue: rawType) else {
            throw cursor.malformed("tensor '\(name)' has the unknown element type \(rawType)")
        }
        let shape = Shape(dimensions)
        guard let elements = shape.checkedCount, shape[0] % type.blockSize == 0 else {
            throw cursor.malformed("tensor '\(name)' cannot have \(dimensions) elements of \(type)")
        }
        let (bytes, overflow) = (elements / type.blockSize).multipliedReportingOverflow(by: type.blockBytes)
        let offset: UInt64 = try cursor.number("tensor '\(name)'")
        guard !overflow, bytes <= cursor.bytes.count, offset <= UInt64(cursor.bytes.count) else {
            throw cursor.malformed("tensor '\(name)' \(shape) of \(type) lies outside its \(cursor.bytes.count) bytes")
        }
        guard Int(offset) % alignment == 0 else {
            throw cursor.malformed("tensor '\(name)' lies at \(offset), not a multiple of \(alignment)")
        }
        return GGUFTensor(name: name, shape: shape, type: type, offset: Int(offset), byteCount: bytes)
    }

    /// Counts the tensors' offsets from the start of the file and checks that each lies inside it, over no other.
    private static func place(
        _ tensors: [GGUFTensor],
        after cursor: GGUFCursor,
        alignment: Int
    ) throws(VoiceError) -> [GGUFTensor] {
        let start = (cursor.offset + alignment - 1) / alignment * alignment
        let placed = tensors.map {
            GGUFTensor(
                name: $0.name,
                shape: $0.shape,
                type: $0.type,
                offset: start + $0.offset,
                byteCount: $0.byteCount
            )
        }
        var end = start
        for tensor in placed.sorted(by: { $0.offset < $1.offset }) {
            guard tensor.offset >= end else { throw cursor.malformed("tensor '\(tensor.name)' overlaps another one") }
            end = tensor.offset + tensor.byteCount
            guard end <= cursor.bytes.count else {
                throw cursor.malformed(
                    "it has \(cursor.bytes.count) bytes, but tensor '\(tensor.name)' ends at byte \(end)"
                )
            }
        }
        return placed
    }
}
