/// Finds what of a growing transcript will not change any more, so that the model can read it while the person speaks.
///
/// A pure value. Words count as stable once two partial transcripts in a row agree on them; the last word may be half of
/// one (premove on PyPI and Pipecat's issues call it stable-prefix prefill).
struct StablePrefix: Sendable {
    /// The prefix is told when it has grown by so many words: each telling interrupts the one before.
    private static let step = 3

    private var last: [Substring] = []
    private var told: [Substring] = []

    /// Takes the newest partial transcript of the turn.
    /// - Returns: the stable prefix if it has grown enough since it was told last.
    mutating func advance(_ text: String) -> String? {
        let words = text.split(separator: " ")
        let stable = zip(words.dropLast(), last).prefix { $0 == $1 }.count
        last = words
        if !words.starts(with: told) { told = [] }
        guard stable >= told.count + Self.step else { return nil }
        told = Array(words.prefix(stable))
        return told.joined(separator: " ")
    }
}
