#if canImport(Darwin)
    internal import Darwin
#else
    internal import Glibc
#endif
package import VoiceCore

/// Writes a 16-bit PCM WAV file piece by piece.
///
/// The header's sizes are brought up to date about once per second of audio, so the file of a killed process can be
/// played up to then. ``finish()`` writes the exact sizes; without it, the writer's end does, but nobody hears of errors.
/// One owner; calls block for as long as the disk does.
package struct WAVWriter: ~Copyable {
    /// The path given.
    package let path: String
    /// Samples per second of each channel.
    package let rate: SampleRate
    /// 1 or 2.
    package let channels: Int
    /// Samples per channel written so far.
    package private(set) var frames = 0

    private let descriptor: Int32
    private var headerFrames = 0
    private var isOpen = true
    private var buffer: [UInt8] = []

    /// Creates the file, or empties the one that is there, and writes a header.
    /// - Parameter channels: 1 or 2.
    /// - Throws: `usage` when the file cannot be created; `exhausted` when the disk is full.
    package init(path: String, rate: SampleRate, channels: Int = 1) throws(VoiceError) {
        precondition((1...2).contains(channels), "mono or stereo")
        self.path = path
        self.rate = rate
        self.channels = channels
        descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            let reason = errno
            isOpen = false
            throw VoiceError(.usage, "cannot create \(path): \(Self.describe(reason))")
        }
        try Self.write(header(frames: 0), to: descriptor, at: 0, path: path)
    }

    deinit {
        guard isOpen else { return }
        try? Self.write(header(frames: frames), to: descriptor, at: 0, path: path)
        close(descriptor)
    }

    /// Appends samples of a mono file.
    /// - Parameter samples: in [-1, 1]; beyond that they saturate.
    /// - Throws: `exhausted` when the disk or the format (4 GiB) is full, `unavailable` when writing fails otherwise.
    package mutating func append(_ samples: [Float]) throws(VoiceError) {
        precondition(channels == 1, "a mono file")
        buffer.removeAll(keepingCapacity: true)
        PCM16.append(samples, to: &buffer)
        try appendBuffer(frames: samples.count)
    }

    /// Appends samples of a stereo file; the shorter side is padded with silence.
    /// - Throws: as ``append(_:)``.
    package mutating func append(left: [Float], right: [Float]) throws(VoiceError) {
        precondition(channels == 2, "a stereo file")
        let count = max(left.count, right.count)
        var interleaved = [Float](repeating: 0, count: 2 * count)
        for index in left.indices { interleaved[2 * index] = left[index] }
        for index in right.indices { interleaved[2 * index + 1] = right[index] }
        buffer.removeAll(keepingCapacity: true)
        PCM16.append(interleaved, to: &buffer)
        try appendBuffer(frames: count)
    }

    /// Writes the final sizes and closes the file.
    /// - Throws: as ``append(_:)``.
    package consuming func finish() throws(VoiceError) {
        try Self.write(header(frames: frames), to: descriptor, at: 0, path: path)
        isOpen = false
        guard close(descriptor) == 0 else { throw Self.failure(errno, path: path) }
    }

    private mutating func appendBuffer(frames count: Int) throws(VoiceError) {
        let offset = WAVHeader.byteCount + frames * channels * 2
        guard offset + buffer.count <= Int(UInt32.max) else {
            throw VoiceError(.exhausted, "\(path): a WAV file cannot hold more than 4 GiB")
        }
        try Self.write(buffer, to: descriptor, at: offset, path: path)
        frames += count
        guard frames - headerFrames >= rate.hertz else { return }
        try Self.write(header(frames: frames), to: descriptor, at: 0, path: path)
        headerFrames = frames
    }

    private func header(frames: Int) -> [UInt8] {
        WAVHeader.bytes(frames: frames, rate: rate, channels: channels)
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32, at offset: Int, path: String) throws(VoiceError) {
        var written = 0
        while written < bytes.count {
            // The pointer is used within the closure only, and `written` is below the count.
            let result = unsafe bytes.withUnsafeBytes { buffer -> Int in
                guard let start = buffer.baseAddress else { return 0 }
                return unsafe pwrite(descriptor, start + written, bytes.count - written, off_t(offset + written))
            }
            if result > 0 {
                written += result
            } else if result < 0, errno != EINTR {
                throw failure(errno, path: path)
            }
        }
    }

    private static func failure(_ reason: Int32, path: String) -> VoiceError {
        let isFull = reason == ENOSPC || reason == EDQUOT || reason == EFBIG
        return VoiceError(isFull ? .exhausted : .unavailable, "writing \(path) failed: \(describe(reason))")
    }

    private static func describe(_ reason: Int32) -> String {
        // strerror never returns null and its text is copied at once.
        unsafe String(cString: strerror(reason)).lowercased()
    }
}
