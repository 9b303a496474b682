internal import Synchronization
internal import VoiceCore

/// Voice activity by loudness, with Silero's window and its lateness.
struct ScriptedActivity: VoiceActivityDetector {
    /// A window is voiced in which a sample is louder than this: the audible threshold of voice-to-voice measurements, -36 dBFS.
    private static let threshold: Float = 500 / 32_768
    /// So many windows after the last sound still count as speech: Silero notices silence some 100 ms late (docs/performance.md).
    private static let lag = 3

    let name = "scripted"
    let windowLength = 512

    func openStream() async throws(VoiceError) -> any VoiceActivityStream { Stream() }

    private final class Stream: VoiceActivityStream {
        private struct State {
            var pending: [Float] = []
            /// Windows that still count as speech.
            var voicedFor = 0
        }

        private let state = Mutex(State())

        func feed(_ samples: [Float]) async throws(VoiceError) -> [Float] {
            state.withLock { state in
                state.pending += samples
                var probabilities: [Float] = []
                var start = 0
                while start + 512 <= state.pending.count {
                    let window = state.pending[start..<(start + 512)]
                    let isSound = window.contains { abs($0) > ScriptedActivity.threshold }
                    state.voicedFor = isSound ? ScriptedActivity.lag + 1 : max(0, state.voicedFor - 1)
                    probabilities.append(state.voicedFor > 0 ? 0.95 : 0.02)
                    start += 512
                }
                state.pending.removeFirst(start)
                return probabilities
            }
        }

        func reset() async throws(VoiceError) { state.withLock { $0 = State() } }
    }
}

/// A turn detector that takes its time and always says that the turn is over.
struct ScriptedVerdicts: TurnDetector {
    let name = "scripted"
    let clock: any SessionClock
    let cost: Duration

    func endProbability(ofTurn turn: [Float]) async throws(VoiceError) -> Float {
        try await clock.wait(cost)
        return 0.99
    }
}

extension SessionClock {
    /// Waits as an engine computes: a task that is cancelled meanwhile has been told so.
    func wait(_ duration: Duration) async throws(VoiceError) {
        do { try await sleep(until: now + duration) } catch {
            throw VoiceError(.cancelled, "the engine was interrupted")
        }
    }
}
