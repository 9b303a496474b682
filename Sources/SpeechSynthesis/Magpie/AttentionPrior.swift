/// Where in its text an utterance is, from the decoder's attention: a pointer that moves forward only, and weights for the
/// next step's attention that keep it moving.
///
/// A value without any computation of the model: attention in, pointer and weights out. Source: NeMo 3.0.0
/// `models/magpietts.py` (`get_most_attended_text_timestep`, `construct_inference_prior`, `construct_multi_chunk_prior`,
/// `_initialize_chunked_attn_prior`).
struct AttentionPrior: Sendable, Equatable {
    /// The model's numbers.
    struct Configuration: Sendable, Equatable {
        /// The weight of positions that are not wanted.
        var epsilon: Float
        /// How many positions the pointer may move at once, less one.
        var window: Int
        /// Frames before the pointer begins to move.
        var start: Int
        /// A position that was attended to so often is left behind.
        var advanceThreshold: Int
        /// Positions up to one that was attended to so often are not wanted any more.
        var decayThreshold: Int
    }

    /// Texts up to this length are not guided (`construct_inference_prior`).
    private static let shortText = 5
    /// The same for a text that follows another (`short_sentence_threshold`).
    private static let shortFollowingText = 35
    /// The last positions, which the pointer only reaches when all others are done.
    private static let tail = 3
    /// Weights of a following text's first positions before its first frame (`prior_weights_init`).
    private static let firstWeights: [Float] = [0.5, 1, 0.8, 0.2, 0.2]
    /// Weights from the position before the pointer on, of a following text (`prior_weights`).
    private static let followingWeights: [Float] = [0.2, 1, 0.6, 0.4, 0.2, 0.2]

    private let configuration: Configuration
    /// Tokens, the end and those of earlier texts included.
    private let length: Int
    /// Tokens of earlier texts before this one's first; nil for a text that follows none.
    private let history: Int?
    /// How often each position was attended to.
    private var counts: [Int: Int] = [:]
    /// The position attended to.
    private(set) var pointer: Int
    /// Weights of the positions in the next step; nil where all are alike.
    private(set) var weights: [Float]?
    /// Steps since the pointer has come to the end of the text; nil before.
    private(set) var stepsAtEnd: Int?

    /// Begins a text that follows none.
    init(_ configuration: Configuration, length: Int) {
        self.configuration = configuration
        self.length = length
        history = nil
        // NeMo's first pointer is 1, not 0.
        pointer = 1
    }

    /// Begins a text that follows another.
    /// - Parameters:
    ///   - length: tokens, those kept of earlier texts included.
    ///   - history: tokens kept of earlier texts.
    ///   - pointer: where the earlier text ended, counted from the first token kept. Where it lies before that, the first
    ///     token kept is taken; NeMo would go on with an index from the wrong end.
    init(_ configuration: Configuration, length: Int, history: Int, pointer: Int) {
        self.configuration = configuration
        self.length = length
        self.history = history
        self.pointer = max(0, pointer)
        let unwanted = configuration.epsilon * configuration.epsilon
        var weights = [Float](repeating: configuration.epsilon, count: length)
        for position in 0..<min(history, length) { weights[position] = unwanted }
        for (offset, weight) in Self.firstWeights.enumerated() where history + offset < length {
            weights[history + offset] = weight
        }
        self.weights = weights
    }

    /// Takes in a step's attention.
    /// - Parameters:
    ///   - attention: shares of the positions, one per token.
    ///   - frame: the step's number.
    mutating func advance(_ attention: [Float], frame: Int) {
        guard frame >= configuration.start, attention.count >= length else { return }
        let base = counts[pointer, default: 0] >= configuration.advanceThreshold ? pointer + 1 : pointer
        let end = min(base + configuration.window, length - Self.tail)
        if base < end {
            var best = base
            for position in base..<end where attention[position] > attention[best] { best = position }
            pointer = best
        } else {
            pointer = length - 1
        }
        counts[pointer, default: 0] += 1
        if history == nil { guideFirst() } else { guideFollowing() }
    }

    private mutating func guideFirst() {
        var next = [Float](repeating: configuration.epsilon, count: length)
        if length <= Self.shortText {
            next = [Float](repeating: 1, count: length)
        } else {
            next[max(1, pointer - 1)] = 1
            next[pointer] = 1
            for offset in 1...configuration.window { next[min(pointer + offset, length - 1)] = 1 }
        }
        for (position, count) in counts where count >= configuration.decayThreshold {
            for earlier in 0...min(position, length - 1) { next[earlier] = configuration.epsilon }
        }
        weights = next
        if stepsAtEnd == nil, pointer >= length - 2 { stepsAtEnd = 0 }
        stepsAtEnd = stepsAtEnd.map { $0 + 1 }
    }

    private mutating func guideFollowing() {
        let unwanted = configuration.epsilon * configuration.epsilon
        var next = [Float](repeating: configuration.epsilon, count: length)
        if length <= Self.shortFollowingText {
            next = [Float](repeating: 1, count: length)
        } else {
            let before = max(1, pointer - 1)
            for position in 0..<before { next[position] = unwanted }
            next[before] = Self.followingWeights[0]
            for (offset, weight) in Self.followingWeights.dropFirst().enumerated() where pointer + offset < length {
                next[pointer + offset] = weight
            }
            for position in stride(from: pointer + Self.followingWeights.count - 1, to: length, by: 1) {
                next[position] = unwanted
            }
        }
        for (position, count) in counts where position > 0 && count >= configuration.decayThreshold {
            for earlier in 0...min(position, length - 1) { next[earlier] = unwanted }
        }
        weights = next
        if stepsAtEnd == nil, pointer >= length - Self.tail { stepsAtEnd = 0 }
        stepsAtEnd = stepsAtEnd.map { $0 + 1 }
    }
}
