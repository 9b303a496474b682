internal import Audio
#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif

/// Interleaved 16-bit sound of several channels.
enum PCM16Frames {
    /// The mean of all channels.
    ///
    /// - Parameters:
    ///   - bytes: little-endian samples, channel after channel; what is left of a last frame is ignored.
    ///   - channels: how many there are; positive.
    /// - Returns: mono samples in [-1, 1).
    static func mono(_ bytes: [UInt8], channels: Int) -> [Float] {
        let samples = PCM16.samples(bytes)
        guard channels > 1 else { return samples }
        return (0..<(samples.count / channels)).map { frame in
            samples[(frame * channels)..<((frame + 1) * channels)].reduce(0, +) / Float(channels)
        }
    }

    /// Mono samples as little-endian 16-bit values.
    static func data(_ samples: [Float]) -> Data { Data(PCM16.bytes(samples)) }
}
