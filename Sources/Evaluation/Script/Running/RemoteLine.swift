internal import NIOCore
internal import NIOPosix
internal import Synchronization
internal import Transports
package import VoiceCore
package import WebSocketClient

/// A call of an agent on a server that speaks RTVI in Pipecat's frames: `repartee serve` at `/ws-client`, or a Pipecat bot.
package final class RemoteLine: ScriptLine {
    private struct State {
        var isOpen = false
        /// Messages for a server that has not answered yet; a person does nothing before it has.
        var waiting: [[UInt8]] = []
        var nextID: UInt64 = 1
        var rate = SampleRate(24_000)
        var speech: [Float] = []
        /// When the agent began to speak; nil while it does not.
        var began: Duration?
    }

    /// Sound that comes before the news that the agent speaks: half a second at most.
    private static let early = 12_000
    /// The longest speech that is kept for its transcript: ten minutes at 24 kHz.
    private static let longest = 24_000 * 600

    private let address: ServerAddress
    private let link: WebSocketLink
    private let clock: any SessionClock
    private let deliver: @Sendable (LineArrival) -> Void
    private let state = Mutex(State())

    /// Makes a line without a connection.
    ///
    /// - Parameter deliver: takes what the agent sends; must not block.
    /// - Throws: `unavailable` when the machine has no certificates that an address with TLS needs.
    package init(
        address: ServerAddress,
        clock: any SessionClock,
        deliver: @escaping @Sendable (LineArrival) -> Void
    ) throws(VoiceError) {
        self.address = address
        self.clock = clock
        self.deliver = deliver
        link = WebSocketLink(
            address: address,
            limits: .init(connect: .seconds(10), messageBytes: 4 << 20, messages: 4096, overflow: .leave),
            tls: try WebSocketLink.tls(for: address),
            group: MultiThreadedEventLoopGroup.singleton,
            clock: clock
        )
    }

    package func run() async throws(VoiceError) {
        link.connect()
        defer { link.close() }
        while !Task.isCancelled {
            await link.signal.wait()
            for event in link.take() {
                switch event {
                case .opened: open()
                case .message(let json): take(json)
                case .binary(let bytes): take(bytes)
                case .writable: break
                case .closed(let why), .refused(let why, _):
                    guard state.withLock({ $0.isOpen }) else {
                        throw VoiceError(.unavailable, "the agent at \(address) cannot be called: \(why)")
                    }
                    return
                }
            }
        }
    }

    private func open() {
        let waiting = state.withLock { state -> [[UInt8]] in
            defer { state.waiting = [] }
            state.isOpen = true
            return state.waiting
        }
        waiting.forEach(link.send)
    }

    // MARK: - The agent's side

    private func take(_ bytes: [UInt8]) {
        // What cannot be read is no event: what was expected does not come.
        guard let frame = try? PipecatFrame(reading: ByteBuffer(bytes: bytes)) else { return }
        switch frame {
        case .message(let json): take(json)
        case .audio(let samples, let rate):
            state.withLock { state in
                if rate != state.rate { (state.rate, state.speech) = (rate, []) }
                if state.speech.count < Self.longest { state.speech += samples }
                if state.began == nil, state.speech.count > Self.early {
                    state.speech.removeFirst(state.speech.count - Self.early)
                }
            }
        case .text, .transcription, .interruption, .unknown: break
        }
    }

    private func take(_ json: String) {
        deliver(.message(json))
        switch JSONValue(json: json)?["type"]?.text {
        case "bot-started-speaking": state.withLock { $0.began = clock.now }
        case "bot-stopped-speaking":
            let speech = state.withLock { state -> LineArrival? in
                defer { (state.began, state.speech) = (nil, []) }
                return state.began.map { .speech(state.speech, state.rate, began: $0) }
            }
            if let speech { deliver(speech) }
        default: break
        }
    }

    // MARK: - The person's side

    package func call() { tell("client-ready", ["version": .string("\(RTVIVersion.server)")]) }

    package func tell(_ type: String, _ data: JSONValue) {
        send { id in
            let message: JSONValue = [
                "label": .string(RTVIClientMessage.label), "type": .string(type), "id": .string("\(id)"), "data": data,
            ]
            return .message(message.json)
        }
    }

    package func say(_ samples: [Float], rate: SampleRate) {
        guard state.withLock({ $0.isOpen }) else { return }
        send { _ in .audio(samples, rate) }
    }

    package func tick() {}

    package func hangUp() { link.close() }

    private func send(_ frame: (UInt64) -> PipecatFrame) {
        let ready = state.withLock { state -> [UInt8]? in
            let bytes = [UInt8](frame(state.nextID).bytes(id: state.nextID).readableBytesView)
            state.nextID += 1
            guard !state.isOpen else { return bytes }
            state.waiting.append(bytes)
            return nil
        }
        if let ready { link.send(ready) }
    }
}
