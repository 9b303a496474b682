internal import NIOHTTP1
internal import VoiceCore

/// Why a server did not reply, and what that says of it.
struct CompletionFailure: Error {
    /// What it means for other servers.
    enum Kind: Sendable, Equatable {
        /// It could not be reached, was silent, broke off, or sent nonsense.
        case failed
        /// It has no room; for how long, if it says so.
        case full(Duration?)
        /// It lacks the model, or wants another key; others may do it.
        case unsuitable
        /// The request is at fault, or was cancelled: others would do the same.
        case request
    }

    /// The failure, as it is told.
    let error: VoiceError
    let kind: Kind

    init(_ error: VoiceError, _ kind: Kind) {
        self.error = error
        self.kind = kind
    }
}

extension CompletionFailure.Kind {
    /// What a status means.
    /// - Parameter retryAfter: the header of that name.
    init(_ status: HTTPResponseStatus, retryAfter: String?) {
        switch status {
        case .serviceUnavailable, .tooManyRequests:
            self = .full(retryAfter.flatMap { Int($0) }.map { .seconds(max(0, $0)) })
        case .unauthorized, .forbidden, .notFound: self = .unsuitable
        case .requestTimeout: self = .failed
        default: self = (400..<500).contains(status.code) ? .request : .failed
        }
    }
}
