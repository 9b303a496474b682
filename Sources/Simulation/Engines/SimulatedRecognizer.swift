internal import Inference
internal import VoiceCore

/// Nemotron Speech with one frame of lookahead: a step for every 160 ms, a final transcript on a fork.
struct SimulatedRecognizer: SpeechRecognizer {
    /// What all sessions share.
    struct Engine {
        let steps: SharedSteps
        let finals: SharedSteps
        let crowd: Crowd
    }

    private static let stepKind = QuantumKind(engine: "asr", step: "step")
    private static let finalKind = QuantumKind(engine: "asr", step: "final")
    private static let chunk = SampleRate.speech.samples(in: .milliseconds(160))
    /// What was said less long ago than this is not in a partial transcript yet.
    private static let lookahead = Duration.milliseconds(80)
    /// As in `NemotronEngine`.
    private static let gatheringWindow = Duration.milliseconds(3)

    let name = "simulated"
    let machine: SimulatedMachine
    let engine: Engine
    let talker: TalkerTransport
    /// The session's number, from 1.
    let session: Int

    func openStream(_ options: RecognitionOptions) async throws(VoiceError) -> any RecognizerStream { Stream(self) }

    private func request(_ kind: QuantumKind) -> QuantumRequest {
        QuantumRequest(kind, .recognition, owner: EngineOwner.recognizer.number(session))
    }

    private actor Stream: RecognizerStream {
        private let recognizer: SimulatedRecognizer
        private var unread = 0
        /// Words that earlier utterances had.
        private var said = 0
        private var latest: [String] = []

        init(_ recognizer: SimulatedRecognizer) { self.recognizer = recognizer }

        func feed(_ samples: [Float]) async throws(VoiceError) -> Transcript? {
            unread += samples.count
            while unread >= SimulatedRecognizer.chunk {
                unread -= SimulatedRecognizer.chunk
                let (engine, now) = (recognizer.engine, recognizer.machine.time.now)
                let isAlone = await engine.crowd.speaks(recognizer.session, at: now)
                try await engine.steps.step(
                    recognizer.request(SimulatedRecognizer.stepKind),
                    gathering: isAlone ? .zero : SimulatedRecognizer.gatheringWindow
                )
            }
            let words = understood(by: recognizer.machine.time.now - SimulatedRecognizer.lookahead)
            guard words != latest else { return nil }
            latest = words
            return Transcript(text: words.joined(separator: " "), isFinal: false)
        }

        func finish(flushing flush: RecognitionFlush) async throws(VoiceError) -> Transcript {
            let words = try await final()
            said += words.count
            (latest, unread) = ([], 0)
            return Transcript(text: words.joined(separator: " "), isFinal: true)
        }

        func draft() async throws(VoiceError) -> Transcript? {
            Transcript(text: try await final().joined(separator: " "), isFinal: true)
        }

        func reset() {
            said += understood(by: recognizer.machine.time.now).count
            (latest, unread) = ([], 0)
        }

        private func final() async throws(VoiceError) -> [String] {
            let words = understood(by: recognizer.machine.time.now)
            try await recognizer.engine.finals.step(recognizer.request(SimulatedRecognizer.finalKind))
            return words
        }

        private func understood(by time: Duration) -> [String] { recognizer.talker.words(after: said, by: time) }
    }
}

/// Who speaks at the moment: whoever speaks alone is not kept waiting for others.
actor Crowd {
    /// As in `NemotronEngine`.
    private static let activityWindow = Duration.milliseconds(400)

    private var lastStep: [Int: Duration] = [:]

    /// Notes that a session has a chunk.
    /// - Returns: whether no other had one a moment ago.
    func speaks(_ session: Int, at now: Duration) -> Bool {
        lastStep[session] = now
        return !lastStep.contains { $0.key != session && now - $0.value < Self.activityWindow }
    }
}

/// Numbers for the owners of quanta: no two engines of a session have the same, and none is 0.
enum EngineOwner: Int {
    case language, voice, recognizer

    /// The number of a session's engine; sessions are counted from 1.
    func number(_ session: Int) -> Int { 3 * session + rawValue }
}
