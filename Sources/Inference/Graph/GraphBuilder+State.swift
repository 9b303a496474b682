internal import CLlama
package import VoiceCore

extension GraphBuilder {
    /// Writes rows into a matrix of a ``StateArena``, after everything that the graph's outputs need was computed: what
    /// the graph reads of the matrix is what it held before the run.
    /// - Parameters:
    ///   - x: shape [n, m], F32; rounded where the matrix is F16.
    ///   - matrix: shape [n, r].
    ///   - indices: m rows, declared by ``indices(_:count:below:)`` with a bound of at most r. No row twice: which of the
    ///     writes would win is undefined.
    ///   - early: true to write as soon as x was computed, which frees its memory for others: for a matrix that x alone
    ///     was computed from.
    package func store(
        _ x: Tensor,
        into matrix: Tensor,
        at indices: Tensor,
        early: Bool = false
    ) throws(VoiceError) {
        try requireRows("store", x)
        guard matrix.owner is TensorStorage, matrix.type == .f32 || matrix.type == .f16 else {
            throw mismatch("store", "\(matrix) is not a state of plain numbers")
        }
        guard indices.type == .i32, let bound = indices.indexBound, bound <= matrix.shape[1], indices.shape.rank == 1
        else { throw mismatch("store", "the indices are not known to be below \(matrix.shape[1])") }
        guard x.shape[0] == matrix.shape[0], x.shape[1] == indices.shape[0], x.shape[2] == 1, x.shape[3] == 1 else {
            throw mismatch("store", "\(x.shape) at \(indices.shape) does not fit into \(matrix.shape)")
        }
        let write = try make("store", [matrix, x, indices]) {
            ggml_set_rows(context, matrix.pointer, x.pointer, indices.pointer)
        }
        addEffect(write, early: early)
    }
}
