internal import NIOCore
internal import NIOWebSocket
internal import VoiceCore

/// Who is at the other end of a WebSocket.
package enum Visitor: Sendable, Equatable {
    /// The page, or a program that speaks its protocol.
    case browser(BrowserProtocol.Hello)
    /// A Pipecat client.
    case pipecat
    /// A telephone call.
    case telephone(TelephonyCall)
    /// A browser or an app that came by WebRTC.
    case webRTC
}

/// The protocols of conversations on one connection: one of them is spoken, which one is known from the address or from the
/// first message.
///
/// The page and the telephone providers share an address. The page's first message has a `type`, a provider's an `event`.
final class VisitorDialogue: WebSocketDialogue {
    typealias Telephone = CallDialogue<TelephonyMachine>
    typealias Pipecat = CallDialogue<PipecatMachine>

    /// The most frames in which the first message may come.
    private static let longestIntroduction = 64

    private enum Voice {
        case undecided([WebSocketFrame])
        case browser
        case telephone
        case pipecat(Pipecat)
    }

    private let browser: BrowserDialogue
    private let telephone: Telephone
    private var introduction: MessageAssembler
    private var voice: Voice

    let isReading = true

    init(browser: BrowserDialogue, telephone: Telephone, pipecat: Pipecat?, limits: WebSocketLimits) {
        self.browser = browser
        self.telephone = telephone
        introduction = MessageAssembler(limit: limits.messageBytes)
        voice = pipecat.map(Voice.pipecat) ?? .undecided([])
    }

    func receive(_ frame: WebSocketFrame, at now: Duration) -> WebSocketAction {
        switch voice {
        case .browser: return browser.receive(frame, at: now)
        case .telephone: return telephone.receive(frame, at: now)
        case .pipecat(let pipecat): return pipecat.receive(frame, at: now)
        case .undecided(let frames): return introduce(frames, frame, now)
        }
    }

    /// Decides by the first message; all its frames then go to the protocol that it belongs to.
    private func introduce(_ frames: [WebSocketFrame], _ frame: WebSocketFrame, _ now: Duration) -> WebSocketAction {
        guard [.text, .binary, .continuation].contains(frame.opcode) else { return browser.receive(frame, at: now) }
        let frames = frames + [frame]
        switch introduction.feed(frame) {
        case .nothing where frames.count < Self.longestIntroduction:
            voice = .undecided(frames)
            return .none
        case .text(let bytes) where Self.isTelephone(bytes): voice = .telephone
        default: voice = .browser
        }
        return .all(frames.map { receive($0, at: now) })
    }

    private static func isTelephone(_ bytes: ByteBuffer) -> Bool {
        guard let text = String(validating: bytes.readableBytesView, as: UTF8.self), let value = JSONValue(json: text)
        else { return false }
        return value["event"]?.text != nil && value["type"] == nil
    }

    func receive(_ failure: NIOWebSocketError) -> WebSocketAction { current.receive(failure) }

    func tick(at now: Duration) -> WebSocketAction { current.tick(at: now) }

    func close(_ reason: CloseReason) -> WebSocketAction { current.close(reason) }

    func farewell(_ failure: VoiceError.Code, _ message: String) -> OutboundQueue.Item? {
        current.farewell(failure, message)
    }

    func end() {
        browser.end()
        telephone.end()
        if case .pipecat(let pipecat) = voice { pipecat.end() }
    }

    /// Tells the peer that the conversation has begun.
    func begin(at now: Duration) -> WebSocketAction {
        if case .pipecat(let pipecat) = voice { pipecat.begin(at: now) } else { .none }
    }

    /// Takes a message of the agent.
    func send(_ message: TransportMessage, at now: Duration) -> WebSocketAction {
        switch voice {
        case .telephone: telephone.send(message, at: now)
        case .pipecat(let pipecat): pipecat.send(message, at: now)
        case .browser, .undecided: .none
        }
    }

    private var current: any WebSocketDialogue {
        switch voice {
        case .browser, .undecided: browser
        case .telephone: telephone
        case .pipecat(let pipecat): pipecat
        }
    }
}
