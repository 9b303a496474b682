internal import Audio
internal import Synchronization
package import VoiceCore

/// A person who speaks when they like, and whose microphone hears the agent's loudspeaker.
///
/// The microphone is a recording of 16 kHz plus the agent's voice through an impulse response. It ends with the recording.
package final class RoomTransport: Transport {
    /// Something that happened, on the clock of ``recording``.
    package struct Happening: Sendable {
        /// When.
        package var at: Duration
        /// What the agent sent; audio is left out.
        package var message: TransportMessage
    }

    private struct State {
        var start: Duration?
        var frames = 0
        var recording: StereoRecording
        var happenings: [Happening] = []
    }

    private static let frame = 320

    /// See the protocol.
    package let playoutRate = SampleRate.speech
    private let person: [Float]
    /// What the microphone hears of the loudspeaker, from the first sample that is not zero on.
    private let echo: ArraySlice<Float>
    private let clock: any SessionClock
    private let state: Mutex<State>

    /// Makes a room.
    ///
    /// - Parameters:
    ///   - person: what the microphone would hear without the agent, 16 kHz.
    ///   - echo: the impulse response from loudspeaker to microphone at 16 kHz; empty for a headset. What it takes from the
    ///     last 20 ms is not there yet, so it should begin with so many zeros.
    ///   - clock: the session's.
    package init(person: [Float], echo: [Float], clock: any SessionClock) {
        self.person = person
        self.echo = echo.drop { $0 == 0 }
        self.clock = clock
        state = Mutex(State(recording: StereoRecording(rate: .speech, microphoneRate: .speech)))
    }

    /// The microphone, 20 ms at a time when they are due. One consumer.
    package var events: AsyncStream<TransportEvent> {
        AsyncStream { [self] in await nextFrame() }
    }

    /// Lays audio into the recording and keeps the rest.
    package func send(_ message: TransportMessage) async throws(VoiceError) {
        let now = clock.now
        state.withLock { state in
            let time = now - (state.start ?? now)
            switch message {
            case .audio(let frame): return state.recording.play(frame, at: time)
            case .cut, .pause: state.recording.cut(at: time)
            case .event: break
            }
            state.happenings.append(Happening(at: time, message: message))
        }
    }

    /// Both sides on one clock; the person's includes the echo.
    package var recording: StereoRecording { state.withLock { $0.recording } }
    /// What the agent did, in order.
    package var happenings: [Happening] { state.withLock { $0.happenings } }

    private func nextFrame() async -> TransportEvent? {
        let due = state.withLock { state -> Duration in
            let start = state.start ?? clock.now
            state.start = start
            return start + SampleRate.speech.duration(ofSamples: Self.frame * (state.frames + 1))
        }
        do { try await clock.sleep(until: due) } catch { return nil }
        return state.withLock { state in
            let first = state.frames * Self.frame
            guard first + Self.frame <= person.count else { return nil }
            state.frames += 1
            let agent = state.recording.voice(in: (first - echo.endIndex)..<(first + Self.frame))
            let samples = (0..<Self.frame).map { index in
                // Sample `first + index` of the microphone hears sample `first + index - tap` of the voice.
                let newest = index + echo.endIndex
                return echo.indices.reduce(person[first + index]) { $0 + echo[$1] * agent[newest - $1] }
            }
            state.recording.hear(samples)
            return .audio(AudioFrame(samples: samples, rate: .speech, position: first))
        }
    }
}
