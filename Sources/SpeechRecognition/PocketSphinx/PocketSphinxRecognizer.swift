internal import Synchronization
package import VoiceCore

/// PocketSphinx behind ``SpeechRecognizer``: on request, American English only.
///
/// A stream owns a decoder and a thread while it lives. Decoders of streams that have ended are kept for the next ones,
/// a few of them. Its audio should begin about 300 ms before speech and end soon after it.
package final class PocketSphinxRecognizer: SpeechRecognizer {
    /// `pocketsphinx-en-us`.
    package let name = "pocketsphinx-en-us"

    private let pool: LanePool

    /// Finds the model; loads nothing yet.
    /// - Parameters:
    ///   - model: the model; by default the one of the machine.
    ///   - maximumStreams: streams that may be open at once; each takes about 100 MB.
    ///   - maximumIdle: decoders kept for later when streams end.
    /// - Throws: `unavailable` when the model is missing.
    package init(model: PocketSphinxModel? = nil, maximumStreams: Int = 16, maximumIdle: Int = 2) throws(VoiceError) {
        let found = if let model { model } else { try PocketSphinxModel.find() }
        pool = LanePool(model: found, maximumInUse: maximumStreams, maximumIdle: maximumIdle)
    }

    /// Loads a decoder ahead of need, about half a second of work, so that the first stream opens at once.
    package func prepare() async throws(VoiceError) { _ = try await openStream() }

    /// Opens a stream; see ``SpeechRecognizer/openStream(_:)``.
    package func openStream(_ options: RecognitionOptions) async throws(VoiceError) -> any RecognizerStream {
        guard options.lookahead == nil, options.phrases.isEmpty, options.endpointSilence == nil,
            options.language.map({ $0.lowercased().hasPrefix("en") }) ?? true
        else {
            throw VoiceError(
                .usage,
                "PocketSphinx understands English only and has no lookahead, phrases or endpointer; leave these options out"
            )
        }
        let stream = PocketSphinxStream(lane: try pool.take(), pool: pool)
        try await stream.lane.open()
        return stream
    }
}

/// One speaker's use of a lane, which goes back to the pool when the last reference goes.
private final class PocketSphinxStream: RecognizerStream {
    let lane: PocketSphinxLane
    private let pool: LanePool

    init(lane: PocketSphinxLane, pool: LanePool) {
        self.lane = lane
        self.pool = pool
    }

    deinit { pool.giveBack(lane) }

    func feed(_ samples: [Float]) async throws(VoiceError) -> Transcript? { try await lane.feed(samples) }
    func finish(flushing flush: RecognitionFlush) async throws(VoiceError) -> Transcript { await lane.finish() }
    func reset() async throws(VoiceError) { await lane.reset() }
}

/// Lends lanes. One that comes back is used again before a new one is made.
private final class LanePool: Sendable {
    private struct State {
        var idle: [PocketSphinxLane] = []
        var inUse = 0
    }

    private let model: PocketSphinxModel
    private let maximumInUse: Int
    private let maximumIdle: Int
    private let state = Mutex(State())

    init(model: PocketSphinxModel, maximumInUse: Int, maximumIdle: Int) {
        self.model = model
        self.maximumInUse = maximumInUse
        self.maximumIdle = maximumIdle
    }

    func take() throws(VoiceError) -> PocketSphinxLane {
        let lane: PocketSphinxLane? = state.withLock { state in
            guard state.inUse < maximumInUse else { return nil }
            state.inUse += 1
            return state.idle.popLast() ?? PocketSphinxLane(model: model)
        }
        guard let lane else {
            throw VoiceError(
                .exhausted,
                "all \(maximumInUse) recognisers are in use; close a session or raise the limit"
            )
        }
        return lane
    }

    func giveBack(_ lane: PocketSphinxLane) {
        state.withLock { state in
            state.inUse -= 1
            if state.idle.count < maximumIdle { state.idle.append(lane) }
        }
    }
}
