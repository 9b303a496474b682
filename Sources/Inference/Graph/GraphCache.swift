package import VoiceCore

/// Graphs of one kind in several sizes, each made when it is first needed; the one that was not used for longest gives way.
///
/// Not `Sendable`: it belongs to the actor that runs the graphs.
package struct GraphCache<Size: Equatable, Ports> {
    private let limit: Int
    /// Most recently used last.
    private var graphs: [(size: Size, graph: Graph<Ports>)] = []

    /// - Parameter limit: graphs that are kept, each with memory for its intermediate values; at least 1.
    package init(keeping limit: Int) { self.limit = limit }

    /// The graph of a size.
    /// - Parameter build: makes it; called when it is not there.
    /// - Throws: what `build` throws.
    package mutating func graph(
        for size: Size,
        build: () throws(VoiceError) -> Graph<Ports>
    ) throws(VoiceError) -> Graph<Ports> {
        if let index = graphs.firstIndex(where: { $0.size == size }) {
            let found = graphs.remove(at: index)
            graphs.append(found)
            return found.graph
        }
        if graphs.count >= limit { graphs.removeFirst() }
        let graph = try build()
        graphs.append((size, graph))
        return graph
    }
}
