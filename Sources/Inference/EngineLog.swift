internal import CLlama
internal import Synchronization

/// What ggml and llama.cpp have to say. They write to stderr unless told otherwise; here nothing is written: a line goes
/// to the handler, if one is set, and errors are kept for the failure that is about to be thrown.
package enum EngineLog {
    /// How serious a line is.
    package enum Level: Sendable, Comparable {
        case debug, info, warning, error
    }

    /// Takes every further line, without its newline. Called on whichever thread speaks; it must not call the engines.
    /// nil, the default, drops them.
    package static func setHandler(_ handler: (@Sendable (Level, String) -> Void)?) {
        install()
        state.withLock { $0.handler = handler }
    }

    /// Catches the libraries' output, then has ggml find its backends. Every path into them calls it first; only the first call
    /// does anything.
    static func install() { _ = installed }

    /// Runs `body` and hands it what was logged as an error during a call into the libraries on this thread.
    static func collectingErrors<Result>(_ body: (ErrorLines) throws -> Result) rethrows -> Result {
        install()
        let lines = ErrorLines()
        return try $collector.withValue(lines) { try body(lines) }
    }

    /// Error lines of one call.
    final class ErrorLines: Sendable {
        /// More would not help anybody.
        private static let limit = 4
        private let lines = Mutex<[String]>([])

        func append(_ line: String) {
            lines.withLock { if $0.count < Self.limit { $0.append(line) } }
        }

        /// The lines as the end of a sentence: empty, or `: first; second`.
        var suffix: String {
            let lines = lines.withLock { $0 }
            return lines.isEmpty ? "" : ": " + lines.joined(separator: "; ")
        }
    }

    @TaskLocal private static var collector: ErrorLines?

    private struct State {
        var handler: (@Sendable (Level, String) -> Void)?
        /// The level of the last line; a line of level CONT carries on with it.
        var level = Level.info
    }

    private static let state = Mutex(State())

    private static let installed: Void = {
        // The callback captures nothing; ggml keeps it for the life of the process. llama_log_set sets ggml's as well.
        llama_log_set(
            { level, text, _ in
                guard let text else { return }
                EngineLog.receive(level, String(cString: text))
            },
            nil
        )
        Backends.load()
    }()

    private static func receive(_ raw: ggml_log_level, _ text: String) {
        var line = Substring(text)
        while line.last?.isNewline == true { line.removeLast() }
        guard !line.isEmpty else { return }
        let (handler, level) = state.withLock { state in
            switch raw {
            case GGML_LOG_LEVEL_CONT: break
            case GGML_LOG_LEVEL_ERROR: state.level = .error
            case GGML_LOG_LEVEL_WARN: state.level = .warning
            case GGML_LOG_LEVEL_DEBUG: state.level = .debug
            default: state.level = .info
            }
            return (state.handler, state.level)
        }
        if level == .error { collector?.append(String(line)) }
        handler?(level, String(line))
    }
}
