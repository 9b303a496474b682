internal import UnixSignals
internal import VoiceCore

/// A server that signals end: SIGTERM lets what is going on come to its end, SIGINT and a second SIGTERM do not.
enum Draining {
    /// Runs a server.
    ///
    /// - Parameters:
    ///   - drain: called at the first SIGTERM.
    ///   - serve: the server; it is cancelled at SIGINT, and at a second SIGTERM.
    /// - Throws: what `serve` throws.
    static func run(
        drain: @escaping @Sendable () -> Void,
        _ serve: @escaping @Sendable () async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await serve() }
            group.addTask {
                var isDraining = false
                for await signal in await UnixSignalsSequence(trapping: .sigint, .sigterm) {
                    guard signal == .sigterm, !isDraining else { return }
                    isDraining = true
                    drain()
                }
            }
            // Whichever is first: the server has ended, or it is to end now.
            try await group.next()
            group.cancelAll()
            try await group.waitForAll()
        }
    }
}
