/// When an answer is made, and how its stages share the time.
public enum ReplyPolicy: String, Sendable, Codable, CaseIterable {
    /// As the stack does it that we compare ourselves with (pipecat-ai/nemotron-january-2026): silence and verdict first,
    /// then the transcript, then a segment of up to 24 tokens, then its sound; no two of them at a time.
    case reference
    /// Each stage begins as soon as it can, after the end of the turn.
    case interleaved
    /// Like `interleaved`, and an answer is drafted and held while the silence that ends the turn is still being confirmed.
    case speculative
}
