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
    private var newest = ""

    /// PocketSphinx keeps a table of all it has considered, so long utterances are decoded in parts: a part ends at a
    /// pause after 45 s, at the latest after 60 s.
    private static let softLimit = SampleRate.speech.samples(in: .seconds(45))
    private static let hardLimit = SampleRate.speech.samples(in: .seconds(60))
    /// Samples decoded between two looks at cancellation: 100 ms.
    private static let block = 1_600

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
        var start = 0
        while start < samples.count {
            guard !Task.isCancelled else { throw VoiceError(.cancelled, "recognition was cancelled") }
            let end = min(samples.count, start + Self.block)
            try decoder.feed(samples[start..<end].map { PCM16.quantize($0) })
            fed += end - start
            start = end
            if fed >= Self.hardLimit || fed >= Self.softLimit && !decoder.hearsSpeech { closePart(decoder) }
        }
        let text = SpokenText.display(finished + [decoder.hypothesis])
        guard text != newest else { return nil }
        newest = text
        return Transcript(text: text, isFinal: false)
    }

    func finish() -> Transcript {
        if let decoder { closePart(decoder) }
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
    }

    private func forget() {
        finished = []
        fed = 0
        newest = ""
    }
}
