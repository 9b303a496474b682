internal import Synchronization
internal import VoiceCore

/// A person on the other side, with a microphone and a loudspeaker, in simulated time.
final class TalkerTransport: Transport {
    /// A window of voice activity, so that every frame completes one.
    static let frame = 512
    private static let silence = [Float](repeating: 0, count: frame)
    private static let speech = [Float](repeating: loudness, count: frame)
    /// Any amplitude that is audible.
    static let loudness: Float = 0.5

    private struct State {
        var talker: Talker
        var frames = 0
    }

    let playoutRate = SampleRate.telephone
    private let time: VirtualTime
    private let end: Duration
    private let state: Mutex<State>

    /// Makes a person who is there until `end`.
    init(_ talker: Talker, time: VirtualTime, end: Duration) {
        self.time = time
        self.end = end
        state = Mutex(State(talker: talker))
    }

    var notes: Talker.Notes { state.withLock { $0.talker.notes } }

    var events: AsyncStream<TransportEvent> {
        AsyncStream { [self] in await nextFrame() }
    }

    private func nextFrame() async -> TransportEvent? {
        let position = state.withLock { $0.frames * Self.frame }
        let begin = SampleRate.speech.duration(ofSamples: position)
        let now = SampleRate.speech.duration(ofSamples: position + Self.frame)
        guard now <= end, (try? await time.sleep(until: now)) != nil else { return nil }
        let sound = state.withLock { state in
            state.frames += 1
            state.talker.advance(to: now)
            return state.talker.sound(in: begin..<now)
        }
        return .audio(AudioFrame(samples: samples(sound, from: begin), rate: .speech, position: position))
    }

    private func samples(_ sound: [Range<Duration>], from begin: Duration) -> [Float] {
        guard let first = sound.first else { return Self.silence }
        if SampleRate.speech.samples(in: first.upperBound - first.lowerBound) >= Self.frame { return Self.speech }
        var samples = Self.silence
        for run in sound {
            let low = SampleRate.speech.samples(in: run.lowerBound - begin)
            let high = SampleRate.speech.samples(in: run.upperBound - begin)
            for index in low..<min(high, Self.frame) { samples[index] = Self.loudness }
        }
        return samples
    }

    func send(_ message: TransportMessage) async throws(VoiceError) {
        let now = time.now
        state.withLock { state in
            switch message {
            case .audio(let frame):
                let offset = frame.audio.rate.duration(ofSamples: frame.audio.position)
                let isSound = frame.audio.samples.contains { $0 != 0 }
                state.talker.hear(epoch: frame.epoch, offset: offset, isSound: isSound, at: now)
            case .event(.agentSpeaking(false)): state.talker.agentEnded(at: now)
            case .event(.turnDropped): state.talker.turnDropped(at: now)
            case .pause: state.talker.agentPaused()
            case .event, .cut: break
            }
        }
    }

    // MARK: what simulated engines know

    /// The words that were said to their end between the first `count` and `time`.
    func words(after count: Int, by time: Duration) -> [String] {
        state.withLock { state in state.talker.words[count...].prefix { $0.end <= time }.map(\.text) }
    }

    /// P(end) of the turn up to `now`.
    func endProbability(at now: Duration) -> Float {
        state.withLock { $0.talker.endProbability(at: now) }
    }
}
