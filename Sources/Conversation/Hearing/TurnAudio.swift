internal import Synchronization
internal import VoiceCore

/// The last seconds of the microphone, with a mark where the running turn began.
///
/// Written by the task that hears, read by the one that decides; a lock protects the samples.
final class TurnAudio: Sendable {
    private struct State {
        /// The newest samples, 16 kHz mono.
        var samples: [Float] = []
        /// Position of `samples[0]` in the stream.
        var first = 0
        /// Where the running turn begins; nil between turns.
        var turnStart: Int?
        /// Where what may be speech began; nil while nothing is heard.
        var voiceStart: Int?
    }

    /// Smart Turn looks at 8 s (`TurnDetector`); one more for the edges.
    private static let capacity = 9 * SampleRate.speech.hertz
    /// Kept from before the first sound of a turn: Pipecat 1.14, `audio/turn/smart_turn/base_smart_turn.py`.
    private static let preSpeech = SampleRate.speech.hertz / 2
    /// Kept between turns: the beginning of the next one, however late it is noticed.
    private static let idleCapacity = SampleRate.speech.hertz

    private let state = Mutex(State())

    /// Adds the next samples of the stream.
    func append(_ samples: [Float]) {
        state.withLock { state in
            state.samples += samples
            let isIdle = state.turnStart == nil && state.voiceStart == nil
            let capacity = isIdle ? Self.idleCapacity : Self.capacity
            // Trimmed in large steps, so that most appends move nothing. What a long turn took is given back.
            guard state.samples.count > 2 * capacity else { return }
            let surplus = state.samples.count - capacity
            state.samples = Array(state.samples[surplus...])
            state.first += surplus
        }
    }

    /// Marks that speech may have begun at `position`: a turn begins there, or the running one goes on.
    func voiceBegan(at position: Int) {
        state.withLock { state in
            let start = max(0, position - Self.preSpeech)
            state.voiceStart = start
            state.turnStart = state.turnStart ?? start
        }
    }

    /// Marks that what may have been speech is over, or was none.
    func voiceEnded() { state.withLock { $0.voiceStart = nil } }

    /// Marks that the next speech begins a new turn; speech that was heard meanwhile already has.
    func endTurn() { state.withLock { $0.turnStart = $0.voiceStart } }

    /// Where the running turn begins in the stream; nil between turns.
    var turnStart: Int? { state.withLock { $0.turnStart } }

    /// The running turn's audio up to now, at most its last 9 s.
    func turn() -> [Float] {
        state.withLock { state in
            guard let start = state.turnStart else { return [] }
            return Array(state.samples.dropFirst(max(0, start - state.first)).suffix(Self.capacity))
        }
    }

    /// The position after the last audible sample in `range`, nil if all of it is quiet or gone.
    func lastAudible(in range: Range<Int>, above threshold: Float) -> Int? {
        state.withLock { state in
            let low = max(0, range.lowerBound - state.first)
            let high = min(state.samples.count, range.upperBound - state.first)
            guard low < high, let index = state.samples[low..<high].lastIndex(where: { abs($0) > threshold }) else {
                return nil
            }
            return state.first + index + 1
        }
    }
}
