internal import Foundation
internal import VoiceCore

/// Programs that are not part of the binary but of the checkout in which it was built.
enum CheckoutProgram {
    /// This binary.
    static var binary: URL { URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath() }

    /// Where a program is.
    ///
    /// - Throws: `missingInput` when this binary lies in no checkout; `purpose` says what would be lacking.
    static func url(_ path: String, doing purpose: String) throws(VoiceError) -> URL {
        var folder = binary.deletingLastPathComponent()
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

    /// Runs a program to its end. Cancelling ends it.
    ///
    /// - Parameters:
    ///   - environment: variables beside this process's own.
    ///   - speaks: whether its standard output is ours; else it goes to standard error.
    /// - Returns: its exit status.
    /// - Throws: `unavailable` when it cannot be run.
    static func run(
        _ program: URL,
        _ arguments: [String],
        environment: [String: String] = [:],
        speaks: Bool = false
    ) async throws(VoiceError) -> Int32 {
        let process = Process()
        process.executableURL = program
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        if !speaks { process.standardOutput = FileHandle.standardError }
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
