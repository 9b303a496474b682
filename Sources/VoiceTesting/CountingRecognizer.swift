internal import Synchronization
public import VoiceCore

/// A recogniser that hears nothing but the amount of audio: every 100 ms of an utterance is one more word, `w1 w2 w3`.
///
/// Its transcripts show how many samples arrived, whole words only; all words but the last are stable. It can be held up,
/// made to fail, and given a bounded number of streams.
public final class CountingRecognizer: SpeechRecognizer {
    /// Samples of a word.
    public static let samplesPerWord = 1_600

    /// What has happened so far.
    public struct Record: Sendable {
        /// The options of the streams, oldest first.
        public var options: [RecognitionOptions] = []
        /// Streams that live.
        public var openStreams = 0
        /// Samples taken by all streams.
        public var samples = 0
        /// How utterances were finished, oldest first.
        public var finishes: [RecognitionFlush] = []
        /// Calls that wait because the recogniser is held up.
        public var waiting = 0
    }

    private struct State {
        var record = Record()
        var isHeld = false
        var failure: VoiceError?
        var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
        var nextWaiter = 0
        var observers: [(condition: @Sendable (Record) -> Bool, continuation: CheckedContinuation<Void, Never>)] = []
    }

    /// See the protocol.
    public let name = "counting"
    private let maximumStreams: Int
    private let amendment: String
    private let endpointAfter: Int?
    private let state = Mutex(State())

    /// Makes a recogniser.
    /// - Parameters:
    ///   - maximumStreams: one more is refused.
    ///   - amendment: late punctuation, told with every transcript of an utterance after the first.
    ///   - endpointAfter: words after which an utterance counts as over.
    public init(maximumStreams: Int = .max, amendment: String = "", endpointAfter: Int? = nil) {
        self.maximumStreams = maximumStreams
        self.amendment = amendment
        self.endpointAfter = endpointAfter
    }

    /// What has happened so far.
    public var record: Record { state.withLock { $0.record } }

    /// Waits until something has happened.
    public func wait(until condition: @escaping @Sendable (Record) -> Bool) async {
        await withCheckedContinuation { continuation in
            let isTrue = state.withLock { state in
                if condition(state.record) { return true }
                state.observers.append((condition, continuation))
                return false
            }
            if isTrue { continuation.resume() }
        }
    }

    /// Changes the record and wakes those who waited for that.
    private func note<Result>(_ change: (inout State) -> sending Result) -> sending Result {
        let (result, satisfied) = state.withLock { state in
            let result = change(&state)
            let satisfied = state.observers.filter { $0.condition(state.record) }
            state.observers.removeAll { $0.condition(state.record) }
            return (result, satisfied)
        }
        for observer in satisfied { observer.continuation.resume() }
        return result
    }

    /// Makes every further `feed` and `finish` wait until ``release()``.
    public func hold() { state.withLock { $0.isHeld = true } }

    /// Lets all that wait go on.
    public func release() {
        let waiters = state.withLock { state in
            state.isHeld = false
            defer { state.waiters = [:] }
            return state.waiters.values
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Makes the next `feed` or `finish` throw.
    public func failNext(_ error: VoiceError) { state.withLock { $0.failure = error } }

    /// See the protocol. A lookahead of more than 13 is not offered.
    public func openStream(_ options: RecognitionOptions) async throws(VoiceError) -> any RecognizerStream {
        guard options.lookahead ?? 0 <= 13 else { throw VoiceError(.usage, "the lookahead is 13 at most") }
        let isOpen = note { state in
            guard state.record.openStreams < maximumStreams else { return false }
            state.record.openStreams += 1
            state.record.options.append(options)
            return true
        }
        guard isOpen else { throw VoiceError(.exhausted, "all \(maximumStreams) streams are taken") }
        return Stream(recognizer: self)
    }

    /// Waits while the recogniser is held up.
    private func pass() async throws(VoiceError) {
        let id = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let mustWait = note { state in
                    guard state.isHeld, !Task.isCancelled else { return false }
                    state.waiters[id] = continuation
                    state.record.waiting += 1
                    return true
                }
                if !mustWait { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: id) }?.resume()
        }
        if Task.isCancelled { throw VoiceError(.cancelled, "recognition was cancelled") }
        let failure = state.withLock { state in
            defer { state.failure = nil }
            return state.failure
        }
        if let failure { throw failure }
    }

    private final class Stream: RecognizerStream {
        private struct Position {
            /// Samples before the running utterance, and in it.
            var (before, count) = (0, 0)
            var words = 0
            var utterances = 0
        }

        private let recognizer: CountingRecognizer
        private let position = Mutex(Position())

        init(recognizer: CountingRecognizer) { self.recognizer = recognizer }

        deinit { recognizer.note { $0.record.openStreams -= 1 } }

        func feed(_ samples: [Float]) async throws(VoiceError) -> Transcript? {
            try await recognizer.pass()
            recognizer.note { $0.record.samples += samples.count }
            return position.withLock { position in
                position.count += samples.count
                let words = position.count / samplesPerWord
                defer { position.words = words }
                return words == position.words ? nil : transcript(position, isFinal: false)
            }
        }

        func finish(flushing flush: RecognitionFlush) async throws(VoiceError) -> Transcript {
            try await recognizer.pass()
            recognizer.note { $0.record.finishes.append(flush) }
            return position.withLock { position in
                defer {
                    position.before += position.count
                    (position.count, position.words) = (0, 0)
                    position.utterances += 1
                }
                return transcript(position, isFinal: true)
            }
        }

        func reset() async throws(VoiceError) { position.withLock { $0 = Position() } }

        private func transcript(_ position: Position, isFinal: Bool) -> Transcript {
            let words = (0..<position.count / samplesPerWord).map { index in
                let start = position.before + index * samplesPerWord
                return RecognizedWord(
                    text: "w\(index + 1)",
                    start: SampleRate.speech.duration(ofSamples: start),
                    end: SampleRate.speech.duration(ofSamples: start + samplesPerWord),
                    confidence: 0.5
                )
            }
            let text = words.map(\.text).joined(separator: " ")
            return Transcript(
                text: text,
                isFinal: isFinal,
                words: words,
                stableLength: isFinal ? nil : words.dropLast().map(\.text).joined(separator: " ").utf8.count,
                amendment: position.utterances > 0 ? recognizer.amendment : "",
                isEndpoint: recognizer.endpointAfter.map { words.count >= $0 } ?? false
            )
        }
    }
}
