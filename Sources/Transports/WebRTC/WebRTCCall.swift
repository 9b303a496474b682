internal import Audio
#if canImport(FoundationEssentials)
    package import FoundationEssentials
#else
    package import Foundation
#endif
package import VoiceCore
package import WebRTC

/// One person's conversation over WebRTC, without a socket or a clock: datagrams, the agent's messages and time in, datagrams and events
/// out.
///
/// **Tell it something, then drain ``poll()`` and come back at ``nextTimeout``.** Datagrams are given to its ``peer`` (by the
/// ``WebRTC/PeerTable`` of all peers), after which ``drain(at:)`` is to be called. One owner at a time.
///
/// Sound goes by Opus in both directions. What the person says is handed on as it comes (``Audio/JitterBuffer``). The first packet of a
/// reply leaves at once, and those behind it follow every 20 ms by the owner's clock, a few milliseconds early where something else wakes the
/// call anyway: they are timed to fall due just after the microphone's packets. The first data channel that the other side opens carries the
/// page's protocol or RTVI, whichever its label says. The conversation can begin once the client says that it is ready, or a second after
/// connecting.
package final class WebRTCCall {
    /// What the owner is to do.
    package enum Output: Sendable {
        /// Send this by UDP.
        case transmit(Datagram)
        /// The conversation can begin.
        case greet
        /// Something for the conversation.
        case deliver(TransportEvent)
        /// All is over. Nothing follows.
        case ended(CloseReason)
    }

    /// The rate at which replies are wanted. Opus carries all of it, and voices have no more.
    package static let playoutRate = SampleRate(24_000)
    /// How far ahead of the clock the conversation sends: two packets, so that a cut is heard at once.
    package static let playoutLead = Duration.milliseconds(40)
    /// How long a client may take until it says that it is ready before the conversation begins without.
    private static let patience = Duration.seconds(1)
    /// Packets that are made up for at once when the owner came late; more are left out.
    private static let longestDelay = 10
    /// How often to look at what only time changes, at least.
    private static let tickInterval = Duration.milliseconds(100)
    /// What a browser's jitter buffer holds back, beside the network: Chromium was seen at 40 to 60 ms without jitter.
    private static let remoteDelay = Duration.milliseconds(50)

    /// The connection below.
    package let peer: Peer

    private let frame: Duration
    /// So much before it is due a packet may leave. Any receiver's jitter buffer has room for it.
    private let earliness: Duration
    private let date: @Sendable () -> Date
    private var channels: DataChannels?
    private var chat: DataChannels.Identifier?
    private var jitterBuffer: JitterBuffer
    private var allowance: AudioAllowance
    private var encoder: OpusEncoder
    private var protection = LossProtection()
    private var outgoing: OutgoingAudio
    private var dialogue: ChannelDialogue
    private var keypad = KeypadDigits()
    private var outputs = FIFO<Output>()
    private var connected: Duration?
    private var nextTick: Duration?
    /// When the next packet leaves; nil while there is none to send.
    private var nextPacket: Duration?
    /// When the microphone's latest packet came.
    private var latestHeard: Duration?
    /// Where the next packet begins, in samples at 48 kHz since the connection was made.
    private var nextTimestamp = 0
    private let firstTimestamp: UInt32
    private var hasGreeted = false
    private var isOver = false

    /// Reply audio that was dropped because too much waited.
    package private(set) var dropped = Duration.zero
    /// Microphone audio that was dropped because it came faster than anybody can speak.
    package private(set) var microphoneDropped = Duration.zero

    /// Makes a call that waits for its first offer.
    ///
    /// - Parameters:
    ///   - frame: the length of the packets that are sent; 10 or 20 ms.
    ///   - about: what the client is told of the agent.
    ///   - models: the models' names, for measurements.
    ///   - limits: how much of a reply may wait, how much more microphone audio than time may pass, and how long a page may take to
    ///     greet.
    ///   - date: the time of day, for transcripts.
    /// - Throws: ``VoiceError/Code/exhausted`` without memory for the codec.
    package init(
        peers: PeerConfiguration,
        frame: Duration = .milliseconds(20),
        about: RTVIAbout,
        models: ModelNames,
        limits: WebSocketLimits = WebSocketLimits(),
        date: @escaping @Sendable () -> Date = { Date() },
        at now: Duration
    ) throws(VoiceError) {
        peer = Peer(configuration: peers, at: now)
        self.frame = frame
        earliness = frame * 2 / 5
        self.date = date
        jitterBuffer = try JitterBuffer(rate: .speech)
        allowance = AudioAllowance(burst: limits.microphoneBurst, at: now)
        encoder = try OpusEncoder(rate: Self.playoutRate, frame: frame, settings: protection.settings)
        outgoing = OutgoingAudio(rate: Self.playoutRate, limit: limits.playoutBacklog)
        dialogue = ChannelDialogue(about: about, models: models, helloTimeout: limits.helloTimeout)
        firstTimestamp = UInt32.random(in: 0...UInt32.max)
    }

    /// Takes an offer, the first or a later one, and makes the answer.
    ///
    /// - Throws: what ``WebRTC/Peer/answer(_:at:)`` throws; then everything is as before.
    package func answer(_ offer: String, at now: Duration) throws(VoiceError) -> String {
        let answer = try peer.answer(offer, at: now)
        if channels == nil, let agreed = peer.dataChannels {
            var configuration = SCTPConfiguration()
            configuration.remotePort = agreed.port
            configuration.maximumOutgoingMessage = agreed.messageLimit ?? configuration.maximumOutgoingMessage
            channels = DataChannels(
                role: .server,
                configuration: configuration,
                seed: UInt64.random(in: 0...UInt64.max)
            )
        }
        return answer
    }

    /// The next thing to do, in order; nil when there is nothing left.
    package func poll() -> Output? { outputs.removeFirst() }

    /// When ``handleTimeout(at:)`` is to be called next; nil once it is over.
    package var nextTimeout: Duration? {
        guard !isOver else { return nil }
        let connection = Duration.earliest(peer.nextTimeout, channels?.nextTimeout, nextTick)
        return .earliest(connection, .earliest(jitterBuffer.nextDue, nextPacket, nextTold))
    }

    /// Does what is due; too early is harmless.
    package func handleTimeout(at now: Duration) {
        guard !isOver else { return }
        peer.handleTimeout(at: now)
        channels?.handleTimeout(at: now)
        drain(at: now)
        hear(at: now)
        runPackets(at: now)
        tick(at: now)
        drain(at: now)
    }

    /// Takes up what the peer has, after it was given a datagram.
    package func drain(at now: Duration) {
        repeat {
            while let output = peer.poll() { handle(output, at: now) }
        } while drainChannels(at: now)
    }

    // MARK: - the agent

    /// Learns that the conversation has begun, and what the page is told of it.
    package func begin(_ welcome: Welcome, at now: Duration) {
        perform(dialogue.begin(.ready(welcome, playout: Self.playoutRate)), at: now)
    }

    /// Takes a message of the agent.
    package func send(_ message: TransportMessage, at now: Duration) {
        guard !isOver else { return }
        switch message {
        case .audio(let playout):
            dropped += outgoing.push(playout)
            startPackets(at: now)
        case .cut(let epoch):
            outgoing.forget(through: epoch)
            perform(dialogue.interrupt(), at: now)
        case .pause(let epoch): outgoing.forget(through: epoch)
        case .event(let event): perform(dialogue.handle(event, at: date()), at: now)
        }
    }

    /// Ends the call in good order. A client whose connection is replaced by another is not told: it would leave the new one, too.
    package func close(_ reason: CloseReason, isReplaced: Bool = false, at now: Duration) {
        guard !isOver else { return }
        if !isReplaced {
            perform(dialogue.farewell(reason), at: now)
            drain(at: now)
        }
        peer.close(at: now)
        end(reason)
        while let output = peer.poll() { handle(output, at: now) }
    }

    // MARK: - sound and time

    /// Hands on what the person said, as far as it is there or overdue, and tells how much of the agent's was heard by then.
    private func hear(at now: Duration) {
        var hears = false
        while let frame = jitterBuffer.next(at: now) {
            hears = true
            if allowance.admits(frame.duration, at: now) {
                deliver(.audio(frame))
            } else {
                microphoneDropped += frame.duration
            }
        }
        guard hears || nextTold.map({ $0 <= now }) ?? false else { return }
        for heard in outgoing.heard(at: now) { deliver(.played(epoch: heard.epoch, samples: heard.samples)) }
    }

    /// When to tell what was heard at the latest: with what the person says, as one wakes the conversation as well as the other, else by
    /// itself.
    private var nextTold: Duration? { outgoing.nextHeard.map { $0 + frame } }

    private func tick(at now: Duration) {
        guard let due = nextTick, due <= now else { return }
        nextTick = now + Self.tickInterval
        perform(dialogue.tick(at: now), at: now)
        for event in keypad.tick(at: now) { deliver(event) }
        if let connected, now >= connected + Self.patience { greet() }
    }

    /// Sends the first packet of a reply; if packets are on their way already, the next one if it may leave.
    private func startPackets(at now: Duration) {
        guard let connected else { return }
        if nextPacket == nil {
            nextTimestamp = max(nextTimestamp, SampleRate.wideband.samples(in: now - connected))
            nextPacket = now
            runPackets(at: now)
            if nextPacket != nil { nextPacket = secondPacket(after: now) }
        } else {
            runPackets(at: now)
        }
        drain(at: now)
    }

    /// When the second packet of a reply is due, which those behind it follow: a frame after the first one and up to half a frame less or
    /// more, so that the microphone's packets come a little before.
    private func secondPacket(after first: Duration) -> Duration {
        let next = first + frame
        guard let latestHeard, first - latestHeard < frame * 3 else { return next }
        let ahead = next - latestHeard - earliness / 2
        let frames = (ahead / frame).rounded(.toNearestOrAwayFromZero)
        return next - (ahead - frame * frames)
    }

    /// Sends all packets that are due, until there are no more, or the next one a little early.
    private func runPackets(at now: Duration) {
        guard let first = nextPacket else { return }
        let length = SampleRate.wideband.samples(in: frame)
        guard first <= now else {
            guard first - now <= earliness, outgoing.holds(encoder.frameLength) else { return }
            sendPacket(due: first, at: now)
            nextTimestamp += length
            nextPacket = first + frame
            return
        }
        let due = Int((now - first) / frame) + 1
        let left = max(0, due - Self.longestDelay)
        nextTimestamp += left * length
        for _ in left..<due {
            sendPacket(due: now, at: now)
            nextTimestamp += length
        }
        nextPacket = outgoing.isOver ? nil : first + frame * due
    }

    private func sendPacket(due: Duration, at now: Duration) {
        let network = peer.statistics.roundTrip.map { $0 / 2 } ?? .zero
        guard let packet = outgoing.take(encoder.frameLength, at: due, heardAfter: network + Self.remoteDelay) else {
            return
        }
        if protection.advance(lost: peer.statistics.remoteFractionLost, before: packet.samples, at: now) {
            // Settings in these ranges are never refused.
            try? encoder.apply(protection.settings)
        }
        guard let payload = try? encoder.encode(packet.samples) else { return }
        let timestamp = firstTimestamp &+ UInt32(truncatingIfNeeded: nextTimestamp)
        peer.send(audio: payload, timestamp: timestamp, marker: packet.isFirst, at: now)
    }

    // MARK: - the peer

    private func handle(_ output: PeerOutput, at now: Duration) {
        switch output {
        case .transmit(let datagram): outputs.append(.transmit(datagram))
        case .audio(let packet):
            jitterBuffer.insert(
                .init(
                    sequence: packet.sequence,
                    timestamp: packet.timestamp,
                    marker: packet.marker,
                    payload: packet.payload
                ),
                at: now
            )
            latestHeard = now
            hear(at: now)
            runPackets(at: now)
        case .digit(let digit): for event in keypad.press(digit, at: now) { deliver(event) }
        case .data(let bytes): channels?.handle(packet: bytes, at: now)
        case .state(.connected):
            connected = now
            nextTick = now + frame
        case .state(.connecting): break
        case .state(.closed): end(.ended)
        case .state(.failed(let error)): end(.failure(error))
        }
    }

    private func end(_ reason: CloseReason) {
        guard !isOver else { return }
        isOver = true
        outputs.append(.ended(reason))
    }

    private func greet() {
        guard !hasGreeted else { return }
        hasGreeted = true
        outputs.append(.greet)
    }

    private func deliver(_ event: TransportEvent) {
        if !isOver { outputs.append(.deliver(event)) }
    }

    // MARK: - data channels

    /// - Returns: true if the peer may have something new.
    private func drainChannels(at now: Duration) -> Bool {
        var hasSent = false
        while let output = channels?.poll(at: now) {
            switch output {
            case .transmit(let packet):
                peer.send(data: packet, at: now)
                hasSent = true
            case .opened(let channel, let parameters) where chat == nil:
                chat = channel
                dialogue.open(parameters, at: now)
            case .message(let channel, let message) where channel == chat:
                perform(dialogue.receive(message, at: now, date()), at: now)
            case .closed(let channel) where channel == chat:
                chat = nil
                perform(dialogue.close(), at: now)
            case .connected, .opened, .message, .closed, .ended: break
            }
        }
        return hasSent
    }

    private func perform(_ actions: [ChannelDialogue.Action], at now: Duration) {
        for action in actions {
            switch action {
            case .say(let text): say(text, at: now)
            case .deliver(let event): deliver(event)
            case .begin: greet()
            case .end(let reason): close(reason, at: now)
            }
        }
    }

    private func say(_ text: String, at now: Duration) {
        guard let chat, !isOver else { return }
        do throws(VoiceError) {
            try channels?.send(.text(text), on: chat, at: now)
        } catch {
            // A message too long for the other side is its loss; one for which there is no room, its end.
            if error.code == .exhausted { end(.stalled) }
        }
    }
}
