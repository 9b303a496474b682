internal import Foundation
internal import VoiceCore

/// Programs that are not part of the binary but of the checkout in which it was built.
enum CheckoutProgram {
    /// Where a program is.
    ///
    /// - Throws: `missingInput` when this binary lies in no checkout; `purpose` says what would be lacking.
    static func url(_ path: String, doing purpose: String) throws(VoiceError) -> URL {
        var folder = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
            .deletingLastPathComponent()
        while folder.path != "/" {
            let program = folder.appendingPathComponent(path)
            if FileManager.default.isExecutableFile(atPath: program.path) { return program }
            folder.deleteLastPathComponent()
        }
        throw VoiceError(
            .missingInput,
            "\(purpose) are \(path) of a checkout, and this binary lies in none: run 'make build' in one"
        )
    }

    /// Runs a program to its end; what it says goes to standard error. Cancelling ends it.
    ///
    /// - Returns: its exit status.
    /// - Throws: `unavailable` when it cannot be run.
    static func run(_ program: URL, _ arguments: [String]) async throws(VoiceError) -> Int32 {
        let process = Process()
        process.executableURL = program
        process.arguments = arguments
        process.standardOutput = FileHandle.standardError
        let (ends, end) = AsyncStream.makeStream(of: Int32.self)
        process.terminationHandler = {
            end.yield($0.terminationStatus)
            end.finish()
        }
        do { try process.run() } catch {
            throw VoiceError(.unavailable, "\(program.path) cannot be run", cause: error)
        }
        for await status in ends { return status }
        process.terminate()
        throw VoiceError(.cancelled, "\(program.lastPathComponent) was ended")
    }
}
