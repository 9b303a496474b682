internal import Inference
internal import VoiceCore

/// A voice that makes frames of sound at a price: reading the text, then frame after frame.
struct SimulatedSynthesizer: SpeechSynthesizer {
    static let beginningKind = QuantumKind(engine: "tts", step: "beginning")
    static let frameKind = QuantumKind(engine: "tts", step: "frame")
    /// A quantum is to take no longer than this, so that nobody waits long for it; what reads the text is cut by it.
    static let longestQuantum = Duration.milliseconds(8)
    /// How soon the next frame is asked for.
    static let followUp = Duration.milliseconds(2)

    let name = "simulated"
    let sampleRate = SampleRate.telephone
    let machine: SimulatedMachine
    let frames: SharedSteps
    /// The voice's thread, where it has one.
    let thread: EngineThread
    let habits: TalkerHabits
    /// The session's number, from 1.
    let session: Int

    func speak(_ text: String, urgency: Urgency) -> AsyncThrowingStream<SpeechChunk, any Error> {
        let words = text.split(separator: " ").count
        let length = Duration.seconds(1) / habits.wordsPerSecond * words
        let speaker = Speaker(voice: self, length: length, urgency: urgency)
        return AsyncThrowingStream { try await speaker.next() }
    }

    private actor Speaker {
        private let voice: SimulatedSynthesizer
        private let frameCount: Int
        private let urgency: Urgency
        private var made = 0

        init(voice: SimulatedSynthesizer, length: Duration, urgency: Urgency) {
            self.voice = voice
            self.urgency = urgency
            frameCount = Int((length / voice.machine.costs.voice.frameLength).rounded(.up))
        }

        func next() async throws -> SpeechChunk? {
            guard made < frameCount, !Task.isCancelled else { return nil }
            let costs = voice.machine.costs.voice
            let new = made == 0 ? min(costs.firstFrames, frameCount) : 1
            if made == 0 { try await begin(costs) }
            for _ in 0..<new { try await makeFrame(costs) }
            let sampleCount = samples(before: made + new) - samples(before: made)
            made += new
            return SpeechChunk(samples: Array(repeating: TalkerTransport.loudness, count: sampleCount))
        }

        private func samples(before frame: Int) -> Int {
            voice.sampleRate.samples(in: voice.machine.costs.voice.frameLength * frame)
        }

        /// All that comes before the first frame.
        private func begin(_ costs: StackCosts.Voice) async throws(VoiceError) {
            var left = costs.firstAudio - costs.frame.alone * costs.firstFrames
            while left > .zero {
                let part = voice.machine.lane == nil ? left : min(left, SimulatedSynthesizer.longestQuantum)
                left -= part
                if costs.hasOwnThread {
                    await onThread(part)
                } else {
                    let request = voice.request(SimulatedSynthesizer.beginningKind, urgency)
                    try await voice.machine.compute(request, threads: 1) { part }
                }
            }
        }

        private func makeFrame(_ costs: StackCosts.Voice) async throws(VoiceError) {
            guard !costs.hasOwnThread else { return await onThread(costs.frame.alone) }
            try await voice.frames.step(voice.request(SimulatedSynthesizer.frameKind, urgency))
        }

        private func onThread(_ work: Duration) async {
            let processor = voice.machine.processor
            await voice.thread.run { await processor.compute(work) }
        }
    }

    private func request(_ kind: QuantumKind, _ urgency: Urgency) -> QuantumRequest {
        QuantumRequest(
            kind,
            urgency,
            owner: EngineOwner.voice.number(session),
            followUp: Self.followUp
        )
    }
}
