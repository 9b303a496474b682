package import VoiceCore

/// Writes mono speech as an Ogg Opus stream (RFC 7845), page by page, for whoever reads while it is written.
///
/// ``begin()`` once, then ``feed(_:)`` any number of times, then ``finish()``; what they return, joined, is the stream. Each
/// page leaves with the sound that fills its packets, so nothing waits for a page to become full.
package struct OggOpusWriter: ~Copyable, Sendable {
    /// Opus counts in samples of 48 kHz, whatever it codes (RFC 7845 section 4).
    private static let granuleRate = SampleRate.wideband
    /// Packets of a page: a second, as RFC 7845 section 4 advises at most; their lacing values fit.
    private static let packetsPerPage = 50

    private var encoder: OpusEncoder
    private let serial: UInt32
    private var sequence: UInt32 = 0
    /// Samples fed, and samples encoded.
    private var fedCount = 0
    private var encodedCount = 0
    /// What waits for a whole packet.
    private var rest: [Float] = []

    /// Makes a writer.
    /// - Parameters:
    ///   - rate: of what is fed; 8, 12, 16, 24 or 48 kHz.
    ///   - serial: the stream's number; any, and another one for each stream of a file.
    ///   - bitRate: bits per second, 6000 to 510 000.
    /// - Throws: `usage` for another rate or bit rate, `exhausted` without memory.
    package init(rate: SampleRate, serial: UInt32, bitRate: Int = 32_000) throws(VoiceError) {
        var settings = OpusEncoder.Settings()
        settings.bitRate = bitRate
        // What goes over TCP is not lost.
        settings.expectedLoss = 0
        encoder = try OpusEncoder(rate: rate, settings: settings)
        self.serial = serial
    }

    /// The stream's head: what it is, and who made it (RFC 7845 section 5).
    package mutating func begin() -> [UInt8] {
        var head = Array("OpusHead".utf8)
        head += [1, 1]  // version, channels
        OggPage.append(lateness, bytes: 2, to: &head)
        OggPage.append(encoder.rate.hertz, bytes: 4, to: &head)
        head += [0, 0, 0]  // no gain, the mapping of one channel
        var tags = Array("OpusTags".utf8)
        let vendor = Array("repartee".utf8)
        OggPage.append(vendor.count, bytes: 4, to: &tags)
        tags += vendor
        OggPage.append(0, bytes: 4, to: &tags)
        return page([head], granule: 0) + page([tags], granule: 0)
    }

    /// Takes the next samples.
    /// - Parameter samples: mono, in [-1, 1], any count.
    /// - Returns: the pages that are complete; often none for less than 20 ms.
    /// - Throws: `fault` when libopus fails.
    package mutating func feed(_ samples: [Float]) throws(VoiceError) -> [UInt8] {
        fedCount += samples.count
        rest += samples
        return try pages(isLast: false)
    }

    /// Ends the stream; its length is that of what was fed.
    /// - Throws: `fault` when libopus fails.
    package mutating func finish() throws(VoiceError) -> [UInt8] {
        // The last sound is still in the encoder, which is late.
        let missing = fedCount + encoder.lookahead - encodedCount
        let length = (missing + encoder.frameLength - 1) / encoder.frameLength * encoder.frameLength
        rest += [Float](repeating: 0, count: max(encoder.frameLength, length) - rest.count)
        return try pages(isLast: true)
    }

    /// By how much the coded sound is late, at 48 kHz.
    private var lateness: Int { granules(encoder.lookahead) }

    private func granules(_ samples: Int) -> Int { samples * (Self.granuleRate.hertz / encoder.rate.hertz) }

    private mutating func pages(isLast: Bool) throws(VoiceError) -> [UInt8] {
        var bytes: [UInt8] = []
        var packets: [[UInt8]] = []
        var start = 0
        while rest.count - start >= encoder.frameLength {
            packets.append(try encoder.encode(Array(rest[start..<start + encoder.frameLength])))
            start += encoder.frameLength
            encodedCount += encoder.frameLength
            let isComplete = rest.count - start < encoder.frameLength
            let lacings = packets.reduce(0) { $0 + OggPage.lacings(of: $1) }
            // Another packet might not fit: it has 1275 bytes at most (RFC 6716 section 3.4).
            guard isComplete || packets.count == Self.packetsPerPage || lacings > OggPage.longest - 6 else { continue }
            let isEnd = isLast && isComplete
            // The end says where the sound ends, which is before the end of the last packet (RFC 7845 section 4.4).
            bytes += page(
                packets,
                granule: isEnd ? lateness + granules(fedCount) : granules(encodedCount),
                isLast: isEnd
            )
            packets = []
        }
        rest.removeFirst(start)
        return bytes
    }

    private mutating func page(_ packets: [[UInt8]], granule: Int, isLast: Bool = false) -> [UInt8] {
        defer { sequence += 1 }
        let page = OggPage(packets: packets, granule: granule, serial: serial, sequence: sequence, isLast: isLast)
        return page.bytes
    }
}
