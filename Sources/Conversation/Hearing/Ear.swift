internal import Audio
internal import VoiceCore

/// The microphone's side of a session: one rate, voice activity, the borders of speech and their times.
///
/// Owned by the task that hears. The recogniser and the turn detector get their audio from here but run elsewhere, so
/// that a slow one never delays voice activity.
struct Ear {
    /// Silence put in for lost audio is at most this long; more is a new stream.
    private static let longestGap = Duration.seconds(2)
    /// The detector notices the end of speech up to this late; the last sound is looked for so far behind its border.
    private static let slack = SampleRate.speech.samples(in: .milliseconds(96))

    private let activity: any VoiceActivityStream
    private let audio: TurnAudio
    private let recognition: Mailbox<RecognitionLoop.Request>
    private let audibleThreshold: Float
    private let clock: any SessionClock
    private let report: @Sendable (SessionInput) -> Void
    private var gate: VoiceActivityGate
    private var resampler: Resampler?
    private var mediaClock = MediaClock(rate: .speech)
    private var expected: Int?
    private var heard = 0
    private let windowLength: Int
    /// Samples at 16 kHz that do not fill a window yet.
    private var waiting: [Float] = []
    private var onset = 0
    private var echo: EchoControl?

    init(
        activity: any VoiceActivityStream,
        gate: VoiceActivityGate,
        audio: TurnAudio,
        recognition: Mailbox<RecognitionLoop.Request>,
        audibleThreshold: Float,
        loudspeaker: LoudspeakerSignal?,
        clock: any SessionClock,
        report: @escaping @Sendable (SessionInput) -> Void
    ) {
        self.activity = activity
        self.gate = gate
        windowLength = gate.windowLength
        self.audio = audio
        self.recognition = recognition
        self.audibleThreshold = audibleThreshold
        echo = loudspeaker.map { EchoControl(signal: $0, windowLength: gate.windowLength) }
        self.clock = clock
        self.report = report
    }

    /// True while nothing is heard that may be speech.
    var isQuiet: Bool { gate.isQuiet }

    /// Takes the next frame of the microphone.
    mutating func hear(_ frame: AudioFrame, agentIsSpeaking: Bool) async throws(VoiceError) {
        let recorded = resample(frame)
        guard !recorded.isEmpty else { return }
        heard += recorded.count
        mediaClock.arrived(end: heard, at: clock.now - (resampler?.delay ?? .zero))
        let begin = mediaClock.time(ofPosition: heard - recorded.count)
        let samples = echo?.cancel(recorded, at: begin) ?? recorded
        audio.append(samples)
        waiting += samples
        // Between conversations nothing hurries: half as many, larger steps wake half as many threads.
        let windows = gate.isQuiet && !agentIsSpeaking ? 2 : 1
        guard waiting.count >= windows * windowLength else { return }
        let whole = Array(waiting.prefix(waiting.count / windowLength * windowLength))
        waiting.removeFirst(whole.count)
        recognition.send(.audio(whole))
        var isHeard: [Bool] = []
        for start in stride(from: 0, to: whole.count, by: windowLength) {
            let window = whole[start..<(start + windowLength)]
            isHeard.append(echo?.isMoreThanEcho(window) ?? true)
        }
        for (probability, isHeard) in zip(try await activity.feed(whole), isHeard) {
            let edges = gate.advance(probability: isHeard ? probability : 0, agentIsSpeaking: agentIsSpeaking)
            for edge in edges { handle(edge) }
        }
    }

    private mutating func resample(_ frame: AudioFrame) -> [Float] {
        if resampler?.inputRate != frame.rate {
            resampler = Resampler(from: frame.rate, to: .speech)
            expected = nil
        }
        let gap = frame.position - (expected ?? frame.position)
        expected = frame.position + frame.samples.count
        let silence = min(max(0, gap), frame.rate.samples(in: Self.longestGap))
        guard silence > 0 else { return resampler?.feed(frame.samples) ?? [] }
        return resampler?.feed([Float](repeating: 0, count: silence) + frame.samples) ?? []
    }

    private mutating func handle(_ edge: VoiceActivityGate.Edge) {
        switch edge {
        case .onset(let position):
            onset = position
            audio.voiceBegan(at: position)
            recognition.send(.onset(position: position))
            report(.turn(.onset))
        case .falseOnset:
            audio.voiceEnded()
            recognition.send(.falseOnset)
            report(.turn(.falseOnset))
        case .started:
            recognition.send(.confirmed)
            report(.turn(.speechStarted))
        case .resumed(let position):
            // The turn may have ended with the hush.
            audio.voiceBegan(at: position)
            recognition.send(.onset(position: position))
            recognition.send(.confirmed)
            report(.turn(.speechResumed))
        case .hush(let lastSpeech):
            audio.voiceEnded()
            recognition.send(.hush)
            report(.turn(.hush(lastSpeech: time(ofSpeechEnd: lastSpeech))))
        case .stopped(let lastSpeech):
            audio.voiceEnded()
            recognition.send(.hush)
            report(.turn(.speechStopped(lastSpeech: time(ofSpeechEnd: lastSpeech))))
        }
    }

    /// When the person's last sound was recorded: the last audible sample near the detector's border, else the border.
    private func time(ofSpeechEnd border: Int) -> Duration {
        let end = audio.lastAudible(in: onset..<(border + Self.slack), above: audibleThreshold) ?? border
        return mediaClock.time(ofPosition: end)
    }
}
