internal import Transports
internal import VoiceCore

/// The half of the machine that the voice sees.
extension SynthesisMachine {
    /// The next piece of text to be spoken, if there is one and the voice is free.
    mutating func next() -> Piece? {
        guard speaking == nil, let output, let voice = voice(of: output.stream), let clause = pieces.popFirst() else {
            return nil
        }
        defer { arrival = nil }
        pieceCount += 1
        speaking = pieceCount
        self.output?.begin(clause)
        return Piece(
            number: pieceCount,
            epoch: output.stream.epoch,
            text: clause.text,
            voice: voice,
            rate: output.stream.rate,
            isFirst: output.samples == 0,
            arrival: arrival
        )
    }

    /// True while the piece has not been cancelled.
    func isSpeaking(_ piece: Piece) -> Bool { speaking == piece.number }

    /// Takes a chunk of a piece's audio.
    /// - Returns: the samples to be sent, and a message to be sent before; nil once the piece was cancelled.
    mutating func made(_ chunk: SpeechChunk, of piece: Piece) -> (samples: [Float], before: Message?)? {
        guard isSpeaking(piece), let (samples, words) = output?.feed(chunk) else { return nil }
        return (samples, words.isEmpty ? nil : .words(words, context: output?.stream.context))
    }

    /// Hears that so many samples of a piece were handed to the connection.
    mutating func sent(_ count: Int, of piece: Piece) {
        if isSpeaking(piece) { output?.send(count) }
    }

    /// Hears that a piece has no more chunks.
    /// - Returns: the last samples to be sent; nil once the piece was cancelled. Then ``ended(_:)``.
    mutating func tail(of piece: Piece) -> [Float]? { isSpeaking(piece) ? output?.end() : nil }

    /// Hears that all of a piece was sent.
    mutating func ended(_ piece: Piece) -> [Action] {
        guard isSpeaking(piece), let stream = output?.stream else { return [] }
        speaking = nil
        guard pieces.isEmpty, let (number, audio) = output?.endSegment() else { return [] }
        let text = stream.wishes.isTokenwise ? segmentText : nil
        segmentText = nil
        let message = Message.segmentComplete(number: number, audio: audio, text: text, context: stream.context)
        return [.sayBehind(message, epoch: stream.epoch)] + advance()
    }

    /// Hears that a piece could not be spoken: its stream is over.
    mutating func failed(_ piece: Piece, _ error: VoiceError) -> [Action] {
        guard isSpeaking(piece), let stream = output?.stream else { return [] }
        abandon(stream)
        output?.isOver = true
        return [.sayBehind(.error(error.code, error.message, isFatal: true), epoch: stream.epoch)] + advance()
    }

    /// Does what stands before the next segment in the queue, and takes that up.
    mutating func advance() -> [Action] {
        var actions: [Action] = []
        while pieces.isEmpty, speaking == nil, let entry = queue.removeFirst() {
            let stream = entry.stream
            switch entry.kind {
            case .begin:
                guard let voice = voice(of: stream) else { continue }
                output = StreamOutput(stream, voiceRate: voice.synthesizer.sampleRate)
                actions.append(.say(.created(stream)))
            case .segment(let clause, let arrival):
                waitingBytes -= clause.text.utf8.count
                pieces = ClauseCutter.sentences(of: clause.text, start: clause.start)[...]
                segmentText = clause.text
                self.arrival = arrival
            case .end:
                output?.isOver = true
                let message = Message.done(
                    audio: output?.audio ?? 0,
                    segments: output?.segments ?? 0,
                    context: stream.context
                )
                actions.append(.sayBehind(message, epoch: stream.epoch))
            }
        }
        return actions
    }

    private func voice(of stream: SynthesisStream) -> ServedVoice? {
        voices.voices.first { $0.name == stream.voice }
    }
}
