internal import Audio
internal import VoiceCore

/// Keeps the agent's own voice out of the ear.
///
/// Owned by the task that hears. Works only while the loudspeaker sounds and shortly after; the rest of the time the
/// microphone passes through.
struct EchoControl {
    /// The two clocks' map may move by so much before the filter must begin anew.
    private static let tolerance = SampleRate.speech.samples(in: .milliseconds(20))
    /// The canceller's filter begins so long before the echo's strongest path.
    private static let lead = 256
    /// The delay may move by so much without the filter losing the echo.
    private static let slack = 64

    private let signal: LoudspeakerSignal
    private var delay = EchoDelay()
    /// Nil while there is no echo to be found.
    private var canceller: EchoCanceller?
    /// The delay that the canceller was made for, less ``lead``.
    private var cancelled = 0
    private var gate: EchoGate
    private let windowLength: Int
    /// The loudspeaker's index of the microphone's sample 0.
    private var offset: Int?
    /// Position of the next sample of the microphone.
    private var position = 0
    /// Samples that do not fill a block yet.
    private var waiting: [Float] = []
    /// What was due at the loudspeaker with the samples that came out and fill no window yet.
    private var played: [Float] = []

    init(signal: LoudspeakerSignal, windowLength: Int) {
        self.signal = signal
        self.windowLength = windowLength
        gate = EchoGate(windowLength: windowLength)
    }

    /// Takes the next samples of the microphone.
    /// - Parameter time: when the first of them was recorded, on the session's clock.
    /// - Returns: the samples without the echo; fewer than came in while some wait for the rest of a block.
    mutating func cancel(_ samples: [Float], at time: Duration) -> [Float] {
        let block = EchoCanceller.blockLength
        let candidate = LoudspeakerSignal.index(at: time) - position - waiting.count
        let offset = self.offset.flatMap { abs($0 - candidate) <= Self.tolerance ? $0 : nil } ?? candidate
        self.offset = offset
        var all = waiting + samples
        waiting = []
        defer { position += all.count }
        let first = position + offset
        if signal.isSilent(from: first - EchoDelay.longest - SampleRate.speech.samples(in: EchoCanceller.tail)) {
            delay.rest()
            played += [Float](repeating: 0, count: all.count)
            return all
        }
        waiting = Array(all.suffix(all.count % block))
        all.removeLast(waiting.count)
        let reference = signal.samples(from: first, count: all.count)
        played += reference
        delay.advance(microphone: all, loudspeaker: reference)
        guard let canceller = chosenCanceller() else { return all }
        let due = signal.samples(from: first - cancelled, count: all.count)
        return stride(from: 0, to: all.count, by: block).flatMap { start in
            canceller.process(
                microphone: Array(all[start..<(start + block)]),
                loudspeaker: Array(due[start..<(start + block)])
            )
        }
    }

    /// The canceller for the delay that was found; a new one when that has moved.
    private mutating func chosenCanceller() -> EchoCanceller? {
        guard let delay = delay.samples else { return nil }
        let wanted = max(0, delay - Self.lead)
        if let canceller, abs(wanted - cancelled) <= Self.slack { return canceller }
        cancelled = wanted
        canceller = EchoCanceller()
        return canceller
    }

    /// Whether there is more than echo in the next window of the samples that came out.
    mutating func isMoreThanEcho(_ window: ArraySlice<Float>) -> Bool {
        let loudspeaker = played.prefix(windowLength)
        defer { played.removeFirst(loudspeaker.count) }
        return gate.advance(microphone: Self.power(window), loudspeaker: Self.power(loudspeaker))
    }

    private static func power(_ samples: ArraySlice<Float>) -> Float {
        samples.isEmpty ? 0 : samples.reduce(0) { $0 + $1 * $1 } / Float(samples.count)
    }
}
