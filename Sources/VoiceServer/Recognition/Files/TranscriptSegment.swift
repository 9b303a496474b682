internal import VoiceCore

/// A stretch of a transcript that fits on a screen: a cue of subtitles, a segment of `verbose_json`.
struct TranscriptSegment: Sendable, Equatable {
    var text: String
    var start: Duration
    var end: Duration

    /// Two lines of 42 characters and 7 s: Netflix, "English Timed Text Style Guide", sections 3 and 5.
    private static let longestText = 84
    private static let longestTime: Duration = .seconds(7)
    /// Silence that divides what is said before from what is said after.
    private static let pause: Duration = .milliseconds(800)

    /// Cuts a transcript at ends of sentences, pauses, and where it gets too long. One without words is one segment.
    static func segments(of transcript: Transcript, lasting duration: Duration) -> [TranscriptSegment] {
        guard !transcript.words.isEmpty else {
            return transcript.text.isEmpty
                ? [] : [TranscriptSegment(text: transcript.text, start: .zero, end: duration)]
        }
        var segments: [TranscriptSegment] = []
        for word in transcript.words {
            if let last = segments.last, last.accepts(word) {
                segments[segments.count - 1].text += " " + word.text
                segments[segments.count - 1].end = word.end
            } else {
                segments.append(TranscriptSegment(text: word.text, start: word.start, end: word.end))
            }
        }
        return segments
    }

    private func accepts(_ word: RecognizedWord) -> Bool {
        let isSentence = text.last.map { ".?!".contains($0) } ?? false
        return !isSentence && word.start - end < Self.pause && word.end - start <= Self.longestTime
            && text.count + 1 + word.text.count <= Self.longestText
    }
}
