internal import Inference
package import VoiceCore

/// One speaker's recognition on a shared ``NemotronEngine``.
///
/// The features are computed here; chunks go to the engine. **The final transcript is made on a fork**: the fork gets the
/// rest of the audio and then silence, the stream itself goes on from what was really said. What the fork decoded of real
/// audio is not decoded again: the stream takes over its search and skips those frames.
///
/// One task calls it, one call at a time. Cancellation is looked at between steps.
package actor NemotronStream: RecognizerStream {
    /// Everything but the slot's contents; a fork copies it.
    fileprivate struct State {
        var logMel: LogMel
        var cutter: ChunkCutter
        var search: GreedySearch.State
        var text: UtteranceText
        var endpointer: BlankRunEndpointer
        /// The newest partial transcript of the utterance.
        var latest: Transcript?
    }

    private let engine: NemotronEngine
    private let options: NemotronStreamOptions
    private let seat: StreamSeat
    private var state: State

    /// Takes a slot and clears it.
    /// - Throws: ``VoiceError/Code/exhausted`` when all are taken.
    init(engine: NemotronEngine, options: NemotronStreamOptions) async throws(VoiceError) {
        let seat = try StreamSeat(engine.seats, of: "streams of the recogniser")
        await engine.clear(seat.slot)
        self.engine = engine
        self.options = options
        self.seat = seat
        state = try await Self.beginning(engine, options)
    }

    private init(engine: NemotronEngine, options: NemotronStreamOptions, seat: StreamSeat, state: State) {
        self.engine = engine
        self.options = options
        self.seat = seat
        self.state = state
    }

    private static func beginning(
        _ engine: NemotronEngine,
        _ options: NemotronStreamOptions
    ) async throws(VoiceError) -> State {
        State(
            logMel: LogMel(options.tables),
            cutter: ChunkCutter(bands: engine.h.melBands, lookahead: options.lookahead),
            search: try await engine.beginning(boosting: options.phrases.map(PhraseBooster.init)),
            text: UtteranceText(vocabulary: options.vocabulary),
            endpointer: BlankRunEndpointer(vocabulary: options.vocabulary, silence: options.endpointSilence)
        )
    }

    /// See ``RecognizerStream/feed(_:)``.
    package func feed(_ samples: [Float]) async throws(VoiceError) -> Transcript? {
        state.append(samples)
        let isEndpoint = try await stepWhole(isUrgent: false)
        let news = state.text.next()
        if let news { state.latest = news }
        guard news != nil || isEndpoint, var transcript = state.latest else { return nil }
        if news == nil { transcript.amendment = "" }
        transcript.isEndpoint = isEndpoint
        return transcript
    }

    /// See ``RecognizerStream/finish(flushing:)``.
    package func finish(flushing flush: RecognitionFlush) async throws(VoiceError) -> Transcript {
        let fork = try await self.fork()
        let (transcript, search) = try await fork.end(flushing: flush)
        // Tokens are never decoded twice: go on with the fork's search, behind the audio that it really heard.
        state.search = search
        state.search.nextFrame = min(search.nextFrame, ChunkCutter.frames(of: state.logMel.frameCount))
        state.text.beginUtterance(after: transcript)
        state.latest = nil
        state.endpointer.reset()
        return transcript
    }

    /// See ``RecognizerStream/draft()``: on a fork, which gets the rest of the audio and then silence.
    package func draft() async throws(VoiceError) -> Transcript? {
        try await fork().end(flushing: .lookahead).transcript
    }

    /// See ``RecognizerStream/reset()``.
    package func reset() async throws(VoiceError) {
        await engine.clear(seat.slot)
        state = try await Self.beginning(engine, options)
    }

    /// A stream of its own that has heard what this one has. What becomes of it does not touch this one.
    ///
    /// It takes a slot until its last reference goes; keep at most one fork of a stream at a time. Copying takes half a
    /// millisecond on a CPU (median of 30 with the 0.6B model: 0.35 and 0.47 ms in two runs, Zen 4).
    /// - Throws: ``VoiceError/Code/exhausted`` when there are more forks than that.
    package func fork() async throws(VoiceError) -> NemotronStream {
        let seat = try StreamSeat(engine.forkSeats, of: "forks of the recogniser")
        await engine.copy(self.seat.slot, to: seat.slot)
        return NemotronStream(engine: engine, options: options, seat: seat, state: state)
    }

    /// Samples and features that wait for a chunk to be complete. Bounded, however long the stream.
    var heldValues: Int { state.logMel.heldSamples + state.cutter.heldValues }

    /// Ends this stream: the rest of the audio, the silence asked for, the final transcript.
    private func end(
        flushing flush: RecognitionFlush
    ) async throws(VoiceError) -> (transcript: Transcript, search: GreedySearch.State) {
        if flush == .lookahead { state.append([Float](repeating: 0, count: padding)) }
        if flush == .none || state.logMel.sampleCount == 0 {
            state.flush()
            _ = try await stepWhole(isUrgent: true)
            if let rest = state.cutter.rest() { _ = try await step(rest, isUrgent: true) }
        } else {
            _ = try await stepWhole(isUrgent: true)
        }
        return (state.text.finish(), state.search)
    }

    /// Samples of silence that complete the chunk of the last real frame, so that it sees what it would have seen, and that
    /// let a token come late: at least two frames after the last real one, or one where streams look ahead less. Nothing
    /// when nothing was fed.
    private var padding: Int {
        let h = engine.h
        guard state.logMel.sampleCount > 0 else { return 0 }
        // The last row of features that real samples reach, and the encoder frame that it belongs to.
        let reach = h.windowLength / 2
        let lastRow = (state.logMel.sampleCount - 1 + reach) / h.hopLength
        let lastFrame = (lastRow + NemotronHyperparameters.subsampling - 1) / NemotronHyperparameters.subsampling
        let chunk = options.lookahead + 1
        let wanted = lastFrame + 1 + min(max(1, options.lookahead), 2) - state.cutter.position
        let frames = state.cutter.position + max(1, (wanted + chunk - 1) / chunk) * chunk
        // Frame t needs feature rows up to 8 t, row i needs samples up to hop · i + reach.
        let rows = NemotronHyperparameters.subsampling * (frames - 1)
        return max(0, rows * h.hopLength + reach - state.logMel.sampleCount)
    }

    /// Computes all chunks that are complete.
    /// - Returns: true when the endpointer says that the utterance is over.
    private func stepWhole(isUrgent: Bool) async throws(VoiceError) -> Bool {
        var isEndpoint = false
        while !Task.isCancelled {
            guard let chunk = state.cutter.next(limit: options.framesPerStep) else { return isEndpoint }
            if try await step(chunk, isUrgent: isUrgent) { isEndpoint = true }
        }
        throw VoiceError(.cancelled, "Recognition was cancelled.")
    }

    private func step(_ chunk: EncoderChunk, isUrgent: Bool) async throws(VoiceError) -> Bool {
        let response = try await engine.step(
            NemotronEngine.Request(
                slot: seat.slot,
                chunk: chunk,
                prompt: options.prompt,
                search: state.search,
                isUrgent: isUrgent
            )
        )
        state.search = response.search
        state.text.append(response.tokens)
        return state.endpointer.advance(frames: chunk.validFrames, tokens: response.tokens)
    }
}

extension NemotronStream.State {
    fileprivate mutating func append(_ samples: [Float]) {
        var features: [Float] = []
        logMel.feed(samples, into: &features)
        cutter.append(features)
    }

    fileprivate mutating func flush() {
        var features: [Float] = []
        logMel.flush(into: &features)
        cutter.append(features)
    }
}

/// How one stream is recognised, worked out once.
struct NemotronStreamOptions: Sendable {
    var tables: LogMelTables
    var vocabulary: TokenVocabulary
    var lookahead: Int
    /// The language's number.
    var prompt: Int
    var phrases: PhraseTrie?
    var endpointSilence: Duration?
    /// Encoder frames of one step at most.
    var framesPerStep: Int
}
