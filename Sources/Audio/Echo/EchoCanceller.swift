internal import CSpeexDSP
internal import VoiceCore

/// Takes out of the microphone what came from the loudspeaker: SpeexDSP's adaptive filter (Valin 2007, "On adjusting the
/// learning rate in frequency domain echo cancellation with double-talk").
///
/// 16 kHz mono. The filter is as long as ``tail``, so what it is given as the loudspeaker's signal must be delayed to within
/// that of the echo (``EchoDelay``): a filter for every possible delay would learn much more slowly. It learns while the
/// loudspeaker sounds: some 10 dB in the first second, 20 in five. One task at a time.
package struct EchoCanceller: Sendable {
    /// Samples that are taken at a time: 10 ms.
    package static let blockLength = 160
    /// The length of the echo that is taken out.
    package static let tail = Duration.milliseconds(128)

    private let filter: Filter

    /// Makes a canceller that knows nothing of the room; nil without memory for it.
    package init?() {
        guard let filter = Filter() else { return nil }
        self.filter = filter
    }

    /// Takes a block of the microphone and what was due at the loudspeaker shortly before its echo.
    ///
    /// - Parameters:
    ///   - microphone: ``blockLength`` samples in [-1, 1].
    ///   - loudspeaker: as many.
    /// - Returns: as many samples of the microphone without the echo, without delay.
    package func process(microphone: [Float], loudspeaker: [Float]) -> [Float] {
        precondition(microphone.count == Self.blockLength && loudspeaker.count == Self.blockLength)
        let (recorded, played) = (microphone.map(PCM16.quantize), loudspeaker.map(PCM16.quantize))
        let clean = [Int16](unsafeUninitializedCapacity: Self.blockLength) { buffer, count in
            speex_echo_cancellation(filter.state, recorded, played, buffer.baseAddress)
            count = Self.blockLength
        }
        return clean.map { Float($0) / 32_768 }
    }

    /// Owns the C library's state, which one task at a time touches.
    private final class Filter: @unchecked Sendable {
        let state: OpaquePointer

        init?() {
            let taps = SampleRate.speech.samples(in: EchoCanceller.tail)
            guard let state = speex_echo_state_init(Int32(EchoCanceller.blockLength), Int32(taps)) else { return nil }
            self.state = state
            var rate = Int32(SampleRate.speech.hertz)
            speex_echo_ctl(state, SPEEX_ECHO_SET_SAMPLING_RATE, &rate)
        }

        deinit { speex_echo_state_destroy(state) }
    }
}
