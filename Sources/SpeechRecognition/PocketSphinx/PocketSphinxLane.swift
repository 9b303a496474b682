internal import Audio
internal import Inference
internal import VoiceCore

/// A decoder with a thread of its own: what one utterance uses at a time.
actor PocketSphinxLane {
    private let executor = EngineExecutor(name: "pocketsphinx")
    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe executor.asUnownedSerialExecutor() }

    private let model: PocketSphinxModel
    private var decoder: PocketSphinxDecoder?
    /// Whose utterance was the last one.
    private var speaker: LanePool.Speaker?
    /// Words of the utterance's parts that have been decoded to the end.
    private var finished: [String] = []
    /// Samples of the running part.
    private var fed = 0
    /// The same themselves, while they are few enough to be decoded again.
    private var heard: [Int16] = []
    /// The cepstral mean before the running part.
    private var meanBefore: CepstralMean?
    /// The end of the running part, while it is not certain.
    private var draft: Draft?
    private var newest = ""

    /// An end of a part that may be none.
    private struct Draft {
        /// The part's final words.
        let words: String
        /// What came since: silence, as far as anybody knows.
        var rest: [Float] = []
    }

    /// PocketSphinx keeps a table of all it has considered, so long utterances are decoded in parts: a part ends at a
    /// pause after 45 s, at the latest after 60 s.
    private static let softLimit = SampleRate.speech.samples(in: .seconds(45))
    private static let hardLimit = SampleRate.speech.samples(in: .seconds(60))
    /// Samples decoded between two looks at cancellation: 100 ms.
    private static let block = 1_600
    /// A part has a draft while it is this short: one that goes on is decoded again from its beginning, at some seven times its pace.
    private static let longestDraft = SampleRate.speech.samples(in: .seconds(10))
    /// More than this after a draft is no silence between words, whoever calls it one.
    private static let longestRest = SampleRate.speech.samples(in: .seconds(5))

    init(model: PocketSphinxModel) { self.model = model }

    /// Loads the model, if that is still to do.
    func load() throws(VoiceError) { _ = try loaded() }

    private func loaded() throws(VoiceError) -> PocketSphinxDecoder {
        if let decoder { return decoder }
        let new = try PocketSphinxDecoder(model: model)
        decoder = new
        return new
    }

    /// Makes ready for an utterance.
    /// - Parameter mean: what an earlier utterance of the speaker left; nil if there was none.
    func begin(_ speaker: LanePool.Speaker, _ mean: CepstralMean?) throws(VoiceError) {
        let decoder = try loaded()
        // Someone who speaks again goes on where they were, background noise included.
        if self.speaker != speaker { decoder.startFresh(mean ?? .initial) }
        self.speaker = speaker
        forget()
    }

    /// The cepstral mean after what was heard; nil before the model is loaded.
    var mean: CepstralMean? { decoder?.mean }

    func feed(_ samples: [Float]) throws(VoiceError) -> Transcript? {
        guard let decoder else { throw VoiceError(.fault, "the recogniser has not been opened") }
        draft?.rest += samples
        if let draft {
            guard draft.rest.count > Self.longestRest else { return nil }
            try resume()
        } else {
            try decode(samples.map { PCM16.quantize($0) }, decoder)
        }
        let text = SpokenText.display(finished + [decoder.hypothesis])
        guard text != newest else { return nil }
        newest = text
        return Transcript(text: text, isFinal: false)
    }

    private func decode(_ samples: [Int16], _ decoder: PocketSphinxDecoder) throws(VoiceError) {
        var start = 0
        while start < samples.count {
            guard !Task.isCancelled else { throw VoiceError(.cancelled, "recognition was cancelled") }
            if fed == 0 { meanBefore = decoder.mean }
            let block = Array(samples[start..<min(samples.count, start + Self.block)])
            try decoder.feed(block)
            fed += block.count
            start += block.count
            if fed <= Self.longestDraft { heard += block } else { heard = [] }
            if fed >= Self.hardLimit || fed >= Self.softLimit && !decoder.hearsSpeech { closePart(decoder) }
        }
    }

    /// Ends the running part, which ``resume()`` takes back.
    /// - Returns: nil when there is none, or too much of it.
    func makeDraft() -> Transcript? {
        guard let decoder, draft != nil || (1...Self.longestDraft).contains(fed) else { return nil }
        let ended = draft ?? Draft(words: decoder.finish())
        draft = ended
        return Transcript(text: SpokenText.display(finished + [ended.words]), isFinal: false)
    }

    /// Goes on with a part that ended in a draft: decodes it again, and what came since.
    func resume() throws(VoiceError) {
        guard let draft, let decoder else { return }
        let samples = heard + draft.rest.map { PCM16.quantize($0) }
        self.draft = nil
        heard = []
        fed = 0
        if let meanBefore { decoder.subtract(meanBefore) }
        try decode(samples, decoder)
    }

    func finish() -> Transcript {
        if let draft { finished.append(draft.words) } else if let decoder { closePart(decoder) }
        defer { forget() }
        return Transcript(text: SpokenText.display(finished), isFinal: true)
    }

    func reset() {
        decoder?.drop()
        forget()
    }

    private func closePart(_ decoder: PocketSphinxDecoder) {
        finished.append(decoder.finish())
        fed = 0
        heard = []
    }

    private func forget() {
        finished = []
        fed = 0
        heard = []
        draft = nil
        newest = ""
    }
}
