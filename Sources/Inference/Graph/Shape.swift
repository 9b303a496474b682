/// Elements per dimension of a tensor in ggml's order: the first dimension is the one whose elements lie next to each
/// other. Four dimensions always; those that nobody names are 1.
package struct Shape: Sendable, Hashable, ExpressibleByArrayLiteral, CustomStringConvertible {
    private var dimensions = SIMD4<Int>(repeating: 1)

    /// Makes a shape of up to four dimensions; further ones are ignored.
    package init(_ dimensions: [Int]) {
        for (index, count) in dimensions.prefix(4).enumerated() { self.dimensions[index] = count }
    }

    package init(arrayLiteral elements: Int...) {
        self.init(elements)
    }

    /// Elements along one dimension, 0 to 3.
    package subscript(_ dimension: Int) -> Int { dimensions[dimension] }

    /// All elements. The shape of a tensor that exists never overflows.
    package var count: Int { self[0] * self[1] * self[2] * self[3] }

    /// Dimensions up to the last that is not 1; at least 1.
    package var rank: Int { (2...4).last { self[$0 - 1] != 1 } ?? 1 }

    /// Like ``count``, for numbers nobody has checked; nil when one is below 1 or the product leaves 63 bits.
    var checkedCount: Int? {
        var product = 1
        for dimension in 0..<4 {
            let (next, overflow) = product.multipliedReportingOverflow(by: self[dimension])
            guard !overflow, self[dimension] > 0 else { return nil }
            product = next
        }
        return product
    }

    /// This shape with one dimension replaced.
    func replacing(_ dimension: Int, with count: Int) -> Shape {
        var shape = self
        shape.dimensions[dimension] = count
        return shape
    }

    /// For example `[3, 80, 384]`; trailing ones are left out.
    package var description: String { "\((0..<rank).map { self[$0] })" }
}
