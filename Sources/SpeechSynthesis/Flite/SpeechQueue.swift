internal import Synchronization
internal import VoiceCore

/// Carries chunks from ``FliteThread`` to the one task that consumes them.
///
/// It holds the audio of one piece of text at most: the next piece is only begun when it is empty.
final class SpeechQueue: Sendable {
    private struct State {
        var chunks: [SpeechChunk] = []
        var isFinished = true
        var isCancelled = false
        var failure: VoiceError?
        var consumer: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    /// What a consumer finds.
    enum Step {
        case chunk(SpeechChunk)
        case pieceFinished
        case cancelled
    }

    /// Announces that a piece is being made.
    func begin() {
        state.withLock { $0.isFinished = false }
    }

    /// Adds chunks; called on ``FliteThread``.
    /// - Returns: false when nobody wants any more.
    func append(_ chunks: [SpeechChunk]) -> Bool {
        let (consumer, isWanted) = state.withLock { state in
            guard !state.isCancelled else { return (nil as CheckedContinuation<Void, Never>?, false) }
            state.chunks.append(contentsOf: chunks)
            guard !state.chunks.isEmpty else { return (nil, true) }
            return (state.consumer.take(), true)
        }
        consumer?.resume()
        return isWanted
    }

    /// Says that the piece is complete, or why it will not be.
    func finish(_ failure: VoiceError? = nil) {
        state.withLock { state in
            state.isFinished = true
            state.failure = failure
            return state.consumer.take()
        }?.resume()
    }

    /// Says that nobody wants any more.
    func cancel() {
        state.withLock { state in
            state.isCancelled = true
            state.chunks = []
            return state.consumer.take()
        }?.resume()
    }

    /// True once ``cancel()`` has been called.
    var isCancelled: Bool { state.withLock(\.isCancelled) }

    /// Waits for the next chunk or the end of the piece. One caller at a time; its cancellation is ``cancel()``.
    func next() async throws(VoiceError) -> Step {
        while true {
            if let step = try poll() { return step }
            await withTaskCancellationHandler {
                await withCheckedContinuation { continuation in
                    let isReady = state.withLock { state in
                        guard state.chunks.isEmpty, !state.isFinished, !state.isCancelled else { return true }
                        state.consumer = continuation
                        return false
                    }
                    if isReady { continuation.resume() }
                }
            } onCancel: {
                cancel()
            }
        }
    }

    private func poll() throws(VoiceError) -> Step? {
        let (step, failure): (Step?, VoiceError?) = state.withLock { state in
            if state.isCancelled { return (.cancelled, nil) }
            if !state.chunks.isEmpty { return (.chunk(state.chunks.removeFirst()), nil) }
            if let failure = state.failure.take() { return (nil, failure) }
            return (state.isFinished ? .pieceFinished : nil, nil)
        }
        if let failure { throw failure }
        return step
    }
}
