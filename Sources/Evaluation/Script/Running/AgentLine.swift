package import Conversation
internal import Foundation
internal import Synchronization
package import Transports
package import VoiceCore

/// A call of an agent in this process: what the person does goes in and what the agent does comes out as a Pipecat client would send
/// and get it, as RTVI messages.
package final class AgentLine: Transport, ScriptLine {
    fileprivate struct State: ~Copyable {
        var rtvi: RTVISession
        var heard: Int = 0
        /// What is being heard, by the reply that it is of.
        var epoch = -1
        var speech: [Float] = []
        var began: Duration?
        var nextID = 1
    }

    /// See the protocol.
    package let playoutRate = SampleRate(24_000)
    /// See the protocol; one consumer.
    package let events: AsyncStream<TransportEvent>
    private let inbox: Mailbox<TransportEvent>
    private let conversation: Conversation
    private let clock: any SessionClock
    private let deliver: @Sendable (LineArrival) -> Void
    private let state: Mutex<State>

    /// Makes a line on which nothing was said.
    ///
    /// - Parameters:
    ///   - conversation: the agent's.
    ///   - models: its models.
    ///   - deliver: takes what the agent sends; must not block.
    package init(
        _ conversation: Conversation,
        about: RTVIAbout,
        models: ModelNames,
        clock: any SessionClock,
        deliver: @escaping @Sendable (LineArrival) -> Void
    ) {
        self.conversation = conversation
        self.clock = clock
        self.deliver = deliver
        let inbox = Mailbox<TransportEvent>(capacity: 1024, overflow: .dropOldest, clock: clock)
        self.inbox = inbox
        events = AsyncStream { await inbox.next() }
        state = Mutex(State(rtvi: RTVISession(about: about, models: models, tellsRawText: true)))
    }

    package func run() async throws(VoiceError) { _ = try await conversation.converse(over: self) }

    // MARK: - The agent's side

    /// See the protocol. Never fails.
    package func send(_ message: TransportMessage) async throws(VoiceError) {
        let now = clock.now
        switch message {
        case .audio(let frame): state.withLock { $0.hear(frame) }
        case .cut: perform(state.withLock { $0.rtvi.interrupt() })
        case .pause: break
        case .event(let event):
            perform(state.withLock { $0.rtvi.handle(event, at: Self.date) })
            guard case .agentSpeaking(let speaks) = event else { return }
            let speech = state.withLock { state -> ([Float], Duration)? in
                guard !speaks else {
                    state.began = now
                    return nil
                }
                defer { (state.speech, state.began) = ([], nil) }
                return state.began.map { (state.speech, $0) }
            }
            if let (samples, began) = speech { deliver(.speech(samples, playoutRate, began: began)) }
        }
    }

    private static var date: Date { Date(timeIntervalSince1970: 0) }

    // MARK: - The person's side

    package func call() {
        tell("client-ready", ["version": .string("\(RTVIVersion.server)")])
        perform(state.withLock { $0.rtvi.begin() })
    }

    package func tell(_ type: String, _ data: JSONValue) {
        let now = clock.now
        let actions = state.withLock { state in
            let message: JSONValue = [
                "label": .string(RTVIClientMessage.label), "type": .string(type), "id": .string("\(state.nextID)"),
                "data": data,
            ]
            state.nextID += 1
            return state.rtvi.receive(message.json, at: now, Self.date)
        }
        perform(actions)
    }

    package func say(_ samples: [Float], rate: SampleRate) {
        let position = state.withLock { state -> Int in
            defer { state.heard += samples.count }
            return state.heard
        }
        inbox.send(.audio(AudioFrame(samples: samples, rate: rate, position: position)))
    }

    package func tick() {
        let now = clock.now
        perform(state.withLock { $0.rtvi.tick(at: now) })
    }

    package func hangUp() { inbox.finish() }

    private func perform(_ actions: [RTVISession.Action]) {
        for action in actions {
            switch action {
            case .say(let json): deliver(.message(json))
            case .deliver(let event): inbox.send(event)
            case .hear(let samples, let rate): say(samples, rate: rate)
            case .begin: break
            case .ask(let id, let type, _):
                perform(state.withLock { $0.rtvi.refuse(id, "Unsupported client message \(type)") })
            case .end: hangUp()
            }
        }
    }
}

extension AgentLine.State {
    /// The longest speech that is kept for its transcript: ten minutes.
    private static let longest = 24_000 * 600

    /// Lays a frame to what is heard of its reply; one that comes again goes over what it repeats.
    fileprivate mutating func hear(_ frame: PlayoutFrame) {
        if frame.epoch != epoch { (epoch, speech) = (frame.epoch, []) }
        let position = min(frame.audio.position, speech.count)
        speech.removeLast(speech.count - position)
        guard speech.count < Self.longest else { return }
        speech += frame.audio.samples
    }
}
