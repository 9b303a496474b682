/// The running utterance's words in the server's transcripts, which repeat everything since the last hard reset.
struct RemoteText {
    /// What belongs to earlier utterances: they ended with soft resets.
    private var past = ""
    /// The utterance's words so far.
    private(set) var newest = ""
    /// Shorter transcripts are no news: another server has begun the utterance again.
    private var known = 0

    /// Takes a partial transcript.
    /// - Returns: the utterance's words; nil when they are the same as before.
    mutating func partial(_ text: String) -> String? {
        let words = withoutPast(text)
        guard words != newest, Self.count(words) >= known else { return nil }
        newest = words
        return words
    }

    /// Takes the final transcript, which ends the utterance.
    /// - Parameter isRepeated: true when the server says all of it again in front of the next.
    mutating func final(_ text: String, isRepeated: Bool) -> String {
        let words = withoutPast(text)
        past = isRepeated ? text : ""
        endUtterance()
        return words
    }

    /// The utterance ended without a final transcript.
    mutating func endUtterance() {
        newest = ""
        known = 0
    }

    /// Another server begins the utterance again.
    mutating func beginAgain() {
        past = ""
        known = Self.count(newest)
    }

    private static func count(_ words: String) -> Int { words.split(separator: " ").count }

    /// The server has forgotten everything.
    mutating func forget() { self = RemoteText() }

    private func withoutPast(_ text: String) -> String {
        let new = text.hasPrefix(past) ? text.dropFirst(past.count) : Substring(text)
        let trimmed = new.drop { $0.isWhitespace }
        return String(trimmed.reversed().drop { $0.isWhitespace }.reversed())
    }
}
