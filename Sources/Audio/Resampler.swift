package import VoiceCore

/// Converts a stream of samples from one rate to another: polyphase, windowed sinc, linear phase.
///
/// Output sample n stands at time n / outputRate, as input sample m stands at m / inputRate: the filter's delay is taken
/// up by waiting, so time stamps need no correction. What remains is that an output sample comes out only when
/// ``lookahead`` input samples after its time have been fed; ``flush()`` brings out the rest. The output does not depend
/// on how the input is cut into chunks, bit for bit. Equal rates pass through untouched, with no lookahead.
///
/// Trade-off: the delay is 40 samples of the lower rate (2.5 ms between 16 and 48 kHz, 5 ms to or from 8 kHz). With a
/// 72 dB Kaiser window that buys a pass band flat to 0.01 dB up to 0.9 of the lower Nyquist frequency and full
/// attenuation from 1.012 of it on. Half the delay would move the pass band's edge to 0.78.
package struct Resampler: Sendable {
    /// The rate of what is fed.
    package let inputRate: SampleRate
    /// The rate of what comes out.
    package let outputRate: SampleRate
    /// Input samples beyond an output sample's time that must have been fed before it comes out.
    package var lookahead: Int { filter?.halfLength ?? 0 }
    /// ``lookahead`` as time: what the conversion adds to the latency of a live stream.
    package var delay: Duration { inputRate.duration(ofSamples: lookahead) }

    /// Nil when the rates are equal.
    private let filter: PolyphaseFilter?
    /// Reduced ratio: `up` output samples span the time of `down` input samples.
    private let up: Int
    private let down: Int
    /// The input that later output still needs, oldest first; starts with silence before the stream's first sample.
    private var history: [Float]
    /// Where the next output sample's window begins in `history`, and its fractional time in units of 1/up input samples.
    private var windowStart = 0
    private var phase = 0
    private var fedCount = 0
    private var emittedCount = 0

    /// Prepares a conversion; designs the filter (microseconds to a few milliseconds) unless the rates are usual and were met before.
    package init(from inputRate: SampleRate, to outputRate: SampleRate) {
        self.inputRate = inputRate
        self.outputRate = outputRate
        let divisor = greatestCommonDivisor(inputRate.hertz, outputRate.hertz)
        up = outputRate.hertz / divisor
        down = inputRate.hertz / divisor
        filter = up == down ? nil : PolyphaseFilter.between(inputRate, outputRate, up: up, down: down)
        history = Self.leadingSilence(of: filter)
    }

    /// Samples that have come out in all once `inputCount` samples of a stream have been fed, before ``flush()``.
    package func outputCount(afterFeeding inputCount: Int) -> Int {
        outputs(before: inputCount - lookahead)
    }

    /// Samples that a whole stream of `inputCount` samples becomes, ``flush()`` included: the time rounded up.
    package func outputCount(ofStream inputCount: Int) -> Int {
        outputs(before: inputCount)
    }

    /// Takes the next samples of the stream.
    /// - Parameter samples: mono, Float32, any count.
    /// - Returns: the samples at the output rate that can be computed now.
    package mutating func feed(_ samples: [Float]) -> [Float] {
        guard filter != nil else { return samples }
        history.append(contentsOf: samples)
        fedCount += samples.count
        return emit(upTo: outputCount(afterFeeding: fedCount))
    }

    /// Ends the stream as if silence followed, returns what is left, and starts afresh.
    package mutating func flush() -> [Float] {
        defer { reset() }
        history.append(contentsOf: repeatElement(0, count: lookahead))
        return emit(upTo: outputCount(ofStream: fedCount))
    }

    /// Forgets the stream; the next ``feed(_:)`` begins a new one.
    package mutating func reset() {
        history = Self.leadingSilence(of: filter)
        windowStart = 0
        phase = 0
        fedCount = 0
        emittedCount = 0
    }

    /// Converts a whole recording at once.
    package static func convert(_ samples: [Float], from inputRate: SampleRate, to outputRate: SampleRate) -> [Float] {
        var resampler = Resampler(from: inputRate, to: outputRate)
        var output = resampler.feed(samples)
        output.append(contentsOf: resampler.flush())
        return output
    }

    /// The number of n >= 0 with n / up < inputs / down.
    private func outputs(before inputs: Int) -> Int {
        guard inputs > 0 else { return 0 }
        return (inputs * up + down - 1) / down
    }

    private mutating func emit(upTo total: Int) -> [Float] {
        guard let filter, total > emittedCount else { return [] }
        let count = total - emittedCount
        let output = [Float](unsafeUninitializedCapacity: count) { output, initialized in
            let part = unsafe UnsafeMutableBufferPointer(rebasing: output[..<count])
            unsafe filter.fill(part, from: history.span, at: windowStart, phase: phase, every: down)
            initialized = count
        }
        let (whole, rest) = (phase + count * down).quotientAndRemainder(dividingBy: up)
        let start = windowStart + whole
        phase = rest
        emittedCount = total
        // A window may begin beyond what has been fed when the rate falls by much; it then waits there.
        let spent = min(start, history.count)
        history.removeFirst(spent)
        windowStart = start - spent
        return output
    }

    private static func leadingSilence(of filter: PolyphaseFilter?) -> [Float] {
        [Float](repeating: 0, count: filter.map { $0.halfLength - 1 } ?? 0)
    }
}

private func greatestCommonDivisor(_ a: Int, _ b: Int) -> Int {
    b == 0 ? a : greatestCommonDivisor(b, a % b)
}
