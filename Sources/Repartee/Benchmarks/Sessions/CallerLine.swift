internal import Foundation
internal import NIOCore
internal import NIOWebSocket
internal import VoiceCore

/// One caller's side of the wire: dials, carries what the ``Caller`` says and hears, hangs up.
///
/// Lives on its office's event loop.
final class CallerLine {
    private enum State: Equatable { case idle, dialling, talking, failed }

    /// How often a page tells what it has played: every 100 ms (`playout-worklet.js`), in ticks.
    private static let playedEvery = 5
    private static let maskingKey = WebSocketMaskingKey([0x52, 0x65, 0x70, 0x61]) ?? .random()

    private unowned let office: CallerOffice
    private let number: Int
    private var caller: Caller
    private var state = State.idle
    private var context: ChannelHandlerContext?
    private var gathered = CallerNotes()
    private var calls = 0
    private var ticks = 0
    private var lastPlayed: Int?

    init(_ number: Int, office: CallerOffice) {
        self.office = office
        self.number = number
        caller = Self.person(number, office)
    }

    private static func person(_ number: Int, _ office: CallerOffice) -> Caller {
        Caller(office.plan.habits, sound: office.plan.sound, number: number, playout: office.plan.playout)
    }

    /// True from the server's consent on, until the end.
    var isTalking: Bool { state == .talking }
    /// True once it is known what came of dialling for the first time.
    private(set) var hasArrived = false
    /// True while nothing is said by either side.
    var isAtRest: Bool { caller.isAtRest }

    /// Takes what was noticed since the last time.
    func takeNotes() -> CallerNotes {
        gathered += caller.takeNotes()
        defer { gathered = CallerNotes() }
        return gathered
    }

    // MARK: - the call

    /// Begins a conversation; the person is silent until ``talk()``.
    func dial() {
        guard state != .dialling, state != .talking else { return }
        state = .dialling
        gathered += caller.takeNotes()
        // Whoever calls again asks other questions.
        caller = Self.person(number + 1000 * calls, office)
        calls += 1
        office.connect(self)
    }

    /// Has the person begin to ask.
    func talk() { caller.talk(from: office.now) }

    /// The socket has a pipeline.
    func attached(_ context: ChannelHandlerContext) {
        // Whoever has hung up meanwhile is gone.
        if state == .dialling { self.context = context } else { context.close(promise: nil) }
    }

    /// The socket is open: greets.
    func opened() {
        let (microphone, playout) = (office.plan.sound.rate.hertz, office.plan.playout.hertz)
        say(
            #"{"type":"hello","version":1,"microphone":{"sample_rate":\#(microphone)},"playout":{"sample_rate":\#(playout)}}"#
        )
    }

    /// The socket could not be had.
    func refused(_ why: String, isFull: Bool) {
        guard state == .dialling else { return }
        note(why, isFull: isFull)
    }

