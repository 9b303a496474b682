internal import Inference
internal import VoiceCore

/// A stretch of a sequence: a tensor of shape [channels, columns], and which columns of the whole it has.
struct Columns {
    let tensor: Tensor
    let range: Range<Int>

    init(_ tensor: Tensor, _ range: Range<Int>) {
        self.tensor = tensor
        self.range = range
    }

    /// Some of the columns, without copying.
    func part(_ g: GraphBuilder, _ part: Range<Int>) throws(VoiceError) -> Tensor {
        guard part != range else { return tensor }
        let first = part.lowerBound - range.lowerBound
        return try g.slice(tensor, dimension: 1, first..<(first + part.count))
    }

    /// The columns `wanted` of a sequence of `length`, zeros before its beginning and after its end; all others are there.
    func padded(_ g: GraphBuilder, to wanted: Range<Int>, of length: Int) throws(VoiceError) -> Tensor {
        let inside = wanted.clamped(to: 0..<length)
        let part = try part(g, inside)
        let before = inside.lowerBound - wanted.lowerBound
        let after = wanted.upperBound - inside.upperBound
        guard before + after > 0 else { return part }
        return try g.pad(part, dimension: 1, before: before, after: after)
    }
}

extension Range<Int> {
    /// This range with as much before and after it as a convolution reaches, within 0 and `length`.
    func widened(by reach: Int, within length: Int) -> Range<Int> {
        (lowerBound - reach..<upperBound + reach).clamped(to: 0..<length)
    }

    /// The range moved.
    func shifted(by offset: Int) -> Range<Int> { lowerBound + offset..<upperBound + offset }
}
