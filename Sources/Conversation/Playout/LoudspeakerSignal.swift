internal import Audio
internal import Synchronization
internal import VoiceCore

/// What is due at the loudspeaker at each moment of the session's clock: the reference of the echo canceller.
///
/// Written by the playout, read by the ear; a lock protects the samples. 16 kHz mono, the last two seconds and what is due
/// next.
final class LoudspeakerSignal: Sendable {
    fileprivate struct State {
        /// Samples from index `first` on; silence around them.
        var samples: [Float] = []
        var first = 0
        var resampler: Resampler?
        /// Where the last sample that is not silent lies.
        var lastSound = Int.min
    }

    fileprivate static let capacity = 2 * SampleRate.speech.hertz
    /// A frame that is due so close to the end of the one before follows it without gap.
    private static let tolerance = SampleRate.speech.samples(in: .milliseconds(3))

    private let state = Mutex(State())

    /// Makes a silent signal.
    init() {}

    /// The index of the sample that is due at a time.
    static func index(at time: Duration) -> Int { SampleRate.speech.samples(in: time) }

    /// Adds audio that is due at `time`.
    func play(_ samples: [Float], rate: SampleRate, at time: Duration) {
        state.withLock { state in
            let due = Self.index(at: time)
            let end = state.first + state.samples.count
            if state.resampler?.inputRate != rate || abs(due - end) > Self.tolerance {
                state.resampler = Resampler(from: rate, to: .speech)
                state.moveEnd(to: due)
            }
            let added = state.resampler?.feed(samples) ?? []
            state.samples += added
            if added.contains(where: { $0 != 0 }) { state.lastSound = state.first + state.samples.count }
            let surplus = state.samples.count - 2 * Self.capacity
            guard surplus > 0 else { return }
            // In large steps, so that most frames move nothing.
            state.samples.removeFirst(surplus + Self.capacity)
            state.first += surplus + Self.capacity
        }
    }

    /// Forgets what is due from `time` on: it was cut.
    func cut(at time: Duration) {
        state.withLock { state in
            let end = Self.index(at: time)
            guard end < state.first + state.samples.count else { return }
            state.resampler = nil
            state.moveEnd(to: end)
        }
    }

    /// The samples from `index` on.
    func samples(from index: Int, count: Int) -> [Float] {
        state.withLock { state in
            (index..<(index + count)).map { position in
                let offset = position - state.first
                return state.samples.indices.contains(offset) ? state.samples[offset] : 0
            }
        }
    }

    /// Whether nothing was due from `index` on.
    func isSilent(from index: Int) -> Bool { state.withLock { $0.lastSound <= index } }
}

extension LoudspeakerSignal.State {
    /// Drops what lies after `end`, or fills up to it with silence.
    fileprivate mutating func moveEnd(to end: Int) {
        let count = end - first
        if count < 0 || count > samples.count + LoudspeakerSignal.capacity {
            samples = []
            first = end
        } else if count < samples.count {
            samples.removeLast(samples.count - count)
        } else {
            samples += [Float](repeating: 0, count: count - samples.count)
        }
        lastSound = min(lastSound, end)
    }
}
