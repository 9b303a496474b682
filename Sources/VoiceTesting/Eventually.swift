/// What did not happen.
package struct NeverHappened: Error, CustomStringConvertible {
    /// What was waited for.
    package var description: String
}

/// Waits for something that another process or thread does in real time, and looks often.
package func eventually(
    _ what: String,
    within limit: Duration = .seconds(20),
    _ condition: () async throws -> Bool
) async throws {
    let end = ContinuousClock.now + limit
    while try await !condition() {
        guard ContinuousClock.now < end else { throw NeverHappened(description: "never: \(what)") }
        try await Task.sleep(for: .milliseconds(5))
    }
}
