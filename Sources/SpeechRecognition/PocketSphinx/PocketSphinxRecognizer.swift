internal import Foundation
package import VoiceCore

/// PocketSphinx behind ``SpeechRecognizer``: on request, American English only.
///
/// A stream has a decoder and its thread from the first sample of an utterance to its end, and between utterances a few
/// numbers: who is silent takes no memory. Its audio should begin about 300 ms before speech and end soon after it.
package final class PocketSphinxRecognizer: SpeechRecognizer {
    /// `pocketsphinx-en-us`.
    package let name = "pocketsphinx-en-us"

    private let pool: LanePool
    private let mostDrafting: Int

    /// Finds the model; loads nothing yet.
    /// - Parameters:
    ///   - model: the model; by default the one of the machine.
    ///   - maximumStreams: streams that may be open at once; each that hears an utterance takes about 100 MB.
    ///   - maximumIdle: decoders that are kept although nobody has spoken for a minute.
    ///   - mostDrafting: nobody gets a draft while more than so many speak, since one that was wrong costs decoding the utterance again.
    /// - Throws: `unavailable` when the model is missing.
    package init(
        model: PocketSphinxModel? = nil,
        maximumStreams: Int = 16,
        maximumIdle: Int = 2,
        mostDrafting: Int = max(1, ProcessInfo.processInfo.activeProcessorCount / 2)
    ) throws(VoiceError) {
        self.mostDrafting = mostDrafting
        let found = if let model { model } else { try PocketSphinxModel.find() }
        pool = LanePool(model: found, maximumStreams: maximumStreams, maximumIdle: maximumIdle)
    }

    /// Loads a decoder ahead of need, about half a second of work, so that the first utterance finds one.
    package func prepare() async throws(VoiceError) {
        let lane = pool.take(for: nil)
        try await lane.load()
        pool.giveBack(lane)
    }

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
        return PocketSphinxStream(speaker: try pool.enter(), pool: pool, mostDrafting: mostDrafting)
    }
}

/// One speaker's utterances, each of which has a lane for itself.
private actor PocketSphinxStream: RecognizerStream {
    private let speaker: LanePool.Speaker
    private let pool: LanePool
    private let mostDrafting: Int
    /// That of the running utterance.
    private var lane: PocketSphinxLane?
    /// What the last utterance told about how the speaker sounds.
    private var mean: CepstralMean?

    init(speaker: LanePool.Speaker, pool: LanePool, mostDrafting: Int) {
        self.speaker = speaker
        self.pool = pool
        self.mostDrafting = mostDrafting
    }

    deinit {
        if let lane { pool.giveBack(lane) }
        pool.leave()
    }

    func feed(_ samples: [Float]) async throws(VoiceError) -> Transcript? {
        guard !samples.isEmpty else { return nil }
        return try await utterance().feed(samples)
    }

    /// The lane of the running utterance, which begins here if there is none.
    private func utterance() async throws(VoiceError) -> PocketSphinxLane {
        if let lane { return lane }
        let lane = pool.take(for: speaker)
        do { try await lane.begin(speaker, mean) } catch {
            pool.giveBack(lane)
            throw error
        }
        self.lane = lane
        return lane
    }

    /// See ``RecognizerStream/draft()``: the final transcript itself, of an utterance that is decoded again if it goes on.
    func draft() async throws(VoiceError) -> Transcript? {
        guard let lane, pool.speaking <= mostDrafting else { return nil }
        return await lane.makeDraft()
    }

    func resume() async throws(VoiceError) { try await lane?.resume() }

    func finish(flushing flush: RecognitionFlush) async throws(VoiceError) -> Transcript {
        guard let lane else { return Transcript(text: "", isFinal: true) }
        let transcript = await lane.finish()
        await giveBack(lane)
        return transcript
    }

    func reset() async throws(VoiceError) {
        guard let lane else { return }
        await lane.reset()
        await giveBack(lane)
    }

    private func giveBack(_ lane: PocketSphinxLane) async {
        mean = await lane.mean
        self.lane = nil
        pool.giveBack(lane)
    }
}
