internal import VoiceCore

/// Finite scalar quantisation in groups: a code of each group stands for one value on a small grid in each of its dimensions.
///
/// A code's digit in dimension d is ⌊code / base_d⌋ mod levels_d with base_d the product of the levels before; its value is
/// (digit − ⌊levels_d / 2⌋) / ⌊levels_d / 2⌋. Source: NeMo 3.0.0 `tts/modules/audio_codec_modules.py`
/// (`FiniteScalarQuantizer`, `GroupFiniteScalarQuantizer`); Mentzer et al., arXiv:2309.15505.
struct FiniteScalarQuantizer: Sendable, Equatable {
    /// Groups: codes of a frame.
    let codebooks: Int
    /// Values in each dimension of a group.
    let levels: [Int]
    /// What a step in each dimension adds to the code.
    let bases: [Int]
    /// Codes of a group: 0 ..< codebookSize.
    let codebookSize: Int

    private static let largestCodebook = 1 << 24

    /// - Parameters:
    ///   - codebooks: groups.
    ///   - levels: values in each dimension of a group, 2 or more.
    /// - Returns: nil when there are no levels, one is below 2, or a code would leave 24 bits.
    init?(codebooks: Int, levels: [Int]) {
        var (bases, size): ([Int], Int) = ([], 1)
        for level in levels {
            guard level >= 2, level <= Self.largestCodebook / size else { return nil }
            bases.append(size)
            size *= level
        }
        guard !levels.isEmpty, codebooks > 0 else { return nil }
        self.codebooks = codebooks
        self.levels = levels
        self.bases = bases
        codebookSize = size
    }

    /// The values that a group's code stands for.
    /// - Parameter code: 0 ..< ``codebookSize``.
    func values(of code: Int) -> [Float] {
        zip(bases, levels).map { base, level in
            let half = level / 2
            return Float(code / base % level - half) / Float(half)
        }
    }

    /// The decoder's input.
    /// - Parameter frames: for each frame a code of each group.
    /// - Returns: frame by frame the values of all groups: codebooks · dimensions for each frame.
    /// - Throws: ``VoiceError/Code/fault`` when a frame does not have a code of each group, or one that the group lacks:
    ///   special tokens of a language model are no codes.
    func latents(of frames: [[Int32]]) throws(VoiceError) -> [Float] {
        var latents: [Float] = []
        latents.reserveCapacity(frames.count * codebooks * levels.count)
        for (index, frame) in frames.enumerated() {
            guard frame.count == codebooks else {
                throw VoiceError(.fault, "Frame \(index) has \(frame.count) codes; this codec takes \(codebooks).")
            }
            for code in frame {
                guard (0..<codebookSize).contains(Int(code)) else {
                    throw VoiceError(
                        .fault,
                        "Frame \(index) has the code \(code), which is not in 0..<\(codebookSize)."
                    )
                }
                latents += values(of: Int(code))
            }
        }
        return latents
    }
}
