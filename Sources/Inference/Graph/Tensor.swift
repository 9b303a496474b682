internal import CLlama

/// A tensor of a graph or of a set of weights: a name for a value that exists when the graph runs.
///
/// It keeps its memory alive. Not `Sendable`: it belongs to whoever builds or runs the graph.
package struct Tensor: CustomStringConvertible {
    let pointer: UnsafeMutablePointer<ggml_tensor>
    let owner: TensorOwner
    /// For indices: every element is at least 0 and below this. nil when nothing is known.
    var indexBound: Int?

    /// Elements per dimension.
    package var shape: Shape {
        let counts = pointer.pointee.ne
        return [Int(counts.0), Int(counts.1), Int(counts.2), Int(counts.3)]
    }

    /// How the elements are stored.
    package var type: ElementType {
        // ggml only makes tensors of types it knows, and the table of ElementType is compared with ggml's in a test.
        ElementType(rawValue: pointer.pointee.type.rawValue) ?? .f32
    }

    /// For example `F32 [384, 400]`.
    package var description: String { "\(type) \(shape)" }

    /// Bytes from one element to the next along a dimension.
    func stride(_ dimension: Int) -> Int {
        let strides = pointer.pointee.nb
        return [strides.0, strides.1, strides.2, strides.3][dimension]
    }

    /// Whether the elements lie one after the other without gaps, in the order of the dimensions.
    var isContiguous: Bool { ggml_is_contiguous(pointer) }

    /// Whether the elements of each row lie next to each other.
    var hasContiguousRows: Bool { ggml_is_contiguous_rows(pointer) }

    /// Whether every row of an even length begins an even number of elements behind the first one. CUDA's kernels for few columns
    /// read two elements at once and end the process where they could not, although ggml calls the product supported
    /// (`mmvf.cu` and `mmf.cuh`, llama.cpp 0c1e57098).
    var hasPairedRows: Bool {
        !shape[0].isMultiple(of: 2)
            || (1..<4).allSatisfy { stride($0).isMultiple(of: 2 * stride(0)) }
    }
}

/// What keeps a tensor's memory: the storage of a graph, or of weights.
class TensorOwner {}
