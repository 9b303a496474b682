package import VoiceCore

/// Why a WebSocket is closed by us: the close code of RFC 6455 section 7.4 and what the page is told before.
package struct CloseReason: Sendable, Equatable {
    /// The close code; the table is in `docs/protocol.md`.
    package var code: UInt16
    /// The class of the failure, sent in the `error` message; nil for an ordinary end, which sends none.
    package var failure: VoiceError.Code?
    /// What happened, in one or two sentences.
    package var message: String

    /// Makes a reason.
    package init(code: UInt16, failure: VoiceError.Code?, message: String) {
        self.code = code
        self.failure = failure
        self.message = message
    }

    /// 1000: the conversation ended.
    package static let ended = CloseReason(code: 1000, failure: nil, message: "the conversation ended")
    /// 1001: the server shuts down.
    package static let shuttingDown = CloseReason(code: 1001, failure: nil, message: "the server is shutting down")

    /// 1012: the server ends for another to take its place; the peer may connect again at once.
    package static let restarting = CloseReason(code: 1012, failure: nil, message: "the server restarts")
    /// 4001: the conversation goes on over another connection of the same person. Nobody should connect again.
    package static let continuedElsewhere = CloseReason(
        code: 4001,
        failure: nil,
        message: "the conversation goes on over another connection"
    )

    /// 1002: the peer broke the framing of RFC 6455, or the order of the messages.
    package static func protocolError(_ message: String) -> CloseReason {
        CloseReason(code: 1002, failure: .malformedInput, message: message)
    }

    /// 1003: binary data of an unknown form.
    package static func unacceptableData(_ message: String) -> CloseReason {
        CloseReason(code: 1003, failure: .malformedInput, message: message)
    }

    /// 1007: text that does not have the form it must have.
    package static func malformedText(_ message: String) -> CloseReason {
        CloseReason(code: 1007, failure: .malformedInput, message: message)
    }

    /// 1008: the peer reads too slowly or says more than anybody can handle.
    package static func policyViolation(_ message: String) -> CloseReason {
        CloseReason(code: 1008, failure: .exhausted, message: message)
    }

    /// 1008: the peer has taken nothing for too long, or too much waits for it.
    package static let stalled = policyViolation("the messages are read too slowly")

    /// 1001: the peer has sent nothing for too long.
    package static func idle(_ timeout: Duration) -> CloseReason {
        let message =
            "nothing came for \(Int(timeout.milliseconds / 1000)) s; connect again when there is something to say"
        return CloseReason(code: 1001, failure: .exhausted, message: message)
    }

    /// 1009: a message over the limit.
    package static func tooLarge(limit: Int) -> CloseReason {
        CloseReason(
            code: 1009,
            failure: .malformedInput,
            message: "a message is larger than \(limit / 1024) KiB; send shorter ones"
        )
    }

    /// 1011: a failure of ours.
    package static func failure(_ error: VoiceError) -> CloseReason {
        CloseReason(code: 1011, failure: error.code, message: error.message)
    }

    /// 1013: no room.
    package static func full(_ message: String) -> CloseReason {
        CloseReason(code: 1013, failure: .exhausted, message: message)
    }
}
