internal import COpus
package import VoiceCore

/// Encodes mono speech as Opus (RFC 6716), with libopus.
///
/// One task at a time. Encoding allocates one packet and nothing else.
package struct OpusEncoder: ~Copyable, Sendable {
    /// How to encode.
    package struct Settings: Sendable, Equatable {
        /// Bits per second, 6000 to 510 000; 24 000 to 32 000 is full-band speech without audible loss (RFC 7587 section 3.1.1).
        package var bitRate = 32_000
        /// How much work to do, 0 to 10.
        package var complexity = 5
        /// The share of packets that is expected to be lost, 0 to 1; above 0 packets carry what was in the one before.
        package var expectedLoss = 0.05
        /// Send next to nothing in silence (DTX). The other side then makes the noise.
        package var isSilentInSilence = false
        /// Code without the part of Opus that models a voice (CELT alone, RFC 6716 section 2): the sound is late by 2.5 ms instead
        /// of 6.5, for a third of the work, and as good with a quarter more bits (`docs/log.md`). Packets then carry nothing of the
        /// one before, whatever the loss.
        package var isLowDelay = false

        /// Settings for speech over the Internet.
        package init() {}
    }

    /// The rates that Opus takes.
    package static let rates = [8_000, 12_000, 16_000, 24_000, 48_000]

    /// Samples per second of what is encoded.
    package let rate: SampleRate
    /// Samples that ``encode(_:)`` takes: 10 or 20 ms.
    package let frameLength: Int

    private let owner: Owner
    private var state: OpaquePointer { owner.state }
    private var isLowDelay: Bool

    /// Makes an encoder.
    ///
    /// - Parameters:
    ///   - rate: 8, 12, 16, 24 or 48 kHz.
    ///   - frame: 10 or 20 ms.
    /// - Throws: `usage` when a parameter is none of these, `exhausted` without memory.
    package init(
        rate: SampleRate = .wideband,
        frame: Duration = .milliseconds(20),
        settings: Settings = Settings()
    ) throws(VoiceError) {
        guard Self.rates.contains(rate.hertz), frame == .milliseconds(10) || frame == .milliseconds(20) else {
            throw VoiceError(.usage, "Opus encodes 10 or 20 ms at 8, 12, 16, 24 or 48 kHz, not \(frame) at \(rate)")
        }
        var status: Int32 = 0
        let application = Self.application(settings)
        guard let state = opus_encoder_create(Int32(rate.hertz), 1, application, &status) else {
            throw VoiceError(.exhausted, "no Opus encoder can be made: \(OpusError.words(status))")
        }
        let owner = Owner(state)
        try Self.set(OPUS_SET_SIGNAL_REQUEST, OPUS_SIGNAL_VOICE, "signal", of: state)
        try Self.apply(settings, to: state)
        self.owner = owner
        isLowDelay = settings.isLowDelay
        self.rate = rate
        frameLength = rate.samples(in: frame)
    }

    /// Changes how to encode, from the next frame on. Another ``Settings/isLowDelay`` makes it forget the sound so far, which is best done
    /// where nothing is heard.
    ///
    /// - Throws: `usage` when a setting is outside its range.
    package mutating func apply(_ settings: Settings) throws(VoiceError) {
        try Self.apply(settings, to: state)
        guard settings.isLowDelay != isLowDelay else { return }
        // libopus lets it be changed before the first frame only.
        guard copus_encoder_reset(state) == OPUS_OK else { throw VoiceError(.fault, "libopus cannot begin anew") }
        try Self.set(OPUS_SET_APPLICATION_REQUEST, Self.application(settings), "application", of: state)
        isLowDelay = settings.isLowDelay
    }

    private static func application(_ settings: Settings) -> Int32 {
        settings.isLowDelay ? OPUS_APPLICATION_RESTRICTED_LOWDELAY : OPUS_APPLICATION_VOIP
    }

    private static func apply(_ settings: Settings, to state: OpaquePointer) throws(VoiceError) {
        guard (0...1).contains(settings.expectedLoss) else {
            throw VoiceError(.usage, "a share of lost packets is 0 to 1, not \(settings.expectedLoss)")
        }
        try set(OPUS_SET_BITRATE_REQUEST, Int32(clamping: settings.bitRate), "bit rate", of: state)
        try set(OPUS_SET_COMPLEXITY_REQUEST, Int32(clamping: settings.complexity), "complexity", of: state)
        try set(OPUS_SET_INBAND_FEC_REQUEST, settings.expectedLoss > 0 ? 1 : 0, "forward error correction", of: state)
        try set(
            OPUS_SET_PACKET_LOSS_PERC_REQUEST,
            Int32((settings.expectedLoss * 100).rounded(.up)),
            "expected loss",
            of: state
        )
        try set(OPUS_SET_DTX_REQUEST, settings.isSilentInSilence ? 1 : 0, "DTX", of: state)
    }

    /// The coded sound is late by so many samples.
    package var lookahead: Int {
        var samples: Int32 = 0
        return copus_encoder_get(state, OPUS_GET_LOOKAHEAD_REQUEST, &samples) == OPUS_OK ? Int(samples) : 0
    }

    /// Encodes the next frame.
    ///
    /// - Parameter samples: ``frameLength`` of them, in [-1, 1]; others are clipped, and what is no number is silence.
    /// - Returns: a packet; one or two bytes need not be sent.
    /// - Throws: `usage` for another number of samples, `fault` when libopus fails.
    package mutating func encode(_ samples: [Float]) throws(VoiceError) -> [UInt8] {
        guard samples.count == frameLength else {
            throw VoiceError(.usage, "\(samples.count) samples to encode, where a frame has \(frameLength)")
        }
        let clipped = samples.map { $0.isNaN ? 0 : max(-1, min(1, $0)) }
        var written: Int32 = 0
        let packet = [UInt8](unsafeUninitializedCapacity: OpusPacket.maximumLength) { buffer, count in
            guard let start = buffer.baseAddress else { return }
            // The buffer has as much room as is said; libopus writes no more.
            written = opus_encode_float(
                state,
                clipped,
                Int32(frameLength),
                start,
                Int32(OpusPacket.maximumLength)
            )
            count = max(0, Int(written))
        }
        guard written > 0 else { throw VoiceError(.fault, "libopus cannot encode: \(OpusError.words(written))") }
        return packet
    }

    /// Forgets the sound so far.
    package mutating func reset() { _ = copus_encoder_reset(state) }

    private static func set(
        _ request: Int32,
        _ value: Int32,
        _ name: String,
        of state: OpaquePointer
    ) throws(VoiceError) {
        guard copus_encoder_set(state, request, value) == OPUS_OK else {
            throw VoiceError(.usage, "\(value) is no \(name) that Opus can have")
        }
    }

    /// Owns libopus's state, which only the one encoder that made it touches.
    private final class Owner: @unchecked Sendable {
        let state: OpaquePointer
        init(_ state: OpaquePointer) { self.state = state }
        deinit { opus_encoder_destroy(state) }
    }
}
