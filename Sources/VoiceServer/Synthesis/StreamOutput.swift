internal import Audio
internal import VoiceCore

/// The audio of the stream that is being spoken, at the rate of its client: pieces of text in, samples and word times out.
///
/// **`begin` a piece, `feed` its chunks, `end` it.** A value.
struct StreamOutput: Sendable {
    /// The stream.
    let stream: SynthesisStream
    /// Samples made so far.
    private(set) var samples = 0
    /// Of these, samples handed to the connection.
    private(set) var sent = 0
    /// Segments that are complete.
    private(set) var segments = 0
    /// True once all was made.
    var isOver = false

    private var resampler: Resampler
    private var pause: SentencePause
    private var segmentStart = 0
    /// The piece, where it begins in the stream's text, and in the audio; nil until there is audio.
    private var piece = ClauseCutter.Clause(text: "", start: 0)
    private var pieceStart: Int?
    /// The end of the last word told of, in the piece.
    private var wordEnd = 0
    private var spoken = SpokenSoFar()

    /// Begins a stream that `voiceRate` is spoken at.
    init(_ stream: SynthesisStream, voiceRate: SampleRate) {
        self.stream = stream
        resampler = Resampler(from: voiceRate, to: stream.rate)
        pause = SentencePause(stream.wishes.sentencePause, rate: stream.rate)
    }

    /// Begins a piece of text.
    mutating func begin(_ piece: ClauseCutter.Clause) {
        self.piece = piece
        pieceStart = nil
        wordEnd = 0
        if stream.wishes.acknowledges { spoken.begin(piece) }
    }

    /// Takes a chunk of the piece.
    mutating func feed(_ chunk: SpeechChunk) -> (samples: [Float], words: [SynthesisProtocol.WordTime]) {
        let samples = add(resampler.feed(chunk.samples))
        let (to, from) = (resampler.outputRate.hertz, resampler.inputRate.hertz)
        var words: [SynthesisProtocol.WordTime] = []
        for word in chunk.words {
            guard word.textEnd > wordEnd, word.textEnd <= piece.text.utf8.count, word.sampleEnd >= 0 else { continue }
            let end = (pieceStart ?? self.samples) + word.sampleEnd * to / from
            words.append(
                SynthesisProtocol.WordTime(
                    text: text(from: wordEnd, to: word.textEnd),
                    textEnd: piece.start + word.textEnd,
                    end: stream.rate.wireMilliseconds(ofSamples: end)
                )
            )
            wordEnd = word.textEnd
            if stream.wishes.acknowledges { spoken.note(textEnd: word.textEnd, sampleEnd: end) }
        }
        return (samples, stream.wishes.showsWords ? words : [])
    }

    /// Ends the audio of the piece.
    /// - Returns: what the change of rate has kept.
    mutating func end() -> [Float] {
        let tail = add(resampler.flush())
        pause.end(piece.text)
        if stream.wishes.acknowledges { spoken.note(textEnd: piece.text.utf8.count, sampleEnd: samples) }
        return tail
    }

    /// Notes that so many samples more were handed to the connection.
    mutating func send(_ count: Int) { sent += count }

    /// Ends a segment.
    /// - Returns: its number, from 1, and its length in milliseconds.
    mutating func endSegment() -> (number: Int, audio: Double) {
        defer { segmentStart = samples }
        segments += 1
        return (segments, stream.rate.wireMilliseconds(ofSamples: samples - segmentStart))
    }

    /// All audio so far, in milliseconds.
    var audio: Double { stream.rate.wireMilliseconds(ofSamples: samples) }

    /// What was heard when the stream is cancelled.
    ///
    /// - Parameters:
    ///   - dropped: audio that was handed to the connection, and has not left.
    ///   - played: how much the client has played; nil for all that was sent.
    func cancelled(dropped: Duration, played: Duration?) -> SynthesisProtocol.Cancelled {
        // Lengths of pieces are cut to nanoseconds: to the nearest sample.
        let halfSample = Duration.nanoseconds(500_000_000 / stream.rate.hertz)
        let sent = max(0, sent - stream.rate.samples(in: dropped + halfSample))
        let heard = min(sent, played.map { stream.rate.samples(in: $0 + halfSample) } ?? sent)
        return SynthesisProtocol.Cancelled(
            id: stream.id,
            context: stream.context,
            audio: stream.rate.wireMilliseconds(ofSamples: heard),
            text: spoken.text(upTo: heard)
        )
    }

    private mutating func add(_ new: [Float]) -> [Float] {
        guard !new.isEmpty else { return [] }
        var all = new
        if pieceStart == nil {
            let silence = pause.take()
            pieceStart = samples + silence
            all = [Float](repeating: 0, count: silence) + new
        }
        pause.feed(all)
        samples += all.count
        return all
    }

    /// The words between two places in the piece, without the space around them.
    private func text(from start: Int, to end: Int) -> String {
        let rest = piece.text.prefix(utf8Count: end)
        let words = rest.dropFirst(piece.text.prefix(utf8Count: start).count)
        return words.trimmed
    }
}

/// A stream's text with the times at which words and pieces of it end.
struct SpokenSoFar: Sendable {
    private var text = ""
    /// Where the text begins in the stream's, and where the piece does.
    private var start: Int?
    private var pieceStart = 0
    private var marks: [(textEnd: Int, sampleEnd: Int)] = []

    /// Takes the next piece of text.
    mutating func begin(_ piece: ClauseCutter.Clause) {
        let start = start ?? piece.start
        self.start = start
        // Blank text between the pieces was not kept.
        text += String(repeating: " ", count: max(0, piece.start - start - text.utf8.count))
        pieceStart = text.utf8.count
        text += piece.text
    }

    /// Takes a place in the piece that has been spoken once so many samples of the stream were.
    mutating func note(textEnd: Int, sampleEnd: Int) {
        marks.append((pieceStart + textEnd, sampleEnd))
    }

    /// The text that so many samples speak.
    func text(upTo samples: Int) -> String {
        let end = marks.last { $0.sampleEnd <= samples }?.textEnd ?? 0
        return String(text.prefix(utf8Count: end))
    }
}
