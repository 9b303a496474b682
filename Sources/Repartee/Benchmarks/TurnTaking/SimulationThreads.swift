internal import Foundation
internal import Inference
internal import VoiceCore

/// Threads on which simulations run, which block them.
enum SimulationThreads {
    /// Does something with each item side by side, as many at a time as there are processors.
    /// - Returns: the results in the order of the items.
    static func map<Item: Sendable, Result: Sendable>(
        _ items: [Item],
        _ body: @escaping @Sendable (Item) throws(VoiceError) -> Result
    ) async throws -> [Result] {
        try await withThrowingTaskGroup(of: (Int, Result).self) { group in
            var results: [Int: Result] = [:]
            for (index, item) in items.enumerated() {
                if index >= ProcessInfo.processInfo.activeProcessorCount, let (index, result) = try await group.next() {
                    results[index] = result
                }
                group.addTask {
                    let thread = EngineExecutor(name: "simulation")
                    return (index, try await thread.run { () throws(VoiceError) in try body(item) })
                }
            }
            for try await (index, result) in group { results[index] = result }
            return items.indices.compactMap { results[$0] }
        }
    }
}
