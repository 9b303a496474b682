internal import COpus
package import VoiceCore

/// Decodes Opus (RFC 6716) to mono samples, with libopus; what was lost it recovers from the packet behind, or makes up.
///
/// One task at a time. Packets in order: a decoder remembers the sound so far.
package struct OpusDecoder: ~Copyable, Sendable {
    /// Samples per second of what comes out, whatever was encoded.
    package let rate: SampleRate

    private let owner: Owner
    private var state: OpaquePointer { owner.state }

    /// Makes a decoder.
    ///
    /// - Parameter rate: 8, 12, 16, 24 or 48 kHz.
    /// - Throws: `usage` for another rate, `exhausted` without memory.
    package init(rate: SampleRate) throws(VoiceError) {
        guard OpusEncoder.rates.contains(rate.hertz) else {
            throw VoiceError(.usage, "Opus decodes at 8, 12, 16, 24 or 48 kHz, not at \(rate)")
        }
        var status: Int32 = 0
        guard let state = opus_decoder_create(Int32(rate.hertz), 1, &status) else {
            throw VoiceError(.exhausted, "no Opus decoder can be made: \(OpusError.words(status))")
        }
        self.rate = rate
        owner = Owner(state)
    }

    /// Decodes the next packet.
    ///
    /// - Returns: mono samples, mostly in [-1, 1]; 2.5 to 120 ms.
    /// - Throws: `malformedInput` when the bytes are no Opus packet; the decoder is as before.
    package mutating func decode(_ packet: [UInt8]) throws(VoiceError) -> [Float] {
        let inspected = try OpusPacket(packet)
        return try run(packet, count: count(inspected.samples), isCorrection: false)
    }

    /// Decodes what was in a lost packet from the one behind it, before that itself is decoded. Without such in it the sound is
    /// made up.
    ///
    /// - Parameters:
    ///   - next: the packet behind the lost one.
    ///   - samples: how many were lost at 48 kHz, a multiple of 2.5 ms; at most 120 ms.
    /// - Throws: `malformedInput` when the bytes are no Opus packet, `usage` for an impossible length.
    package mutating func recover(_ samples: Int, from next: [UInt8]) throws(VoiceError) -> [Float] {
        _ = try OpusPacket(next)
        return try run(next, count: try checked(samples), isCorrection: true)
    }

    /// Makes up what was lost, from the sound before; it fades within some packets.
    ///
    /// - Parameter samples: how many at 48 kHz, a multiple of 2.5 ms; at most 120 ms.
    /// - Throws: `usage` for an impossible length.
    package mutating func conceal(_ samples: Int) throws(VoiceError) -> [Float] {
        try run([], count: try checked(samples), isCorrection: false)
    }

    /// Forgets the sound so far.
    package mutating func reset() { _ = copus_decoder_reset(state) }

    private func count(_ samples: Int) -> Int { samples * rate.hertz / OpusPacket.clock.hertz }

    private func checked(_ samples: Int) throws(VoiceError) -> Int {
        guard samples > 0, samples % 120 == 0, samples <= 5_760 else {
            throw VoiceError(.usage, "\(samples) samples at 48 kHz is no length that Opus can make up")
        }
        return count(samples)
    }

    private func run(_ packet: [UInt8], count: Int, isCorrection: Bool) throws(VoiceError) -> [Float] {
        var decoded: Int32 = 0
        let samples = [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
            guard let start = buffer.baseAddress else { return }
            // No bytes say that the packet was lost. The buffer has as much room as is said; libopus writes no more.
            decoded =
                packet.isEmpty
                ? opus_decode_float(state, nil, 0, start, Int32(count), 0)
                : opus_decode_float(state, packet, Int32(packet.count), start, Int32(count), isCorrection ? 1 : 0)
            initialized = max(0, Int(decoded))
        }
        guard decoded > 0 else {
            throw VoiceError(.malformedInput, "libopus cannot decode a packet: \(OpusError.words(decoded))")
        }
        return samples
    }

    /// Owns libopus's state, which only the one decoder that made it touches.
    private final class Owner: @unchecked Sendable {
        let state: OpaquePointer
        init(_ state: OpaquePointer) { self.state = state }
        deinit { opus_decoder_destroy(state) }
    }
}
