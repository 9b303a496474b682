package import VoiceCore

/// The canonical 44-byte header of 16-bit linear PCM (RIFF WAVE specification 1.0).
package enum WAVHeader {
    /// Its length.
    package static let byteCount = 44

    /// The size of a writer that cannot go back: what follows reaches to the end of the file.
    private static let unknown = Int(UInt32.max)

    /// Makes a header.
    /// - Parameters:
    ///   - frames: samples per channel that follow; nil when nobody knows yet, as in a stream.
    ///   - rate: samples per second of each channel.
    ///   - channels: how many there are, interleaved.
    package static func bytes(frames: Int?, rate: SampleRate, channels: Int = 1) -> [UInt8] {
        let frameBytes = channels * 2
        let dataBytes = frames.map { $0 * frameBytes } ?? unknown
        func number(_ value: Int, bytes count: Int) -> [UInt8] {
            (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
        }
        var bytes = Array("RIFF".utf8)
        bytes += number(min(unknown, byteCount - 8 + dataBytes), bytes: 4)
        bytes += Array("WAVEfmt ".utf8) + number(16, bytes: 4)
        bytes += number(1, bytes: 2) + number(channels, bytes: 2) + number(rate.hertz, bytes: 4)
        bytes += number(rate.hertz * frameBytes, bytes: 4) + number(frameBytes, bytes: 2) + number(16, bytes: 2)
        return bytes + Array("data".utf8) + number(dataBytes, bytes: 4)
    }
}
