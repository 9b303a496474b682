internal import Foundation
package import VoiceCore

/// A WAV file in memory: linear PCM of 8 to 32 bits, IEEE float, µ-law and A-law, plain or extensible headers.
package struct WAVFile: Sendable {
    /// Samples per second of each channel.
    package var rate: SampleRate
    /// One array per channel, all of one length; Float32, in [-1, 1] for integer codings.
    package var channels: [[Float]]
    /// True when the header promises more audio than the file has. What is there has been read.
    package var isTruncated: Bool

    /// Larger files are refused: decoding needs up to four times the size in memory.
    package static let maximumBytes = 1 << 30

    /// All channels averaged into one.
    package var mono: [Float] {
        guard channels.count > 1, var sum = channels.first else { return channels.first ?? [] }
        for channel in channels.dropFirst() {
            for index in sum.indices { sum[index] += channel[index] }
        }
        let gain = 1 / Float(channels.count)
        return sum.map { $0 * gain }
    }

    /// The file's length.
    package var duration: Duration { rate.duration(ofSamples: channels.first?.count ?? 0) }

    /// Reads the file at `path`.
    /// - Throws: `missingInput` when it cannot be read or is too large; `malformedInput` when it is empty, is no WAV file
    ///   (the message says what it looks like), has an unsupported codec or an absurd header.
    package static func read(path: String) throws(VoiceError) -> WAVFile {
        let url = URL(fileURLWithPath: path)
        let data: Data
        do {
            let values = try url.resourceValues(forKeys: [.isRegularFileKey, .fileSizeKey])
            guard values.isRegularFile == true else { throw VoiceError(.missingInput, "\(path) is not a regular file") }
            guard let size = values.fileSize, size <= maximumBytes else {
                throw VoiceError(.missingInput, "\(path) is larger than 1 GiB; cut it into shorter recordings")
            }
            data = try Data(contentsOf: url)
        } catch let error as VoiceError {
            throw error
        } catch {
            guard FileManager.default.fileExists(atPath: path) else {
                throw VoiceError(.missingInput, "\(path): no such file")
            }
            throw VoiceError(.missingInput, "\(path) cannot be read", cause: error)
        }
        return try WAVFile(bytes: [UInt8](data), name: path)
    }

    /// Decodes the bytes of a WAV file.
    /// - Parameters:
    ///   - bytes: the whole file.
    ///   - name: what to call it in messages.
    /// - Throws: `malformedInput`, as ``read(path:)``.
    package init(bytes: [UInt8], name: String) throws(VoiceError) {
        let layout = try WAVLayout(of: bytes.span.bytes, file: name)
        let format = layout.format
        let frameBytes = format.bytesPerSample * format.channels
        let frames = layout.data.count / frameBytes
        let raw = bytes.span.bytes.extracting(layout.data)
        rate = format.rate
        isTruncated = layout.isTruncated || layout.data.count % frameBytes != 0
        channels = []
        for channel in 0..<format.channels {
            channels.append(Self.decode(raw, frames: frames, channel: channel, of: format))
        }
    }

    private static func decode(_ raw: borrowing RawSpan, frames: Int, channel: Int, of format: WAVFormat) -> [Float] {
        var samples = [Float]()
        samples.reserveCapacity(frames)
        let stride = format.bytesPerSample * format.channels
        var offset = channel * format.bytesPerSample
        for _ in 0..<frames {
            samples.append(sample(in: raw, at: offset, coding: format.coding))
            offset += stride
        }
        return samples
    }

    @inline(__always)
    private static func sample(in raw: borrowing RawSpan, at offset: Int, coding: WAVFormat.Coding) -> Float {
        switch coding {
        case .integer(bits: 8): Float(Int(raw.byte(at: offset)) - 128) / 128
        case .integer(bits: 16): Float(Int16(bitPattern: raw.littleEndian16(at: offset))) / 32_768
        case .integer(bits: 24):
            Float(Int(Int8(bitPattern: raw.byte(at: offset + 2))) << 16 | Int(raw.littleEndian16(at: offset)))
                / 8_388_608
        case .integer: Float(Int32(bitPattern: raw.littleEndian32(at: offset))) / 2_147_483_648
        case .float(bits: 32): finite(Float(bitPattern: raw.littleEndian32(at: offset)))
        case .float: finite(Float(Double(bitPattern: raw.littleEndian64(at: offset))))
        case .muLaw: G711.muLaw(raw.byte(at: offset))
        case .aLaw: G711.aLaw(raw.byte(at: offset))
        }
    }

    /// NaN and infinities from damaged float files become silence.
    private static func finite(_ value: Float) -> Float { value.isFinite ? value : 0 }
}
