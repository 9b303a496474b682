internal import NIOCore
internal import NIOWebSocket
internal import VoiceCore

/// Any protocol of whole messages on a connection: they go to a ``MessageInbox``, and the peer is read only while that has
/// room.
final class MessageDialogue: WebSocketDialogue {
    private let inbox: MessageInbox
    private let describe: @Sendable (VoiceError.Code, String) -> ByteBuffer?
    private var machine: MessageMachine

    init(
        inbox: MessageInbox,
        limits: WebSocketLimits,
        describing describe: @escaping @Sendable (VoiceError.Code, String) -> ByteBuffer?,
        at now: Duration
    ) {
        self.inbox = inbox
        self.describe = describe
        machine = MessageMachine(limits: limits, at: now)
    }

    var isReading: Bool { !inbox.isFull }

    func receive(_ frame: WebSocketFrame, at now: Duration) -> WebSocketAction {
        switch machine.receive(frame, at: now) {
        case .perform(let action): return action
        case .deliver(let message):
            inbox.push(message, at: now)
            return .none
        }
    }

    func receive(_ failure: NIOWebSocketError) -> WebSocketAction { machine.receive(failure) }

    func tick(at now: Duration) -> WebSocketAction { machine.tick(at: now, isReading: isReading) }

    func close(_ reason: CloseReason) -> WebSocketAction { machine.close(reason) }

    func farewell(_ failure: VoiceError.Code, _ message: String) -> OutboundQueue.Item? {
        describe(failure, message).map { .init(opcode: .text, payload: $0) }
    }

    func end() { inbox.finish() }
}
