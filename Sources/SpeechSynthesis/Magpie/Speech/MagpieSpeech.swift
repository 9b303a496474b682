internal import Audio
internal import Inference
internal import VoiceCore

/// One text being spoken: frames of codes, made sound of chunk by chunk as its consumer asks.
///
/// One task calls it, one call at a time.
actor MagpieSpeech {
    /// How soon after a quantum of the codec the next work of this speech is asked for.
    private static let followUp: Duration = .milliseconds(1)
    /// The most frames of a chunk: 186 ms. The codec takes four at once with least work.
    private static let largestChunk = 4

    private let voice: MagpieSynthesizer
    private let seed: UInt64
    private let urgency: Urgency
    private let spoken: SpokenText
    /// For each text its tokens, and the word that each token belongs to.
    private let texts: [(ids: [Int32], words: [Int])]
    private var engines: (frames: MagpieStream, codec: NanoCodecStream)?
    private var onset: SpeechOnset
    private var clock: WordClock
    /// Frames that were made sound of.
    private var made = 0
    private var isOver = false

    /// - Parameters:
    ///   - spoken: what is to be said.
    ///   - voice: by whom.
    ///   - seed: what the random numbers are made from.
    ///   - urgency: how pressing it is.
    init(of spoken: SpokenText, by voice: MagpieSynthesizer, seed: UInt64, urgency: Urgency) {
        self.voice = voice
        self.seed = seed
        self.urgency = urgency
        self.spoken = spoken
        var texts: [(ids: [Int32], words: [Int])] = []
        for place in MagpieTexts.split(spoken.words, limit: MagpieTexts.limit(voice.language)) {
            let part = SpokenText(words: Array(spoken.words[place]), work: 0)
            let (ids, words) = voice.encode(part)
            for piece in Self.fitting(ids.dropLast(), words, at: place.lowerBound, voice.model.maximumTokens) {
                texts.append(piece)
            }
        }
        self.texts = texts
        onset = SpeechOnset(rate: voice.sampleRate)
        clock = WordClock(spoken)
    }

    /// A text that has more tokens than the model takes, which only text without spaces has, in pieces.
    private static func fitting(
        _ ids: ArraySlice<Int32>,
        _ words: [Int],
        at first: Int,
        _ limit: Int
    ) -> [(ids: [Int32], words: [Int])] {
        stride(from: 0, to: ids.count, by: limit).map { start in
            let place = start..<min(start + limit, ids.count)
            return (Array(ids[place]), words[place].map { $0 + first })
        }
    }

    /// The next chunk; nil after the last one and after cancellation.
    /// - Throws: ``VoiceError/Code/exhausted`` when the engines speak as many texts as they can, and what their steps throw.
    func next() async throws(VoiceError) -> SpeechChunk? {
        do throws(VoiceError) {
            while !isOver {
                if let chunk = try await advance() { return chunk }
            }
            return nil
        } catch {
            isOver = true
            engines = nil
            guard error.code == .cancelled, Task.isCancelled else { throw error }
            return nil
        }
    }

    /// Makes sound of the next frames.
    /// - Returns: the sound, nil where it is still the silence before the first word.
    private func advance() async throws(VoiceError) -> SpeechChunk? {
        guard !texts.isEmpty else {
            isOver = true
            return nil
        }
        let engines = try await opened()
        let wanted = min(Self.largestChunk, max(1, made / 2))
        var codes: [[Int32]] = []
        var truncated: [Int] = []
        while codes.count < wanted, !isOver {
            switch try await engines.frames.step() {
            case .frame(let frame):
                clock.reach(word: word(of: frame), at: (made + codes.count) * voice.codec.samplesPerFrame)
                codes.append(frame.codes)
            case .end(let cut):
                isOver = true
                truncated = cut
            }
        }
        var samples: [Float] = []
        if !codes.isEmpty {
            let quantum = QuantumRequest(
                NanoCodec.quantumKind,
                urgency,
                owner: urgency.owner ?? 0,
                followUp: Self.followUp
            )
            samples = try await engines.codec.decode(codes, quantum: quantum)
            made += codes.count
        }
        var sound = onset.feed(samples)
        if isOver {
            self.engines = nil
            sound += onset.finish()
            // A text that was cut off was not said to its end.
            if !truncated.contains(texts.count - 1) {
                clock.reach(word: spoken.words.count, at: made * voice.codec.samplesPerFrame)
            }
        }
        guard !sound.isEmpty else { return nil }
        let words = clock.borders.take(until: onset.emitted, dropped: onset.dropped, all: isOver)
        return SpeechChunk(samples: sound, words: words)
    }

    /// The word that a frame is part of.
    private func word(of frame: MagpieFrame) -> Int {
        guard texts.indices.contains(frame.text), let last = texts[frame.text].words.last else { return 0 }
        let words = texts[frame.text].words
        return frame.token < words.count ? words[frame.token] : last
    }

    private func opened() async throws(VoiceError) -> (frames: MagpieStream, codec: NanoCodecStream) {
        if let engines { return engines }
        var sampling = voice.sampling
        sampling.seed = seed
        let frames = try voice.model.stream(
            texts.map(\.ids),
            speaker: voice.speaker,
            sampling: sampling,
            urgency: urgency
        )
        let opened = (frames, try await voice.codec.openStream())
        engines = opened
        return opened
    }
}
