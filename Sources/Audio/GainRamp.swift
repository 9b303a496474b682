package import VoiceCore

/// Straight changes of gain over a few milliseconds, so that a cut or a start makes no click.
package enum GainRamp {
    /// Long enough to be free of clicks, short enough to sound like a stop.
    package static let usual: Duration = .milliseconds(5)

    /// Scales the samples of `range` by a gain that runs linearly from `start` to `end`, and leaves the others alone.
    ///
    /// The first sample has gain `start`; `end` is reached at the sample after the range.
    /// - Parameter range: clamped to the samples there are; the slope is that of the range as given.
    package static func apply(to samples: inout [Float], in range: Range<Int>, from start: Float, to end: Float) {
        guard !range.isEmpty else { return }
        let slope = (end - start) / Float(range.count)
        for index in range.clamped(to: samples.indices) {
            samples[index] *= start + slope * Float(index - range.lowerBound)
        }
    }

    /// Fades out within `length` from the start of `samples` and drops the rest: what to play last when speech is cut.
    package static func cut(_ samples: [Float], at rate: SampleRate, within length: Duration = usual) -> [Float] {
        var tail = Array(samples.prefix(rate.samples(in: length)))
        apply(to: &tail, in: tail.indices, from: 1, to: 0)
        return tail
    }
}
