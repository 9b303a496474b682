package import VoiceCore

/// A model file in the GGUF format (versions 2 and 3, little-endian), mapped into memory.
///
/// Opening it checks every count, length, type, dimension and offset against the size of the file, in Swift and before
/// ggml sees a byte, because ggml answers some malformed files by ending the process. What opens is safe to hand on.
/// Source of the layout: ggml's `docs/gguf.md`; limits as in `gguf.cpp`, llama.cpp 0c1e57098.
package struct GGUFFile: Sendable {
    /// The path it was opened by; every message names it.
    package var path: String { file.path }
    /// The size of the file in bytes.
    package var byteCount: Int { file.count }
    /// All tensors in the order of the file.
    package let tensors: [GGUFTensor]

    let file: MappedFile
    private let entries: [String: GGUFEntry]
    private let tensorIndex: [String: Int]

    /// Opens and checks a file. Takes milliseconds; the tensors' bytes are not touched.
    /// - Throws: ``VoiceError/Code/missingInput`` when there is no such file, ``VoiceError/Code/malformedInput`` when
    ///   it is not a GGUF file or damaged.
    package init(path: String) throws(VoiceError) {
        file = try MappedFile(path: path)
        (entries, tensors) = try file.withBytes { bytes throws(VoiceError) in
            var cursor = GGUFCursor(bytes, path: path)
            return try Self.parse(&cursor)
        }
        var index: [String: Int] = [:]
        for (position, tensor) in tensors.enumerated() {
            guard index.updateValue(position, forKey: tensor.name) == nil else {
                throw GGUFCursor.malformed(path, "it has two tensors named '\(tensor.name)'")
            }
        }
        tensorIndex = index
    }

    /// A tensor that must exist.
    /// - Parameters:
    ///   - name: its name.
    ///   - shape: the shape it must have; trailing ones do not matter. nil accepts any.
    ///   - types: the element types it may have; nil accepts any.
    /// - Throws: ``VoiceError/Code/malformedInput`` naming the file and the tensor.
    package func tensor(
        named name: String,
        shape: Shape? = nil,
        types: Set<ElementType>? = nil
    ) throws(VoiceError) -> GGUFTensor {
        guard let index = tensorIndex[name] else { throw unsuitable("it has no tensor '\(name)'") }
        let tensor = tensors[index]
        if let shape, shape != tensor.shape {
            throw unsuitable("tensor '\(name)' has shape \(tensor.shape), not \(shape)")
        }
        if let types, !types.contains(tensor.type) {
            let wanted = types.map(\.description).sorted().joined(separator: " or ")
            throw unsuitable("tensor '\(name)' holds \(tensor.type), not \(wanted)")
        }
        return tensor
    }

    /// Whether there is a tensor of this name.
    package func hasTensor(named name: String) -> Bool { tensorIndex[name] != nil }

    /// Whether there is a metadata value of this name.
    package func has(_ key: String) -> Bool { entries[key] != nil }

    /// The metadata keys, sorted.
    package var keys: [String] { entries.keys.sorted() }

    /// The failure for a well-formed file that is not what the caller needs.
    package func unsuitable(_ what: String) -> VoiceError {
        VoiceError(.malformedInput, "\(path) is not a model this engine can use: \(what). Choose another file.")
    }

    /// The entry under `key`, checked by `accepts`.
    func entry(
        _ key: String,
        isArray: Bool,
        wanted: String,
        accepts: (GGUFValueType) -> Bool
    ) throws(VoiceError) -> GGUFEntry {
        guard let entry = entries[key] else { throw unsuitable("it has no '\(key)'") }
        guard entry.isArray == isArray, accepts(entry.type) else {
            throw unsuitable("'\(key)' is \(entry.summary), not \(wanted)")
        }
        return entry
    }

    /// Calls `body` with the bytes of a tensor of this file.
    func withBytes<Result, Failure: Error>(
        of tensor: GGUFTensor,
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try file.withBytes { bytes throws(Failure) in
            // In bounds: `parse` has checked offset and size of every tensor.
            try body(UnsafeRawBufferPointer(rebasing: bytes[tensor.offset..<(tensor.offset + tensor.byteCount)]))
        }
    }
}
