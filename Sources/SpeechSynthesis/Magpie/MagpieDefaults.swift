internal import Inference
internal import VoiceCore

/// What a model's file says about how it wants to be sampled, and how its attention to the text is guided.
///
/// Source of keys and of the values of those that a file lacks: NVIDIA/NeMo-Speech.cpp @ 4f9676226, `conversion/tts.py`, and
/// NeMo 3.0.0, `models/magpietts.py` (`ModelInferenceParameters`).
struct MagpieDefaults: Sendable, Equatable {
    /// How codes are drawn.
    var sampling: MagpieSampling
    /// Frames before the end may come.
    var minimumFrames: Int
    /// Whether the attention prior is applied.
    var appliesPrior: Bool
    /// The attention prior's numbers.
    var prior: AttentionPrior.Configuration
    /// Layers whose attention says where in the text the speech is.
    var alignmentLayers: [Int]
    /// Layers whose attention is multiplied by the prior.
    var priorLayers: [Int]

    /// Reads and checks the values.
    /// - Throws: ``VoiceError/Code/malformedInput`` when one makes no sense.
    init(_ file: GGUFFile, _ h: MagpieHyperparameters) throws(VoiceError) {
        func key(_ name: String) -> String { "magpietts.inference.\(name)" }
        func int(_ name: String, in range: ClosedRange<Int>, else standard: Int) throws(VoiceError) -> Int {
            guard file.has(key(name)) else { return standard }
            let value = try file.int(key(name))
            guard range.contains(value) else { throw file.unsuitable("\(key(name)) is \(value), not in \(range)") }
            return value
        }
        func float(_ name: String, in range: ClosedRange<Float>, else standard: Float) throws(VoiceError) -> Float {
            guard file.has(key(name)) else { return standard }
            let value = try file.float(key(name))
            guard range.contains(value) else { throw file.unsuitable("\(key(name)) is \(value), not in \(range)") }
            return value
        }
        func layers(_ name: String) throws(VoiceError) -> [Int] {
            let all = Array(0..<h.decoderLayers)
            guard file.has(key(name)) else { return all }
            let values = try file.ints(key(name))
            guard !values.isEmpty, Set(values).count == values.count, values.allSatisfy(all.contains) else {
                throw file.unsuitable("\(key(name)) is \(values), and the decoder has \(h.decoderLayers) layers")
            }
            return values.sorted()
        }
        sampling = MagpieSampling(
            temperature: try float("temperature", in: 0...100, else: 0.6),
            topK: try int("topk", in: 1...h.audioVocabulary, else: 80),
            guidance: try float("cfg_scale", in: 0...100, else: 2.5)
        )
        minimumFrames = try int("min_generated_frames", in: 0...h.maximumFrames, else: 4)
        appliesPrior = file.has(key("apply_attention_prior")) ? try file.bool(key("apply_attention_prior")) : true
        prior = AttentionPrior.Configuration(
            epsilon: try float("attention_prior_epsilon", in: 1e-6...1, else: 0.1),
            window: try int("attention_prior_lookahead_window", in: 1...1000, else: 5),
            start: try int("start_prior_after_n_audio_steps", in: 0...1_000_000, else: 0),
            advanceThreshold: try int("attention_prior_advance_threshold", in: 1...1_000_000, else: 8),
            decayThreshold: try int("attention_prior_decay_threshold", in: 1...1_000_000, else: 10)
        )
        alignmentLayers = try layers("estimate_alignment_from_layers")
        priorLayers = try layers("apply_prior_to_layers")
    }
}

/// How codes are drawn.
package struct MagpieSampling: Sendable, Equatable {
    /// Above 0: scores are divided by it. 0: the best code always.
    package var temperature: Float
    /// Codes that may be drawn: those with the best scores, and what equals the last of them. At least 1.
    package var topK: Int
    /// How far the scores are moved away from what the model would say without text and voice (classifier-free guidance);
    /// 1 leaves them alone.
    package var guidance: Float
    /// What the random numbers are made from; the same seed gives the same speech.
    package var seed: UInt64

    /// Makes a choice. A model's own is ``MagpieModel/sampling``.
    package init(temperature: Float, topK: Int, guidance: Float, seed: UInt64 = 0) {
        self.temperature = temperature
        self.topK = topK
        self.guidance = guidance
        self.seed = seed
    }
}
