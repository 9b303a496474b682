internal import Audio
internal import Synchronization
internal import Transports
internal import VoiceCore

/// A person with a voice: every question is spoken in real time, one second after the agent has fallen silent.
final class SpokenLine: QuestionLine {
    var events: AsyncStream<TransportEvent> { transport.events }
    var playoutRate: SampleRate { transport.playoutRate }
    private let transport: FileTransport
    private let voice: any SpeechSynthesizer

    /// - Parameter timeout: a question without any answer is over after so long.
    init(voice: any SpeechSynthesizer, inbox: Mailbox<LineEvent>, timeout: Duration, clock: any SessionClock) {
        self.voice = voice
        var schedule = FileTransport.Schedule()
        schedule.expectsGreeting = false
        schedule.answerTimeout = timeout
        transport = FileTransport(
            rate: voice.sampleRate,
            schedule: schedule,
            clock: clock,
            onSettled: { inbox.send(.settled(at: clock.now)) },
            onEvent: { inbox.send(.news($0, at: clock.now)) }
        )
        inbox.send(.began)
    }

    func ask(_ text: String) async throws(VoiceError) {
        var samples: [Float] = []
        do {
            for try await chunk in voice.speak(text) { samples += chunk.samples }
        } catch {
            throw VoiceError.wrapping(error, doing: "the person's voice \(voice.name) failed")
        }
        transport.say(samples)
    }

    /// Nothing: the transport waits no longer than its own time-out.
    func giveUp() {}

    func hangUp() { transport.finish() }

    func send(_ message: TransportMessage) async throws(VoiceError) { try await transport.send(message) }
}
