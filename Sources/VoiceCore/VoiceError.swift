/// A failure that somebody outside the code can act on: what failed, with which input, and what to do.
///
/// One type serves the whole package, so that a failure in an engine can travel to the command line, to a session's
/// page or to a log without being translated on the way. ``Code`` is open: new cases never break a `switch`.
public struct VoiceError: Error, Sendable, CustomStringConvertible {
    /// The class of a failure. It decides the exit status of a command and whether a session can go on.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        private enum Kind: String { case usage, missingInput, malformedInput, unavailable, exhausted, cancelled, fault }
        private let kind: Kind
        private init(_ kind: Kind) { self.kind = kind }

        /// The caller asked for something that makes no sense. Exit status 64.
        public static let usage = Code(.usage)
        /// An input is missing or cannot be read. Exit status 66.
        public static let missingInput = Code(.missingInput)
        /// Bytes from outside do not have the form they must have. Exit status 65.
        public static let malformedInput = Code(.malformedInput)
        /// A model or a service is missing. Exit status 69.
        public static let unavailable = Code(.unavailable)
        /// A bound was reached: memory, sessions, context. Exit status 69.
        public static let exhausted = Code(.exhausted)
        /// The work was cancelled by its owner. Exit status 70 if it ever reaches a command.
        public static let cancelled = Code(.cancelled)
        /// Our own fault. Exit status 70.
        public static let fault = Code(.fault)

        /// The exit status of a command that ends with this failure (the numbers of BSD's `sysexits.h`).
        public var exitStatus: Int32 {
            switch kind {
            case .usage: 64
            case .malformedInput: 65
            case .missingInput: 66
            case .unavailable, .exhausted: 69
            case .cancelled, .fault: 70
            }
        }

        /// The code's name in lower camel case; stable, used on the wire.
        public var description: String { kind.rawValue }
    }

    /// The class of this failure.
    public var code: Code
    /// One or two sentences for a person: what failed, with which input, what to do.
    public var message: String
    /// The failure underneath, if there was one.
    public var cause: (any Error)?

    /// Makes a failure.
    ///
    /// - Parameters:
    ///   - code: its class.
    ///   - message: what failed, with which input, what to do.
    ///   - cause: the failure underneath.
    public init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    /// The message, followed by the cause's own words.
    public var description: String {
        guard let cause else { return message }
        return "\(message) (\(cause))"
    }

    /// Turns any error into a ``VoiceError``: one that already is passes through, a cancellation keeps its code,
    /// everything else becomes a fault with `doing` as its message.
    public static func wrapping(_ error: any Error, doing message: @autoclosure () -> String) -> VoiceError {
        if let error = error as? VoiceError { return error }
        if error is CancellationError { return VoiceError(.cancelled, "\(message()): cancelled") }
        return VoiceError(.fault, message(), cause: error)
    }
}
