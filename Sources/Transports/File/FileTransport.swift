internal import Audio
internal import Synchronization
public import VoiceCore

/// A person made of recordings: each is spoken as one turn, in real time, and the next one follows when the agent has
/// finished speaking. Everything is recorded on one clock.
public final class FileTransport: Transport {
    /// When the recordings are spoken.
    public struct Schedule: Sendable {
        /// Silence before the first recording when the agent does not speak first.
        public var leadIn = Duration.milliseconds(500)
        /// Silence between the agent's last sound and the next recording, and at the end.
        public var pause = Duration.seconds(1)
        /// A recording that gets no answer for so long is given up on.
        public var answerTimeout = Duration.seconds(20)
        /// Whether the agent speaks first.
        public var expectsGreeting = true

        /// Makes the default schedule.
        public init() {}
    }

    /// Where a recording was spoken, on the clock of ``recording``.
    package struct Spoken: Sendable, Equatable {
        /// When its first sample was spoken.
        package var start: Duration
        /// When its last audible sample ended; nil if none is audible.
        package var end: Duration?

        /// Makes the place of a recording.
        package init(start: Duration, end: Duration?) {
            self.start = start
            self.end = end
        }
    }

    fileprivate enum Phase { case waiting, speaking(index: Int, offset: Int), done }

    fileprivate struct State {
        var phase = Phase.waiting
        var utterances: [[Float]]
        /// Whether more recordings may come.
        var isOpen = false
        /// Whether somebody waits to be told that all is said and answered.
        var owesNotice = false
        var next = 0
        var start: Duration?
        var frames = 0
        var personSpeaks = false
        var agentSpeaks = false
        /// When the agent closed a turn last: its voice ended, or it dropped the turn.
        var closed: Duration?
        /// When the person was last noticed to have fallen silent.
        var fellSilent: Duration?
        /// When the last recording ended.
        var finished: Duration?
        var spoken: [Spoken] = []
        var recording: StereoRecording
    }

    private static let frame = Duration.milliseconds(20)

    /// The rate of the agent's voice and of the recording.
    public let playoutRate: SampleRate
    private let rate: SampleRate
    private let schedule: Schedule
    private let clock: any SessionClock
    private let onEvent: @Sendable (SessionEvent) -> Void
    private let onSettled: @Sendable () -> Void
    private let state: Mutex<State>

    /// Makes a person who speaks `utterances`.
    ///
    /// - Parameters:
    ///   - utterances: mono samples, each at its own rate; at least one.
    ///   - playoutRate: the rate of the agent's voice and of the recording.
    ///   - onEvent: is told the news of the conversation; must not block.
    package init(
        utterances: [(samples: [Float], rate: SampleRate)],
        playoutRate: SampleRate = SampleRate(24_000),
        schedule: Schedule,
        clock: any SessionClock,
        onEvent: @escaping @Sendable (SessionEvent) -> Void = { _ in }
    ) {
        let rate = utterances.first?.rate ?? .speech
        self.rate = rate
        self.playoutRate = playoutRate
        self.schedule = schedule
        self.clock = clock
        self.onEvent = onEvent
        onSettled = {}
        state = Mutex(
            State(
                utterances: utterances.map { Resampler.convert($0.samples, from: $0.rate, to: rate) },
                recording: StereoRecording(rate: playoutRate, microphoneRate: rate)
            )
        )
    }

    /// Makes a person who is told one thing after the other what to say.
    ///
    /// - Parameters:
    ///   - rate: the rate of what ``say(_:)`` gets.
    ///   - onSettled: is told each time that what was said is answered, or will not be; must not block.
    ///   - onEvent: as above.
    package init(
        rate: SampleRate,
        playoutRate: SampleRate = SampleRate(24_000),
        schedule: Schedule,
        clock: any SessionClock,
        onSettled: @escaping @Sendable () -> Void,
        onEvent: @escaping @Sendable (SessionEvent) -> Void
    ) {
        self.rate = rate
        self.playoutRate = playoutRate
        self.schedule = schedule
        self.clock = clock
        self.onEvent = onEvent
        self.onSettled = onSettled
        let recording = StereoRecording(rate: playoutRate, microphoneRate: rate)
        state = Mutex(State(utterances: [], isOpen: true, recording: recording))
    }

    /// Has the person say this next. Only for one who was made for it.
    package func say(_ samples: [Float]) {
        state.withLock { state in
            state.utterances.append(samples)
            state.owesNotice = true
        }
    }

