internal import NIOHTTP1
internal import Transports
internal import VoiceCore

/// Why a conversation does not begin.
enum Refusal: Error, Sendable, Equatable {
    /// Every place is taken or reserved.
    case full(Int)
    /// The engines are too busy for another one, whatever room there is.
    case busy
    /// The server takes no more: it is about to end.
    case draining
    /// The owner of the key has as many as the key allows.
    case keyIsFull(Int)
    /// The owner of the key begins too many in too short a time.
    case tooFast(retryAfter: Int)
    /// Nobody with this credential may.
    case unauthorized(String)
    /// The credential is for something else.
    case forbidden(String)
    /// Where conversations are known does not answer.
    case unavailable(String)

    /// What counts it in `/metrics`.
    var reason: String {
        switch self {
        case .full: "full"
        case .busy: "busy"
        case .draining: "draining"
        case .keyIsFull: "key_full"
        case .tooFast: "key_rate"
        case .unauthorized: "unauthorized"
        case .forbidden: "forbidden"
        case .unavailable: "unavailable"
        }
    }

    /// What happened and what to do, for a person.
    var message: String {
        switch self {
        case .full(let capacity): "all \(capacity) conversations are taken; try again later"
        case .busy: "the server is as busy as it may be; try again later"
        case .draining: "the server is about to stop; try again, another one answers"
        case .keyIsFull(let most): "this key has its \(most) conversations; end one, or try again later"
        case .tooFast(let seconds): "this key begins conversations too fast; try again in \(seconds) s"
        case .unauthorized(let why), .forbidden(let why), .unavailable(let why): why
        }
    }

    /// After how many seconds to ask again; nil if that would not help.
    var retryAfter: Int? {
        switch self {
        case .full, .busy, .keyIsFull: 5
        case .draining, .unavailable: 1
        case .tooFast(let seconds): seconds
        case .unauthorized, .forbidden: nil
        }
    }

    /// The status of a response.
    var status: HTTPResponseStatus {
        switch self {
        case .full, .busy, .draining, .unavailable: .serviceUnavailable
        case .keyIsFull, .tooFast: .tooManyRequests
        case .unauthorized: .unauthorized
        case .forbidden: .forbidden
        }
    }

    /// The response, in the form that Pipecat's clients read.
    var response: Response {
        var response = Response.detail(status, message)
        if let retryAfter { response.headers.replaceOrAdd(name: "Retry-After", value: "\(retryAfter)") }
        // RFC 6750 section 3
        if case .unauthorized = self { response.headers.replaceOrAdd(name: "WWW-Authenticate", value: "Bearer") }
        return response
    }

    /// The close of a connection on which it is too late for a status.
    var closeReason: CloseReason {
        switch self {
        case .full, .busy, .keyIsFull, .tooFast, .unavailable: .full(message)
        case .draining: .restarting
        case .unauthorized, .forbidden: .policyViolation(message)
        }
    }
}
