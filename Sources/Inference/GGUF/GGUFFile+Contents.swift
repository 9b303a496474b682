internal import CLlama
package import VoiceCore

extension ElementType {
    /// Whether ggml can turn it into 32-bit floats.
    var isConvertible: Bool {
        self == .f32 || ggml_get_type_traits(ggml_type(rawValue)).pointee.to_float != nil
    }
}

extension GGUFFile {
    /// A tensor's elements as 32-bit floats, dequantised where necessary, in the order of the file (first dimension
    /// fastest).
    /// - Throws: ``VoiceError/Code/malformedInput`` when they are not real numbers.
    package func floats(of tensor: GGUFTensor) throws(VoiceError) -> [Float] {
        guard tensor.type.isConvertible else {
            throw unsuitable("tensor '\(tensor.name)' holds \(tensor.type), not real numbers")
        }
        return withBytes(of: tensor) { bytes in
            [Float](unsafeUninitializedCapacity: tensor.shape.count) { destination, count in
                if let convert = ggml_get_type_traits(ggml_type(tensor.type.rawValue)).pointee.to_float,
                    tensor.type != .f32
                {
                    // The source has `byteCount` bytes, which is exactly what `count` elements of the type take.
                    convert(bytes.baseAddress, destination.baseAddress, Int64(tensor.shape.count))
                } else {
                    UnsafeMutableRawBufferPointer(destination).copyMemory(from: bytes)
                }
                count = tensor.shape.count
            }
        }
    }

    /// A tensor's elements as 32-bit integers.
    /// - Throws: ``VoiceError/Code/malformedInput`` when it does not hold I32.
    package func ints(of tensor: GGUFTensor) throws(VoiceError) -> [Int32] {
        guard tensor.type == .i32 else {
            throw unsuitable("tensor '\(tensor.name)' holds \(tensor.type), not I32")
        }
        return withBytes(of: tensor) { bytes in
            (0..<tensor.shape.count).map { bytes.loadUnaligned(fromByteOffset: $0 * 4, as: Int32.self) }
        }
    }

    /// A tensor's elements as 8-bit integers; those of models that keep the factors in another tensor.
    /// - Throws: ``VoiceError/Code/malformedInput`` when it does not hold I8.
    package func int8s(of tensor: GGUFTensor) throws(VoiceError) -> [Int8] {
        guard tensor.type == .i8 else {
            throw unsuitable("tensor '\(tensor.name)' holds \(tensor.type), not I8")
        }
        return withBytes(of: tensor) { bytes in bytes.map { Int8(bitPattern: $0) } }
    }

    /// Copies a tensor's contents to a device, converted to `type`; `destination` has that type and the same shape.
    func upload(
        _ tensor: GGUFTensor,
        to destination: UnsafeMutablePointer<ggml_tensor>,
        as type: ElementType
    ) throws(VoiceError) {
        guard type != tensor.type else {
            withBytes(of: tensor) { ggml_backend_tensor_set(destination, $0.baseAddress, 0, $0.count) }
            return
        }
        let values = try floats(of: tensor)
        guard type != .f32 else {
            values.withUnsafeBytes { ggml_backend_tensor_set(destination, $0.baseAddress, 0, $0.count) }
            return
        }
        let bytes = Self.stored(values, rowLength: tensor.shape[0], as: type)
        bytes.withUnsafeBytes { ggml_backend_tensor_set(destination, $0.baseAddress, 0, $0.count) }
    }

    /// A tensor's elements as blocks of Q8_0, rounded unless they are that already. Rows are whole blocks.
    func eightBitBlocks(of tensor: GGUFTensor) throws(VoiceError) -> [UInt8] {
        guard tensor.type != .q8_0 else { return withBytes(of: tensor) { [UInt8]($0) } }
        return Self.stored(try floats(of: tensor), rowLength: tensor.shape[0], as: .q8_0)
    }

    /// Values as a type that they can become; rows are whole blocks of it.
    static func stored(_ values: [Float], rowLength: Int, as type: ElementType) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: values.count / type.blockSize * type.blockBytes)
        values.withUnsafeBufferPointer { values in
            bytes.withUnsafeMutableBytes { bytes in
                // There is room for all rows in `type`, and a row is a whole number of blocks.
                _ = ggml_quantize_chunk(
                    ggml_type(type.rawValue),
                    values.baseAddress,
                    bytes.baseAddress,
                    0,
                    Int64(values.count / rowLength),
                    Int64(rowLength),
                    nil
                )
            }
        }
        return bytes
    }
}
