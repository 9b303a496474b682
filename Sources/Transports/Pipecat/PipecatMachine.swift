#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif
internal import NIOCore
internal import NIOWebSocket
internal import VoiceCore

/// The server's side of Pipecat's WebSocket protocol as a value: sound and RTVI messages in protobuf frames.
///
/// A client that speaks RTVI begins the conversation with `client-ready`; one that does not with its first frame, or by
/// saying nothing for a second.
struct PipecatMachine: ~Copyable, CallMachine {
    typealias Step = CallStep<Void>

    /// How long a client may take until `client-ready` before the conversation begins without.
    private static let patience = Duration.seconds(1)

    private let rate: SampleRate
    private let date: @Sendable () -> Date
    private let deadline: Duration
    private var rtvi: RTVISession
    private var hasGreeted = false
    private var knowsInterruptions = false
    private var nextID: UInt64 = 1

    /// Makes the machine of a connection that opened at `now`.
    ///
    /// - Parameters:
    ///   - rate: of the replies' sound.
    ///   - date: the time of day, for transcripts.
    init(
        rate: SampleRate,
        about: RTVIAbout,
        models: ModelNames,
        date: @escaping @Sendable () -> Date,
        at now: Duration
    ) {
        self.rate = rate
        self.date = date
        deadline = now + Self.patience
        rtvi = RTVISession(about: about, models: models)
    }

    mutating func receive(_ message: MessageMachine.Message, at now: Duration) -> [Step] {
        guard case .binary(let bytes) = message else {
            return [.close(.unacceptableData("a text message: Pipecat's frames are binary messages"))]
        }
        let frame: PipecatFrame
        do {
            frame = try PipecatFrame(reading: bytes)
        } catch .malformed {
            return [.close(.unacceptableData("a message is no frame of Pipecat's protocol"))]
        } catch {
            return [.close(.unacceptableData("sound has 8000 to 96000 samples a second and 1 to 8 channels"))]
        }
        return receive(frame, now)
    }

    private mutating func receive(_ frame: PipecatFrame, _ now: Duration) -> [Step] {
        switch frame {
        case .message(let json): return perform(rtvi.receive(json, at: now, date()))
        case .audio(let samples, let rate): return greet() + (samples.isEmpty ? [] : [.hear(samples, rate)])
        case .text(let text), .transcription(let text):
            let text = text.trimmed
            guard !text.isEmpty, text.utf16.count <= BrowserProtocol.maximumTextLength else { return greet() }
            return greet() + [.deliver(.text(text))]
        case .interruption:
            knowsInterruptions = true
            return greet() + [.deliver(.interrupt)]
        case .unknown: return []
        }
    }

    mutating func begin() -> [Step] { perform(rtvi.begin()) }

    mutating func send(_ message: TransportMessage, at now: Duration) -> [Step] {
        switch message {
        case .audio(let playout):
            let audio = OutboundQueue.Audio(epoch: playout.epoch, duration: playout.audio.duration)
            return [.send(item(.audio(playout.audio.samples, playout.audio.rate), audio))]
        case .cut(let epoch):
            let frame: [Step] =
                knowsInterruptions || rtvi.knowsInterruptionFrames ? [.send(item(.interruption))] : []
            return [.cut(epoch: epoch)] + frame + perform(rtvi.interrupt())
        case .pause(let epoch): return [.pause(epoch: epoch)]
        case .event(let event): return perform(rtvi.handle(event, at: date()))
        }
    }

    mutating func tick(at now: Duration) -> [Step] {
        (now >= deadline ? greet() : []) + perform(rtvi.tick(at: now))
    }

    borrowing func farewell(_ failure: VoiceError.Code, _ message: String) -> OutboundQueue.Item? {
        guard let json = RTVIServerMessage.error(message, isFatal: true).json(for: rtvi.clientVersion) else {
            return nil
        }
        return .init(opcode: .binary, payload: PipecatFrame.message(json).bytes(id: nextID))
    }

    private mutating func greet() -> [Step] {
        guard !hasGreeted else { return [] }
        hasGreeted = true
        return [.greet(())]
    }

    private mutating func perform(_ actions: [RTVISession.Action]) -> [Step] {
        var steps: [Step] = []
        for action in actions {
            switch action {
            case .say(let json): steps.append(.send(item(.message(json))))
            case .deliver(let event): steps += greet() + [.deliver(event)]
            case .hear(let samples, let rate): steps += greet() + (samples.isEmpty ? [] : [.hear(samples, rate)])
            case .begin: steps += greet()
            case .ask(let id, let type, _): steps += perform(rtvi.refuse(id, "Unsupported client message \(type)"))
            case .end: steps.append(.close(.ended))
            }
        }
        return steps
    }

    private mutating func item(_ frame: PipecatFrame, _ audio: OutboundQueue.Audio? = nil) -> OutboundQueue.Item {
        defer { nextID &+= 1 }
        return .init(opcode: .binary, payload: frame.bytes(id: nextID), audio: audio)
    }
}
