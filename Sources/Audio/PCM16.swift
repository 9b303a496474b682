/// Conversions between Float32 samples and signed 16-bit little-endian bytes.
///
/// Full scale is 32768 in both directions, so 16-bit audio survives a round trip unchanged. Float samples beyond
/// [-1, 1) saturate; NaN becomes silence.
package enum PCM16 {
    /// The 16-bit value nearest to `sample`.
    @inlinable
    package static func quantize(_ sample: Float) -> Int16 {
        let scaled = (sample * 32_768).rounded()
        guard scaled == scaled else { return 0 }
        return Int16(max(-32_768, min(32_767, scaled)))
    }

    /// Serialises mono samples in [-1, 1].
    /// - Returns: two bytes per sample, little-endian.
    package static func bytes(_ samples: [Float]) -> [UInt8] {
        var bytes = [UInt8]()
        bytes.reserveCapacity(samples.count * 2)
        append(samples, to: &bytes)
        return bytes
    }

    /// Appends the serialised `samples` to `bytes`.
    package static func append(_ samples: [Float], to bytes: inout [UInt8]) {
        for sample in samples {
            let bits = UInt16(bitPattern: quantize(sample))
            bytes.append(UInt8(truncatingIfNeeded: bits))
            bytes.append(UInt8(truncatingIfNeeded: bits >> 8))
        }
    }

    /// Reads little-endian 16-bit samples.
    /// - Parameter bytes: any count; an odd last byte is ignored.
    /// - Returns: mono samples in [-1, 1).
    package static func samples(_ bytes: [UInt8]) -> [Float] {
        let count = bytes.count / 2
        return [Float](unsafeUninitializedCapacity: count) { samples, initialized in
            let bytes = bytes.span
            for index in 0..<count {
                let bits = UInt16(bytes[2 * index]) | UInt16(bytes[2 * index + 1]) << 8
                samples[index] = Float(Int16(bitPattern: bits)) / 32_768
            }
            initialized = count
        }
    }
}
