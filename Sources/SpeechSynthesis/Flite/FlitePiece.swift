internal import CFlite
internal import VoiceCore

/// One piece of text on its way through flite. Lives on ``FliteThread``, for one call.
final class FlitePiece {
    private let words: ArraySlice<SpeakableText.Word>
    private let rate: SampleRate
    /// Samples of the utterance before this piece.
    private let base: Int
    private let queue: SpeechQueue
    private var speech: TrimmedSpeech?
    private var isWanted = true

    /// flite calls back after at least so many samples: 20 ms.
    private static let block: Int32 = 320
    /// Sound this long before the first phone is taken for a click.
    private static let slack: Duration = .milliseconds(20)

    private init(_ words: ArraySlice<SpeakableText.Word>, rate: SampleRate, base: Int, queue: SpeechQueue) {
        self.words = words
        self.rate = rate
        self.base = base
        self.queue = queue
    }

    /// Speaks `words` into `queue`, chunk by chunk while flite works. On ``FliteThread`` only; blocks.
    /// - Parameter base: samples of the utterance before this piece.
    /// - Throws: `fault` when flite fails, `unavailable` when the voice is missing.
    static func speak(
        _ words: ArraySlice<SpeakableText.Word>,
        voice: FliteVoice,
        base: Int,
        into queue: SpeechQueue
    ) throws(VoiceError) {
        guard let last = words.last else { return }
        let piece = FlitePiece(words, rate: FliteSynthesizer.rate, base: base, queue: queue)
        try piece.run(voice)
        guard piece.isWanted else { return }
        piece.deliver(piece.speech?.finish(pause: Pause(after: last.spoken).duration) ?? [])
    }

    private func run(_ voice: FliteVoice) throws(VoiceError) {
        guard let data = voice.data, let utterance = new_utterance(), let streaming = new_audio_streaming_info() else {
            throw VoiceError(.unavailable, "flite's voice '\(voice.rawValue)' cannot be set up")
        }
        streaming.pointee.min_buffsize = Self.block
        // flite only uses the pointer during the call below, within which `self` is alive.
        streaming.pointee.userdata = Unmanaged.passUnretained(self).toOpaque()
        streaming.pointee.asc = { wave, start, size, _, streaming in
            guard let wave, let streaming, let context = streaming.pointee.userdata else {
                return CST_AUDIO_STREAM_STOP
            }
            let piece = Unmanaged<FlitePiece>.fromOpaque(context).takeUnretainedValue()
            return piece.take(wave.pointee, Int(start), Int(size), streaming.pointee.utt)
        }
        // The utterance owns the streaming information and its copy of the text from here on.
        flite_stream(utterance, streaming)
        utt_set_input_text(utterance, words.map(\.spoken).joined(separator: " "))
        guard let result = flite_guarded_synth(utterance, data) else {
            throw VoiceError(.fault, "flite failed to speak a text of \(words.count) words")
        }
        delete_utterance(result)
    }

    /// Takes the samples from `start` on that flite has just made.
    private func take(_ wave: cst_wave, _ start: Int, _ size: Int, _ utterance: UnsafePointer<cst_utterance>?) -> Int32
    {
        if speech == nil { prepare(utterance) }
        // flite's own bounds: it has written `size` samples from `start` on.
        let samples = UnsafeBufferPointer(start: wave.samples + start, count: max(0, size)).map { Float($0) / 32_768 }
        deliver(speech?.feed(samples) ?? [])
        return isWanted ? CST_AUDIO_STREAM_CONT : CST_AUDIO_STREAM_STOP
    }

    /// Reads where words end: by the first call back flite has decided on all durations.
    private func prepare(_ utterance: UnsafePointer<cst_utterance>?) {
        let firstSound = relation_head(utt_relation(utterance, "Segment")).map { seconds(at: $0) } ?? 0
        let trimmer = SilenceTrimmer(rate: rate, earliest: sample(at: firstSound) - rate.samples(in: Self.slack))
        var borders: [SpokenWord] = []
        var end: Float = 0
        var token = relation_head(utt_relation(utterance, "Token"))
        for word in words {
            guard let current = token else { break }
            var spoken = item_daughter(current)
            while let part = spoken {
                // A part without sounds, such as a symbol, ends where the one before does.
                let segment = path_to_item(part, "R:SylStructure.daughtern.daughtern.R:Segment")
                if let segment { end = max(end, flite_ffeature_float(segment, "end")) }
                spoken = item_next(part)
            }
            borders.append(SpokenWord(textEnd: word.textEnd, sampleEnd: sample(at: end)))
            token = item_next(current)
        }
        speech = TrimmedSpeech(trimmer, borders: borders, base: base)
    }

    private func seconds(at segment: UnsafeMutablePointer<cst_item>) -> Float { flite_ffeature_float(segment, "end") }

    private func sample(at seconds: Float) -> Int { Int((seconds * Float(rate.hertz)).rounded()) }

    private func deliver(_ chunks: [SpeechChunk]) {
        isWanted = queue.append(chunks) && isWanted
    }
}
