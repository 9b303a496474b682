/// A short run of mono audio with its place on a media clock.
public struct AudioFrame: Sendable, Equatable {
    /// Mono samples, Float32 in [-1, 1]. Typically 20 ms, but any length is legal.
    public var samples: [Float]
    /// The rate of ``samples``.
    public var rate: SampleRate
    /// Index of the first sample on its stream's media clock, in samples at ``rate``, counted from the stream's start.
    public var position: Int

    /// Makes a frame of `samples` at `rate` whose first sample is number `position` of its stream.
    public init(samples: [Float], rate: SampleRate, position: Int) {
        self.samples = samples
        self.rate = rate
        self.position = position
    }

    /// The frame's length.
    public var duration: Duration { rate.duration(ofSamples: samples.count) }
}
