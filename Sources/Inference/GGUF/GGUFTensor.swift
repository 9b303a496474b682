/// What a GGUF file says about one of its tensors.
package struct GGUFTensor: Sendable, Equatable {
    /// The tensor's name.
    package let name: String
    /// Elements per dimension, ggml's order: the first is the one whose elements lie next to each other.
    package let shape: Shape
    /// How the elements are stored.
    package let type: ElementType
    /// Where its bytes begin, counted from the start of the file.
    let offset: Int
    /// How many bytes it takes.
    package let byteCount: Int
}
