internal import Synchronization
public import VoiceCore

/// A voice activity detector that hears amplitude: a window is speech when its loudest sample reaches 0.1.
public struct AmplitudeDetector: VoiceActivityDetector {
    /// See the protocol.
    public let name = "amplitude"
    /// See the protocol.
    public let windowLength = 512

    /// Makes a detector.
    public init() {}

    /// See the protocol.
    public func openStream() async throws(VoiceError) -> any VoiceActivityStream { Stream() }

    private final class Stream: VoiceActivityStream {
        private let pending = Mutex<[Float]>([])

        func feed(_ samples: [Float]) async throws(VoiceError) -> [Float] {
            pending.withLock { pending in
                pending += samples
                var probabilities: [Float] = []
                while pending.count >= 512 {
                    probabilities.append(pending.prefix(512).contains { abs($0) >= 0.1 } ? 0.95 : 0.02)
                    pending.removeFirst(512)
                }
                return probabilities
            }
        }

        func reset() async throws(VoiceError) { pending.withLock { $0 = [] } }
    }
}

/// A recogniser that hands out prepared transcripts, one for each utterance in which anything was loud.
public final class ScriptedRecognizer: SpeechRecognizer {
    /// See the protocol.
    public let name = "scripted"
    private let clock: any SessionClock
    private let finalLatency: Duration
    private let utterances: Mutex<[String]>
    private let drafts: Mutex<[String]?>
    private let taken = Mutex(0)

    /// How many drafts were taken back because the person went on.
    public var draftsTakenBack: Int { taken.withLock { $0 } }

    /// Makes a recogniser that needs `finalLatency` on `clock` for a final transcript.
    /// - Parameter drafts: its drafts, one after the other; nil if it cannot tell.
    public init(
        clock: any SessionClock,
        finalLatency: Duration = .milliseconds(20),
        utterances: [String],
        drafts: [String]? = nil
    ) {
        self.drafts = Mutex(drafts)
        self.clock = clock
        self.finalLatency = finalLatency
        self.utterances = Mutex(utterances)
    }

    /// See the protocol.
    public func openStream(_ options: RecognitionOptions) async throws(VoiceError) -> any RecognizerStream {
        Stream(recognizer: self)
    }

    private final class Stream: RecognizerStream {
        private let recognizer: ScriptedRecognizer
        private let hasHeardSpeech = Mutex(false)
        private let hasDrafted = Mutex(false)

        init(recognizer: ScriptedRecognizer) { self.recognizer = recognizer }

        func feed(_ samples: [Float]) async throws(VoiceError) -> Transcript? {
            guard samples.contains(where: { abs($0) >= 0.1 }) else { return nil }
            let isFirst = hasHeardSpeech.withLock { heard in
                defer { heard = true }
                return !heard
            }
            return isFirst ? Transcript(text: "…", isFinal: false) : nil
        }

        func finish(flushing flush: RecognitionFlush) async throws(VoiceError) -> Transcript {
            try? await recognizer.clock.sleep(until: recognizer.clock.now + recognizer.finalLatency)
            hasDrafted.withLock { $0 = false }
            let heard = hasHeardSpeech.withLock { heard in
                defer { heard = false }
                return heard
            }
            let text = heard ? recognizer.utterances.withLock { $0.isEmpty ? "" : $0.removeFirst() } : ""
            return Transcript(text: text, isFinal: true)
        }

        func draft() async throws(VoiceError) -> Transcript? {
            guard hasHeardSpeech.withLock({ $0 }), let text = recognizer.nextDraft() else { return nil }
            try? await recognizer.clock.sleep(until: recognizer.clock.now + recognizer.finalLatency)
            hasDrafted.withLock { $0 = true }
            return Transcript(text: text, isFinal: false)
        }

        func resume() async throws(VoiceError) {
            let had = hasDrafted.withLock { had in
                defer { had = false }
                return had
            }
            if had { recognizer.taken.withLock { $0 += 1 } }
        }

        func reset() async throws(VoiceError) { hasHeardSpeech.withLock { $0 = false } }
    }

    private func nextDraft() -> String? {
        drafts.withLock { drafts in drafts?.isEmpty == false ? drafts?.removeFirst() : nil }
    }
}

/// A turn detector that gives prepared verdicts, then 0.98 for ever.
public final class ScriptedTurnDetector: TurnDetector {
    /// See the protocol.
    public let name = "scripted"
    private let clock: any SessionClock
    private let latency: Duration
    private let verdicts: Mutex<[Float]>

    /// Makes a detector that needs `latency` on `clock` for a verdict.
    public init(clock: any SessionClock, latency: Duration = .milliseconds(60), verdicts: [Float] = []) {
        self.clock = clock
        self.latency = latency
        self.verdicts = Mutex(verdicts)
    }

    /// See the protocol.
    public func endProbability(ofTurn turn: [Float]) async throws(VoiceError) -> Float {
        try? await clock.sleep(until: clock.now + latency)
        return verdicts.withLock { $0.isEmpty ? 0.98 : $0.removeFirst() }
    }
}
