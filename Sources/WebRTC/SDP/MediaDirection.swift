/// Who sends, seen from the side that says it (RFC 8866 section 6.7).
package enum MediaDirection: String, Sendable {
    case both = "sendrecv"
    case send = "sendonly"
    case receive = "recvonly"
    case inactive

    /// The answer of a side that does whatever it is offered (RFC 3264 section 6.1).
    var answer: MediaDirection {
        switch self {
        case .both: .both
        case .send: .receive
        case .receive: .send
        case .inactive: .inactive
        }
    }

    /// True if whoever says it sends.
    package var isSending: Bool { self == .both || self == .send }
    /// True if whoever says it receives.
    package var isReceiving: Bool { self == .both || self == .receive }
}
