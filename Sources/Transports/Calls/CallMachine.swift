internal import VoiceCore

/// A protocol of conversations over WebSocket messages, as a value: whole messages, the agent's messages and time in, steps
/// out.
///
/// **Feed whatever comes, then do what is returned, in order.** No socket, clock or lock inside.
protocol CallMachine: ~Copyable, SendableMetatype {
    /// What is known once a conversation can begin.
    associatedtype Greeting: Sendable

    /// Takes a whole message of the peer.
    mutating func receive(_ message: MessageMachine.Message, at now: Duration) -> [CallStep<Greeting>]
    /// Learns that the conversation has begun.
    mutating func begin() -> [CallStep<Greeting>]
    /// Takes a message of the agent.
    mutating func send(_ message: TransportMessage, at now: Duration) -> [CallStep<Greeting>]
    /// Takes the time, a few times a second.
    mutating func tick(at now: Duration) -> [CallStep<Greeting>]
    /// The protocol's own message for a failure, sent before the close frame; nil if it has none.
    func farewell(_ failure: VoiceError.Code, _ message: String) -> OutboundQueue.Item?
}

/// Something that a ``CallMachine`` wants done.
enum CallStep<Greeting: Sendable>: Sendable {
    /// A conversation may begin.
    case greet(Greeting)
    /// Something for the conversation.
    case deliver(TransportEvent)
    /// Sound for the conversation, unless it comes faster than anybody can speak.
    case hear([Float], SampleRate)
    /// A message for the peer.
    case send(OutboundQueue.Item)
    /// Forget audio of this reply and of earlier ones that waits for the socket.
    case cut(epoch: Int)
    /// Forget audio of this reply that waits for the socket.
    case pause(epoch: Int)
    /// Close.
    case close(CloseReason)
}
