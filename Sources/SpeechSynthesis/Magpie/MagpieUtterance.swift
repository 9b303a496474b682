internal import VoiceCore

/// What is left to say of a stream, and how far it is. A value: it travels with each request and comes back with the result.
///
/// Texts are spoken one after the other; each begins with the voice anew, but sees the last tokens of those before it. Source:
/// NeMo 3.0.0 `models/magpietts.py` (`generate_speech`, `_prepare_chunked_text_tensors`, `_update_context_from_history`).
struct MagpieUtterance: Sendable {
    /// The text that is being spoken.
    struct Text: Sendable {
        /// Its tokens: those kept of earlier texts, its own, the end.
        var tokens: [Int32]
        /// How many are kept of earlier texts.
        var history: Int
        /// The encoder's output; for tokens of earlier texts, what it was there.
        var encoded: [Float] = []
        var prior: AttentionPrior
        /// The frame to compute next.
        var frame = 0
        /// The frame before; nil before the first.
        var codes: [Int32]?
        /// Whether all of it was said.
        var isOver = false
        /// Whether it was cut off because it has as many frames as a text can have.
        var isTruncated = false

        /// The token of the text's own that is being spoken.
        var token: Int { min(max(0, prior.pointer - history), tokens.count - history - 1) }
    }

    /// Tokens kept of earlier texts at most (`history_len_heuristic`).
    static let historyTokens = 20
    /// Steps at the end of a text that others follow, after which it is over (`forceful_chunk_end_threshold`).
    private static let stepsAtEnd = 3

    let speaker: Int
    let sampling: MagpieSampling
    /// Texts that have not been begun, in order; each ends with the token that ends texts.
    private(set) var waiting: ArraySlice<[Int32]>
    /// The number of the text that is being spoken.
    private(set) var number = -1
    /// The text that is being spoken, or that was last.
    var text: Text?
    private var generator: SplitMix64

    /// - Parameter texts: tokens, each with the end.
    init(texts: [[Int32]], speaker: Int, sampling: MagpieSampling) {
        waiting = texts[...]
        self.speaker = speaker
        self.sampling = sampling
        generator = SplitMix64(seed: sampling.seed)
    }

    /// Takes the next text up.
    mutating func beginNext(_ configuration: AttentionPrior.Configuration) {
        guard let own = waiting.popFirst() else { return }
        number += 1
        guard let before = text else {
            text = Text(tokens: own, history: 0, prior: AttentionPrior(configuration, length: own.count))
            return
        }
        let history = min(before.tokens.count, own.count, Self.historyTokens)
        text = Text(
            tokens: before.tokens.suffix(history) + own,
            history: history,
            encoded: before.encoded,
            prior: AttentionPrior(
                configuration,
                length: history + own.count,
                history: history,
                pointer: before.prior.pointer - (before.tokens.count - history)
            )
        )
    }

    /// Takes the encoder's output for the text's tokens; those of earlier texts keep what they had.
    mutating func take(encoded: [Float]) {
        guard let text else { return }
        let width = encoded.count / text.tokens.count
        let kept = text.encoded.suffix(text.history * width)
        self.text?.encoded = Array(kept) + encoded.dropFirst(kept.count)
    }

    /// Random numbers for a frame.
    mutating func uniforms(_ count: Int) -> [Double] { (0..<count).map { _ in generator.uniform() } }

    /// Moves on by one frame.
    /// - Parameters:
    ///   - codes: the frame's.
    ///   - attention: shares of the text's tokens.
    ///   - isEnd: whether the text ended before this frame.
    mutating func advance(by codes: [Int32], _ attention: [Float], isEnd: Bool, _ h: MagpieHyperparameters) {
        guard var text else { return }
        text.prior.advance(attention, frame: text.frame)
        text.frame += 1
        text.codes = codes
        let isForced = !waiting.isEmpty && (text.prior.stepsAtEnd ?? 0) >= Self.stepsAtEnd
        text.isOver = isEnd || isForced
        text.isTruncated = !text.isOver && text.frame >= h.maximumFrames
        self.text = text
    }
}