    /// Lets the person go once all is said and answered.
    package func finish() { state.withLock { $0.isOpen = false } }

    /// The microphone, 20 ms at a time when they are due; ends when all is said and answered. One consumer.
    public var events: AsyncStream<TransportEvent> {
        AsyncStream { [self] in await nextFrame() }
    }

    /// Lays audio into the recording and learns from the news who speaks. Never fails.
    public func send(_ message: TransportMessage) async throws(VoiceError) {
        let now = clock.now
        switch message {
        case .audio(let frame):
            state.withLock { $0.recording.play(frame, at: now - ($0.start ?? now)) }
        case .cut, .pause:
            state.withLock { $0.recording.cut(at: now - ($0.start ?? now)) }
        case .event(let event):
            state.withLock { $0.note(event, at: now) }
            onEvent(event)
        }
    }

    /// Everything that was said, on one clock.
    package var recording: StereoRecording { state.withLock { $0.recording } }
    /// Where each recording was spoken, in order.
    package var spoken: [Spoken] { state.withLock { $0.spoken } }

    // MARK: - The microphone

    private func nextFrame() async -> TransportEvent? {
        let due = state.withLock { state -> Duration in
            let start = state.start ?? clock.now
            state.start = start
            return start + Self.frame * (state.frames + 1)
        }
        do { try await clock.sleep(until: due) } catch { return nil }
        let (event, isSettled) = state.withLock { state -> (TransportEvent?, Bool) in
            let isSettled = advance(&state, at: due)
            if case .done = state.phase { return (nil, false) }
            let length = rate.samples(in: Self.frame)
            let samples = takeSamples(&state, length, at: due)
            state.frames += 1
            state.recording.hear(samples)
            let position = (state.frames - 1) * length
            return (.audio(AudioFrame(samples: samples, rate: rate, position: position)), isSettled)
        }
        if isSettled { onSettled() }
        return event
    }

    /// Begins the next recording, or ends, when the time has come.
    /// - Returns: whether it is to be told that all is said and answered.
    private func advance(_ state: inout State, at now: Duration) -> Bool {
        guard case .waiting = state.phase, let start = state.start, isSettled(state, start, now) else { return false }
        if state.next < state.utterances.count {
            state.phase = .speaking(index: state.next, offset: 0)
        } else if !state.isOpen {
            state.phase = .done
        } else if state.owesNotice {
            state.owesNotice = false
            return true
        }
        return false
    }

    private func isSettled(_ state: State, _ start: Duration, _ now: Duration) -> Bool {
        if state.agentSpeaks || state.personSpeaks { return false }
        guard let finished = state.finished else {
            guard schedule.expectsGreeting else { return now - start >= schedule.leadIn }
            if let closed = state.closed { return now - closed >= schedule.pause }
            return now - start >= schedule.answerTimeout
        }
        if now - finished >= schedule.answerTimeout { return true }
        guard let closed = state.closed, closed > (state.fellSilent ?? finished) else { return false }
        return now - max(closed, finished) >= schedule.pause
    }

    private func takeSamples(_ state: inout State, _ length: Int, at end: Duration) -> [Float] {
        guard case .speaking(let index, let offset) = state.phase, let start = state.start else {
            return [Float](repeating: 0, count: length)
        }
        let utterance = state.utterances[index]
        if offset == 0 {
            let begin = end - Self.frame - start
            let audible = SpeechEdge.last(in: utterance).map { begin + rate.duration(ofSamples: $0 + 1) }
            state.spoken.append(Spoken(start: begin, end: audible))
        }
        let samples = Array(utterance.dropFirst(offset).prefix(length))
        if offset + length >= utterance.count {
            state.phase = .waiting
            state.next = index + 1
            state.finished = end
        } else {
            state.phase = .speaking(index: index, offset: offset + length)
        }
        return samples + [Float](repeating: 0, count: length - samples.count)
    }
}

extension FileTransport.State {
    /// Learns from the agent's news who speaks.
    fileprivate mutating func note(_ event: SessionEvent, at now: Duration) {
        switch event {
        case .userSpeaking(let speaks):
            personSpeaks = speaks
            if !speaks { fellSilent = now }
        case .agentSpeaking(let speaks):
            agentSpeaks = speaks
            if !speaks { closed = now }
        case .turnDropped:
            closed = now
        case .userTranscript, .agentTranscript, .reply, .turnReport, .job, .handedOver, .error:
            break
        }
    }
}
