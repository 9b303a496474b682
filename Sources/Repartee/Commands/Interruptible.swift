internal import ArgumentParser
internal import UnixSignals
internal import VoiceCore

/// Long work that Ctrl-C ends in good order.
enum Interruptible {
    /// What a shell reports of a command that SIGINT ended: 128 and the signal's number.
    private static let interrupted = ExitCode(130)

    /// Runs `work`; the first SIGINT or SIGTERM cancels it, and the command ends with status 130.
    /// - Throws: what `work` throws.
    static func run(_ work: @escaping @Sendable () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                try await work()
                return true
            }
            group.addTask {
                for await _ in await UnixSignalsSequence(trapping: .sigint, .sigterm) { break }
                return false
            }
            let isDone = try await group.next() ?? true
            group.cancelAll()
            guard !isDone else { return }
            do { _ = try await group.next() } catch let error as VoiceError where error.code == .cancelled {
                StandardError.print(error.message)
                throw interrupted
            }
        }
    }
}
