internal import Inference
internal import VoiceCore

/// One text being said: piece after piece, stretch after stretch, as its consumer asks for chunks.
actor PiperSpeech {
    private let voice: PiperVoice
    private let urgency: Urgency
    private var pieces: ArraySlice<PiperPiece>
    private var seeds: SplitMix64
    private var ready: ArraySlice<SpeechChunk> = []
    private var current: (stream: PiperStream, speech: TrimmedSpeech, pause: Pause)?
    /// Samples handed to the consumer so far, and stretches computed of the current piece.
    private var position = 0
    private var stretches = 0

    init(_ voice: PiperVoice, _ pieces: [PiperPiece], seed: UInt64, urgency: Urgency) {
        self.voice = voice
        self.urgency = urgency
        self.pieces = pieces[...]
        seeds = SplitMix64(seed: seed)
    }

    /// The next chunk; nil after the last one and after cancellation. One caller at a time.
    /// - Throws: what the engine's steps throw; the speech is then over.
    func next() async throws(VoiceError) -> SpeechChunk? {
        do throws(VoiceError) {
            return try await chunk()
        } catch {
            (pieces, ready, current) = ([], [], nil)
            guard error.code == .cancelled, Task.isCancelled else { throw error }
            return nil
        }
    }

    private func chunk() async throws(VoiceError) -> SpeechChunk? {
        while true {
            if let chunk = ready.popFirst() {
                position += chunk.samples.count
                return chunk
            }
            if current == nil {
                guard let piece = pieces.popFirst() else { return nil }
                try await begin(piece)
            }
            try await advance()
        }
    }

    private func begin(_ piece: PiperPiece) async throws(VoiceError) {
        let stream = try voice.stream(of: piece.ids, seed: seeds.next(), urgency: urgency)
        let sentence = try await stream.begun()
        let hop = voice.samplesPerFrame
        let borders = piece.words.map {
            SpokenWord(textEnd: $0.textEnd, sampleEnd: sentence.end(ofSymbol: $0.symbol) * hop)
        }
        let trimmer = SilenceTrimmer(rate: voice.sampleRate, earliest: 0)
        current = (stream, TrimmedSpeech(trimmer, borders: borders, base: position), piece.pause)
        stretches = 0
    }

    private func advance() async throws(VoiceError) {
        guard let stream = current?.stream, let pause = current?.pause else { return }
        if let samples = try await stream.next(frames: PiperSchedule.frames(ofStretch: stretches)) {
            stretches += 1
            ready = current?.speech.feed(samples)[...] ?? []
        } else {
            ready = current?.speech.finish(pause: pause.duration)[...] ?? []
            current = nil
        }
    }
}

/// How many frames are computed at once: few at first, so that there is sound soon, then more, because the borders of a stretch
/// cost two frames.
enum PiperSchedule {
    private static let stretches = [12, 16, 24]
    private static let longest = 32

    static func frames(ofStretch index: Int) -> Int {
        stretches.indices.contains(index) ? stretches[index] : longest
    }
}