    /// Ends the conversation; every other one without a goodbye, as networks do.
    func hangUp() {
        guard state == .talking || state == .dialling else { return }
        state = .idle
        gathered.calls += 1
        let context = context
        self.context = nil
        if calls.isMultiple(of: 2) { return context?.close(promise: nil) ?? () }
        if let context { send(.text, ByteBuffer(string: #"{"type":"bye"}"#), on: context) }
    }

    /// The socket has closed.
    func closed(_ context: ChannelHandlerContext) {
        guard self.context === context else { return }
        self.context = nil
        note("the connection ended", isFull: false)
    }

    private func note(_ why: String, isFull: Bool) {
        state = .failed
        hasArrived = true
        if isFull { gathered.rejected += 1 } else { gathered.broken += 1 }
        gathered.lastProblem = why
        let context = context
        self.context = nil
        context?.close(promise: nil)
    }

    // MARK: - up

    /// Sends the sound of the 20 ms that ended at `now`.
    func tick(at now: Duration) {
        guard state == .talking, let context else { return }
        ticks += 1
        switch caller.tick(at: now) {
        case .quiet(let number): send(.binary, office.plan.sound.quiet(number), on: context)
        case .question(let question, let piece):
            send(.binary, office.plan.sound.questions[question].messages[piece], on: context)
        case .none:
            hangUp()
            if office.plan.redials { dial() }
        }
        if ticks.isMultiple(of: Self.playedEvery) { reportPlayed(at: now) }
    }

    private func reportPlayed(at now: Duration) {
        guard let (epoch, samples) = caller.played(at: now), samples != lastPlayed else { return }
        lastPlayed = samples
        say(#"{"type":"played","epoch":\#(epoch),"samples":\#(samples)}"#)
    }

    private func say(_ text: String) {
        if let context { send(.text, ByteBuffer(string: text), on: context) }
    }

    private func send(_ opcode: WebSocketOpcode, _ bytes: ByteBuffer, on context: ChannelHandlerContext) {
        let frame = WebSocketFrame(fin: true, opcode: opcode, maskKey: Self.maskingKey, data: bytes)
        context.writeAndFlush(CallerSocket.wrapOutboundOut(frame), promise: nil)
    }

    // MARK: - down

    /// Takes a frame of the server.
    func receive(_ frame: WebSocketFrame, _ context: ChannelHandlerContext) {
        guard self.context === context else {
            // The goodbye was said: closing is answered, everything else is too late.
            if frame.opcode == .connectionClose { context.close(promise: nil) }
            return
        }
        var bytes = frame.data
        switch frame.opcode {
        case .binary: hear(&bytes)
        case .text: read(bytes)
        case .ping: send(.pong, bytes, on: context)
        case .connectionClose:
            let code = bytes.readInteger(as: UInt16.self) ?? 1005
            note("the server closed the connection with \(code) \(String(buffer: bytes))", isFull: code == 1013)
        default: break
        }
    }

    /// A reply's audio: `docs/protocol.md`, kind 2.
    private func hear(_ bytes: inout ByteBuffer) {
        let now = office.now
        guard bytes.readInteger(as: UInt32.self) == 0x0200_0000,
            let epoch = bytes.readInteger(endianness: .little, as: UInt32.self).map(Int.init),
            let position = bytes.readInteger(endianness: .little, as: UInt32.self).map(Int.init)
        else { return note("the server sent audio in a form that is unknown here", isFull: false) }
        let count = bytes.readableBytes / 2
        let onset = caller.awaitsOnset(epoch: epoch) ? Self.onset(bytes) : nil
        caller.hear(epoch: epoch, position: position, count: count, onset: onset, at: now)
    }

    /// The first audible of some samples: louder than -36 dBFS (`SpeechEdge`).
    private static func onset(_ bytes: ByteBuffer) -> Int? {
        (0..<(bytes.readableBytes / 2)).first { index in
            let sample: Int16? = bytes.getInteger(at: bytes.readerIndex + 2 * index, endianness: .little)
            return abs(Int(sample ?? 0)) > 500
        }
    }

    private struct News: Decodable {
        var type: String
        var speaking: Bool?
    }

    private func read(_ bytes: ByteBuffer) {
        let text = String(buffer: bytes)
        // Many and of no interest.
        guard !text.contains("_transcript\""), let news = try? JSONDecoder().decode(News.self, from: Data(text.utf8))
        else { return }
        switch news.type {
        case "ready":
            guard state == .dialling else { return }
            state = .talking
            hasArrived = true
            if office.isTalking { caller.talk(from: office.now) }
        case "agent_speaking": if news.speaking == false { caller.agentEnded(at: office.now) }
        case "pause", "cut": caller.agentPaused()
        case "turn_dropped": caller.turnDropped(at: office.now)
        case "error": gathered.lastProblem = text
        default: break
        }
    }
}

/// The end of a caller's pipeline.
final class CallerSocket: ChannelInboundHandler {
    typealias InboundIn = WebSocketFrame
    typealias OutboundOut = WebSocketFrame

    private let line: CallerLine

    init(_ line: CallerLine) { self.line = line }

    func handlerAdded(context: ChannelHandlerContext) { line.attached(context) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        line.receive(Self.unwrapInboundIn(data), context)
    }

    func channelInactive(context: ChannelHandlerContext) { line.closed(context) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
