internal import Synchronization
public import VoiceCore

/// A voice that is as fast as it is let: every UTF-8 byte of a text is 10 ms of a constant, in chunks of two bytes, and every
/// word's end is known.
///
/// It remembers what it was asked to speak. It can be held up and made to fail.
public final class CountingSynthesizer: SpeechSynthesizer {
    /// What has happened so far.
    public struct Record: Sendable {
        /// The texts, oldest first.
        public var texts: [String] = []
        /// Texts that are being spoken.
        public var openStreams = 0
        /// Chunks handed out.
        public var chunks = 0
        /// Calls that wait because the voice is held up.
        public var waiting = 0
    }

    private struct State {
        var record = Record()
        /// Chunks after which the voice is held up.
        var limit: Int?
        var isHeld: Bool { limit.map { record.chunks >= $0 } ?? false }
        var failure: VoiceError?
        var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
        var nextWaiter = 0
        var observers: [(condition: @Sendable (Record) -> Bool, continuation: CheckedContinuation<Void, Never>)] = []
    }

    /// See the protocol.
    public let name = "counting"
    /// See the protocol.
    public let sampleRate: SampleRate
    /// What every sample is.
    public static let level: Float = 0.25
    private let state = Mutex(State())

    /// Makes a voice.
    public init(sampleRate: SampleRate = .speech) { self.sampleRate = sampleRate }

    /// What has happened so far.
    public var record: Record { state.withLock { $0.record } }

    /// Samples of a byte.
    public var samplesPerByte: Int { sampleRate.samples(in: .milliseconds(10)) }

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

    /// Makes every chunk after so many wait until ``release()``.
    public func hold(afterChunks limit: Int = 0) { state.withLock { $0.limit = limit } }

    /// Lets all who wait go on.
    public func release() {
        let waiters = state.withLock { state in
            defer { state.waiters = [:] }
            state.limit = nil
            return state.waiters.values.map { $0 }
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Makes the next chunk fail.
    public func failNext(_ error: VoiceError) { state.withLock { $0.failure = error } }

    /// See the protocol.
    public func speak(_ text: String, urgency: Urgency) -> AsyncThrowingStream<SpeechChunk, any Error> {
        let speech = Speech(self, text)
        return AsyncThrowingStream { try await speech.next() }
    }

    /// Changes the record and wakes those who waited for that.
    private func note(_ change: (inout Record) -> Void) {
        let satisfied = state.withLock { state in
            change(&state.record)
            let satisfied = state.observers.filter { $0.condition(state.record) }
            state.observers.removeAll { $0.condition(state.record) }
            return satisfied
        }
        for observer in satisfied { observer.continuation.resume() }
    }

    /// Waits while the voice is held up; returns at once when the task is cancelled.
    private func waitForRelease() async {
        guard state.withLock({ $0.isHeld }) else { return }
        note { $0.waiting += 1 }
        defer { note { $0.waiting -= 1 } }
        let number = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let mustWait = state.withLock { state in
                    guard state.isHeld, !Task.isCancelled else { return false }
                    state.waiters[number] = continuation
                    return true
                }
                if !mustWait { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: number) }?.resume()
        }
    }

    private final class Speech: Sendable {
        private let voice: CountingSynthesizer
        private let bytes: [UInt8]
        private let position = Mutex(0)

        init(_ voice: CountingSynthesizer, _ text: String) {
            self.voice = voice
            bytes = Array(text.utf8)
            voice.note {
                $0.texts.append(text)
                $0.openStreams += 1
            }
        }

        deinit { voice.note { $0.openStreams -= 1 } }

        func next() async throws -> SpeechChunk? {
            await voice.waitForRelease()
            let failure = voice.state.withLock { state in
                defer { state.failure = nil }
                return state.failure
            }
            if let failure { throw failure }
            guard !Task.isCancelled else { return nil }
            let start = position.withLock { position in
                defer { position += 2 }
                return position
            }
            guard start < bytes.count else { return nil }
            let range = start..<min(bytes.count, start + 2)
            voice.note { $0.chunks += 1 }
            let ends = range.filter { bytes[$0] != UInt8(ascii: " ") }
                .filter { $0 + 1 == bytes.count || bytes[$0 + 1] == UInt8(ascii: " ") }
            return SpeechChunk(
                samples: [Float](repeating: CountingSynthesizer.level, count: range.count * voice.samplesPerByte),
                words: ends.map { SpokenWord(textEnd: $0 + 1, sampleEnd: ($0 + 1) * voice.samplesPerByte) }
            )
        }
    }
}
