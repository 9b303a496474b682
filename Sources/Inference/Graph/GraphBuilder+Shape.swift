internal import CLlama
package import VoiceCore

extension GraphBuilder {
    /// The same elements under another shape, without copying. x has no gaps.
    package func reshape(_ x: Tensor, _ shape: Shape) throws(VoiceError) -> Tensor {
        guard x.isContiguous else { throw mismatch("reshape", "\(x) has gaps; make it contiguous") }
        guard shape.checkedCount == x.shape.count, shape[0] % x.type.blockSize == 0 else {
            throw mismatch("reshape", "\(x.shape) cannot become \(shape)")
        }
        return try make("reshape", [x]) {
            ggml_reshape_4d(context, x.pointer, Int64(shape[0]), Int64(shape[1]), Int64(shape[2]), Int64(shape[3]))
        }
    }

    /// The dimensions in another order, without copying: dimension i of x becomes dimension `order[i]` of the result.
    package func permute(_ x: Tensor, _ order: [Int]) throws(VoiceError) -> Tensor {
        guard order.sorted() == [0, 1, 2, 3] else { throw mismatch("permute", "\(order) is not an order of 0 to 3") }
        guard x.type.isPlain else { throw mismatch("permute", "\(x) is quantised") }
        return try make("permute", [x]) {
            ggml_permute(context, x.pointer, Int32(order[0]), Int32(order[1]), Int32(order[2]), Int32(order[3]))
        }
    }

    /// Dimensions 0 and 1 exchanged, without copying; see ``contiguous(_:)``.
    package func transpose(_ x: Tensor) throws(VoiceError) -> Tensor { try permute(x, [1, 0, 2, 3]) }

    /// A copy without gaps, in the order of the dimensions.
    package func contiguous(_ x: Tensor) throws(VoiceError) -> Tensor {
        guard x.type.isPlain else { throw mismatch("contiguous", "\(x) is quantised") }
        var result = try make("contiguous", [x]) { ggml_cont(context, x.pointer) }
        result.indexBound = x.indexBound
        return result
    }

    /// Part of x along one dimension, without copying.
    package func slice(_ x: Tensor, dimension: Int, _ range: Range<Int>) throws(VoiceError) -> Tensor {
        try requireDimension("slice", dimension)
        guard x.type.isPlain else { throw mismatch("slice", "\(x) is quantised") }
        guard range.lowerBound >= 0, range.upperBound <= x.shape[dimension], !range.isEmpty else {
            throw mismatch("slice", "\(range) is not in dimension \(dimension) of \(x.shape)")
        }
        let shape = x.shape.replacing(dimension, with: range.count)
        var result = try make("slice", [x]) {
            ggml_view_4d(
                context,
                x.pointer,
                Int64(shape[0]),
                Int64(shape[1]),
                Int64(shape[2]),
                Int64(shape[3]),
                x.stride(1),
                x.stride(2),
                x.stride(3),
                range.lowerBound * x.stride(dimension)
            )
        }
        result.indexBound = x.indexBound
        return result
    }

    /// a followed by b along one dimension; all others are equal.
    package func concat(_ a: Tensor, _ b: Tensor, dimension: Int) throws(VoiceError) -> Tensor {
        try requireDimension("concat", dimension)
        try requireRows("concat", a, b)
        guard (0..<4).allSatisfy({ $0 == dimension || a.shape[$0] == b.shape[$0] }) else {
            throw mismatch("concat", "\(a.shape) and \(b.shape) differ beyond dimension \(dimension)")
        }
        return try make("concat", [a, b]) { ggml_concat(context, a.pointer, b.pointer, Int32(dimension)) }
    }

    /// x with zeros before and after it along one dimension.
    package func pad(_ x: Tensor, dimension: Int, before: Int = 0, after: Int = 0) throws(VoiceError) -> Tensor {
        try requireDimension("pad", dimension)
        try requireContiguous("pad", x)
        try requirePadding("pad", before, after)
        let left = (0..<4).map { Int32($0 == dimension ? before : 0) }
        let right = (0..<4).map { Int32($0 == dimension ? after : 0) }
        return try make("pad", [x]) {
            ggml_pad_ext(
                context,
                x.pointer,
                left[0],
                right[0],
                left[1],
                right[1],
                left[2],
                right[2],
                left[3],
                right[3]
            )
        }
    }

    /// x with its ends mirrored along dimension 0, the edge itself not repeated: `[b, a, b, c, b]` for one on each side.
    package func padReflecting(_ x: Tensor, before: Int, after: Int) throws(VoiceError) -> Tensor {
        try requireContiguous("padReflecting", x)
        try requirePadding("padReflecting", before, after)
        guard max(before, after) < x.shape[0] else {
            throw mismatch("padReflecting", "\(max(before, after)) elements cannot be mirrored from \(x.shape[0])")
        }
        return try make("padReflecting", [x]) {
            ggml_pad_reflect_1d(context, x.pointer, Int32(before), Int32(after))
        }
    }

    /// x repeated to fill a larger shape; each dimension is a multiple of x's.
    package func broadcast(_ x: Tensor, to shape: Shape) throws(VoiceError) -> Tensor {
        try requireRows("broadcast", x)
        guard shape.checkedCount != nil, (0..<4).allSatisfy({ shape[$0] % x.shape[$0] == 0 }) else {
            throw mismatch("broadcast", "\(x.shape) does not repeat into \(shape)")
        }
        return try make("broadcast", [x]) {
            ggml_repeat_4d(context, x.pointer, Int64(shape[0]), Int64(shape[1]), Int64(shape[2]), Int64(shape[3]))
        }
    }

    /// x stored as F32 or F16.
    package func cast(_ x: Tensor, to type: ElementType) throws(VoiceError) -> Tensor {
        guard [.f32, .f16].contains(type), [.f32, .f16].contains(x.type) else {
            throw mismatch("cast", "\(x.type) cannot become \(type) here")
        }
        return try make("cast", [x]) { ggml_cast(context, x.pointer, ggml_type(type.rawValue)) }
    }

    /// A bound far above any use, so that sums of sizes cannot overflow.
    private static let maximumPadding = 1 << 24

    private func requirePadding(_ operation: String, _ before: Int, _ after: Int) throws(VoiceError) {
        guard (0...Self.maximumPadding).contains(before), (0...Self.maximumPadding).contains(after) else {
            throw mismatch(operation, "\(before) and \(after) are not paddings")
        }
    }
}
