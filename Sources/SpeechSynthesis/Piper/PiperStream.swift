internal import Inference
package import VoiceCore

/// One sentence being said by a ``PiperVoice``, stretch by stretch. Stretches of any length give, one after the other, exactly what the
/// whole would.
///
/// One task calls it, one call at a time. Cancellation is looked at before every quantum.
package actor PiperStream {
    private let engine: PiperEngine
    private let ids: [Int32]
    private let seed: UInt64
    private let urgency: Urgency
    private var noise: GaussianNoise
    private var sentence: PiperSentence?
    /// What goes into the flow, as far as it is known, and what comes out of it; all frames of the sentence so far.
    private var lower: [Float] = []
    private var upper: [Float] = []
    private var frames: [Float] = []
    private var position = 0

    /// Frames that go through the flow at once after the first ones, few at first: a quantum of 10 to 20 ms on a core.
    static let flowStretches = 48...96

    init(engine: PiperEngine, ids: [Int32], seed: UInt64, urgency: Urgency) {
        self.engine = engine
        self.ids = ids
        self.seed = seed
        self.urgency = urgency
        noise = GaussianNoise(seed: seed)
    }

    /// Frames of each symbol; computes them if that was not done.
    /// - Throws: as ``next(frames:)``.
    package func durations() async throws(VoiceError) -> [Int] { try await begun().durations }

    /// Computes the samples of the next frames.
    /// - Parameter frames: how many at most, at least 1.
    /// - Returns: samples in [-1, 1]; nil after the sentence's last one.
    /// - Throws: ``VoiceError/Code/cancelled`` when the task was cancelled, ``VoiceError/Code/fault`` when the device fails,
    ///   ``VoiceError/Code/exhausted`` when too much waits for it. The call can then be repeated.
    package func next(frames count: Int) async throws(VoiceError) -> [Float]? {
        let length = try await begun().frames
        guard position < length else { return nil }
        let range = position..<min(position + max(1, count), length)
        let input = PiperDecoder.input(for: range, of: length, engine.h)
        try await flow(to: input.upperBound, of: length)
        let width = engine.h.width
        let columns = Array(frames[(input.lowerBound * width)..<(input.upperBound * width)])
        let samples = try await engine.samples(range, of: length, columns, urgency: urgency)
        position = range.upperBound
        return samples
    }

    /// Begins anew: the same durations, the same sound.
    package func reset() {
        noise = GaussianNoise(seed: seed)
        sentence = nil
        (lower, upper, frames) = ([], [], [])
        position = 0
    }

    func begun() async throws(VoiceError) -> PiperSentence {
        if let sentence { return sentence }
        var noise = noise
        let numbers = (0..<(2 * ids.count)).map { _ in noise.next() * engine.h.durationNoiseScale }
        let sentence = try await engine.begin(ids, noise: numbers, urgency: urgency)
        self.noise = noise
        self.sentence = sentence
        return sentence
    }

    /// Has the flow compute all frames up to `end`; the first time no more, later some ahead.
    private func flow(to end: Int, of length: Int) async throws(VoiceError) {
        let (width, half) = (engine.h.width, engine.h.half)
        let sentence = try await begun()
        while frames.count / width < end {
            let done = frames.count / width
            let ahead = max(done, Self.flowStretches.lowerBound)
            let wanted = done == 0 ? end : min(length, done + ahead)
            let range = done..<min(wanted, done + Self.flowStretches.upperBound)
            let input = PiperFlow.input(for: range, of: length, engine.h)
            let known = lower.count / half
            if known < input.upperBound {
                let halves = sentence.noisy(known..<input.upperBound, &noise, width: width)
                lower += halves.lower
                upper += halves.upper
            }
            let own = (input.lowerBound * half)..<(input.upperBound * half)
            frames += try await engine.frames(
                range,
                of: length,
                lower: Array(lower[own]),
                upper: Array(upper[own]),
                urgency: urgency
            )
        }
    }
}
