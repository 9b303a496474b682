internal import VoiceCore

/// All that was understood since the last hard reset: utterances that a soft reset ended, and the running one.
///
/// The reference's texts are cumulative since the last hard reset, in interim transcripts and in both kinds of finals; a
/// recogniser's begin anew with each utterance. This joins them.
struct RecognizedTurn: Sendable {
    private var settledText = ""
    private var settledWords: [RecognizedWord] = []
    /// The part of the running utterance's amendment that has been taken note of.
    private var amendment = ""
    private var isEndpointSaid = false
    private var lastInterim: RecognitionProtocol.TranscriptMessage?

    /// Takes a partial transcript of the running utterance.
    /// - Returns: what the client is to be told.
    mutating func advance(
        _ transcript: Transcript,
        _ settings: RecognitionSettings
    ) -> [RecognitionProtocol.ServerMessage] {
        var messages = amend(transcript.amendment, settings)
        let interim = message(transcript, .interim, settings)
        if interim != lastInterim, !(lastInterim == nil && interim.text.isEmpty) {
            messages.append(.transcript(interim))
            lastInterim = interim
        }
        if transcript.isEndpoint, !isEndpointSaid { messages.append(.endpoint) }
        isEndpointSaid = transcript.isEndpoint
        return messages
    }

    /// Takes the final transcript of the running utterance.
    /// - Parameter isHard: true if the turn is over.
    /// - Returns: what the client is to be told.
    mutating func finish(
        _ transcript: Transcript,
        isHard: Bool,
        _ settings: RecognitionSettings
    ) -> [RecognitionProtocol.ServerMessage] {
        let messages = amend(transcript.amendment, settings)
        let final = message(transcript, isHard ? .hard : .soft, settings)
        let words = settledWords + transcript.words
        self = RecognizedTurn()
        if !isHard {
            settledText = final.text
            settledWords = words
        }
        return messages + [.transcript(final)]
    }

    /// Puts late punctuation where it belongs: into this turn's text, or into a message about the turn before.
    private mutating func amend(
        _ newest: String,
        _ settings: RecognitionSettings
    ) -> [RecognitionProtocol.ServerMessage] {
        guard newest.hasPrefix(amendment), newest != amendment else { return [] }
        let late = String(newest.dropFirst(amendment.count))
        amendment = newest
        guard settledText.isEmpty else {
            settledText += late
            if let last = settledWords.indices.last { settledWords[last].text += late }
            return []
        }
        return settings.sendsAmendments ? [.amendment(late)] : []
    }

    private func message(
        _ transcript: Transcript,
        _ finality: RecognitionProtocol.TranscriptMessage.Finality,
        _ settings: RecognitionSettings
    ) -> RecognitionProtocol.TranscriptMessage {
        let words = settledWords + transcript.words
        let isJoined = settledText.isEmpty || transcript.text.isEmpty || transcript.continuesWord
        let gap = isJoined ? "" : " "
        let stable = transcript.stableLength == 0 ? 0 : gap.utf8.count + transcript.stableLength
        return RecognitionProtocol.TranscriptMessage(
            text: settledText + gap + transcript.text,
            finality: finality,
            words: settings.showsWords ? words.map { word($0, settings) } : nil,
            confidence: settings.showsConfidences ? words.map(\.confidence).min() : nil,
            stableLength: settings.showsStable ? settledText.utf8.count + stable : nil
        )
    }

    private func word(
        _ word: RecognizedWord,
        _ settings: RecognitionSettings
    ) -> RecognitionProtocol.TranscriptMessage.Word {
        RecognitionProtocol.TranscriptMessage.Word(
            text: word.text,
            start: word.start,
            end: word.end,
            confidence: settings.showsConfidences ? word.confidence : nil
        )
    }
}
