/// What goes out: acknowledgements, chunks, chunks again (RFC 9260 sections 6.1 to 6.3).
extension SCTPAssociation {
    /// The next thing to do; nil when there is nothing more until the next packet, message or timeout.
    mutating func poll(at now: Duration) -> Output? {
        if let output = outputs.popFirst() {
            if case .message(let message) = output { noteTaken(message) }
            return output
        }
        guard remoteTag != 0, state != .ended, state != .idle, state != .cookieWait else { return nil }
        let chunks = nextChunks(at: now)
        guard chunks.isEmpty else { return .transmit(encode(chunks, tag: remoteTag)) }
        return outputs.popFirst()
    }

    /// A message has left us: when the window was all but closed the other side should know that it is open again.
    private mutating func noteTaken(_ message: Reassembly.Message) {
        undelivered -= Reassembly.cost(message.payload)
        let packet = SCTPConfiguration.maximumPacketLength
        if announcedWindow < packet, window >= 2 * packet, isEstablished { mustAcknowledge = true }
    }

    /// Fills a packet: control, acknowledgement, what is given up, what was lost, what is new.
    private mutating func nextChunks(at now: Duration) -> [SCTPChunk] {
        progressShutdown(at: now)
        var packet = PacketSpace()
        takeControl(into: &packet, at: now)
        if mustAcknowledge {
            (mustAcknowledge, unacknowledgedPackets, acknowledgementDeadline) = (false, 0, nil)
            announcedWindow = window
            packet.append(.acknowledgement(received.report(window: window)))
        }
        guard state == .established || state == .shutdownPending || state == .shutdownReceived else {
            return packet.chunks
        }
        abandon(at: now)
        if mustForward {
            mustForward = false
            if let forward = sent.forward() {
                packet.append(.forward(forward))
                forwardTime = now
                startRetransmissionTimer(at: now)
            }
        }
        takeLosses(into: &packet, at: now)
        takeNew(into: &packet, at: now)
        return packet.chunks
    }

    private mutating func takeControl(into packet: inout PacketSpace, at now: Duration) {
        if let request = resets.makeRequest(last: sent.lastTSN, isDrained: { [queue] in !queue.holds($0) }) {
            resetDeadline = now + roundTrip.timeout
            enqueue(.reconfiguration([request]))
        }
        while let chunk = control.first, packet.admits(chunk) {
            packet.append(chunk)
            control.removeFirst()
        }
        // A chunk that no packet can hold would block all others.
        if packet.chunks.isEmpty, !control.isEmpty { control.removeFirst() }
    }

    private mutating func takeLosses(into packet: inout PacketSpace, at now: Duration) {
        while let (index, chunk) = sent.firstLoss(), packet.admits(chunk) {
            // A loss that gaps show is sent again at once, whatever the window (section 7.2.4).
            guard mustSendAgainNow || mayFly(chunk) else { return }
            packet.append(.data(chunk))
            sent.sendAgain(at: index, now: now)
            // Rule R1, and for the earliest chunk rule 4 of section 7.2.4.
            if index == 0 { retransmissionDeadline = nil }
            startRetransmissionTimer(at: now)
        }
        mustSendAgainNow = false
    }

    private mutating func takeNew(into packet: inout PacketSpace, at now: Duration) {
        guard !sent.hasLosses else { return }
        while let length = queue.nextLength(at: now), packet.admits(length) {
            guard mayFly(length), let (chunk, message) = queue.next(tsn: sent.nextTSN) else { return }
            packet.append(.data(chunk))
            sent.append(chunk, of: message, at: now)
            startRetransmissionTimer(at: now)
        }
    }

    private func mayFly(_ chunk: DataChunk) -> Bool { mayFly(chunk.payload.count) }

    /// The congestion window and the other side's have room; with nothing in flight one chunk may always probe (section 6.1 A).
    private func mayFly(_ length: Int) -> Bool {
        sent.flight == 0 || (congestion.admits(flight: sent.flight) && sent.flight + length <= remoteWindow)
    }

    private mutating func startRetransmissionTimer(at now: Duration) {
        if retransmissionDeadline == nil { retransmissionDeadline = now + roundTrip.timeout }
    }

    private mutating func abandon(at now: Duration) {
        guard remoteForwards else { return }
        for message in sent.abandon(at: now) {
            mustForward = true
            if queue.abandon(message.identity) { sent.appendAbandonedRest(of: message, at: now) }
        }
    }

    // MARK: - acknowledgements

    /// Takes a SACK (section 6.2.1).
    mutating func handle(_ report: SelectiveAcknowledgement, at now: Duration) {
        guard sent.accepts(report.cumulative) else { return }
        let flight = sent.flight
        let progress = sent.acknowledge(report, at: now)
        remoteWindow = Int(report.window)
        if let measured = progress.roundTrip { roundTrip.observe(measured) }
        if progress.hasAdvanced {
            congestion.acknowledge(
                progress.bytes,
                flight: flight,
                isEmpty: sent.flight == 0,
                cumulative: sent.acknowledged
            )
            congestion.limitBurst(flight: sent.flight)
        }
        if progress.isLossShown {
            congestion.enterRecovery(until: sent.lastTSN)
            mustSendAgainNow = true
        }
        // An answer to a probe of a closed window is a sign of life, too.
        if progress.hasAdvanced || progress.bytes > 0 || report.window == 0 {
            errors = 0
            roundTrip.endBackOff()
            heartbeatDeadline = now + configuration.heartbeatInterval
        }
        if sent.isEmpty {
            retransmissionDeadline = nil
        } else if progress.hasAdvanced {
            retransmissionDeadline = now + roundTrip.timeout
        }
        // Rule C3 of RFC 3758 section 3.5: again once in a round trip, and at once when more was given up.
        let pause = (roundTrip.smoothed ?? roundTrip.timeout) * 3 / 2
        if sent.isNextAbandoned, progress.hasAdvanced || isDue(forwardTime.map { $0 + pause }, now) {
            mustForward = true
        }
    }

    // MARK: - timeouts

    /// Does what is due at ``nextTimeout``.
    mutating func handleTimeout(at now: Duration) {
        if isDue(handshakeDeadline, now) { handleHandshakeTimeout(at: now) }
        if isDue(acknowledgementDeadline, now) {
            acknowledgementDeadline = nil
            mustAcknowledge = true
        }
        if isDue(retransmissionDeadline, now) { handleRetransmissionTimeout(at: now) }
        if isDue(resetDeadline, now) { handleResetTimeout(at: now) }
        if isDue(shutdownDeadline, now) { handleShutdownTimeout(at: now) }
        if isDue(heartbeatDeadline, now) { handleHeartbeatTimeout(at: now) }
    }

    private func isDue(_ deadline: Duration?, _ now: Duration) -> Bool { deadline.map { $0 <= now } ?? false }

    /// Counts a timeout.
    /// - Returns: false when it was one too many, and the association has ended.
    mutating func noteTimeout() -> Bool {
        errors += 1
        roundTrip.backOff()
        guard errors > configuration.retransmissions else { return true }
        abort(SCTPParameter.cause(SCTPParameter.userInitiatedAbort, "no answer"), .timedOut)
        return false
    }

    /// T3 passed (section 6.3.3).
    private mutating func handleRetransmissionTimeout(at now: Duration) {
        retransmissionDeadline = nil
        guard noteTimeout() else { return }
        congestion.timeOut()
        sent.timeOut()
        if sent.isNextAbandoned { mustForward = true }
        retransmissionDeadline = now + roundTrip.timeout
    }

    private mutating func handleResetTimeout(at now: Duration) {
        resetDeadline = nil
        guard let request = resets.repeatedRequest, noteTimeout() else { return }
        enqueue(.reconfiguration([request]))
        resetDeadline = now + roundTrip.timeout
    }

    /// Asks whether the other side is there, where nothing else does (section 8.3).
    private mutating func handleHeartbeatTimeout(at now: Duration) {
        heartbeatDeadline = nil
        guard state == .established, heartbeat == nil || noteTimeout() else { return }
        let nonce = nonce()
        heartbeat = (nonce, now)
        let information = SCTPParameter(type: SCTPParameter.heartbeatInformation, value: nonce)
        enqueue(.heartbeat(information.encoded))
        heartbeatDeadline = now + roundTrip.timeout
    }

    /// Takes a HEARTBEAT ACK.
    mutating func handle(heartbeat value: [UInt8], at now: Duration) {
        let information = SCTPParameter.decode(value[...])?.first
        guard let heartbeat, information?.value == heartbeat.nonce else { return }
        roundTrip.observe(now - heartbeat.time)
        self.heartbeat = nil
        errors = 0
        heartbeatDeadline = now + configuration.heartbeatInterval
    }
}

/// Chunks of a packet that is being filled.
struct PacketSpace {
    private(set) var chunks: [SCTPChunk] = []
    private var room = SCTPConfiguration.maximumPacketLength - SCTPPacket.headerLength

    /// True when a DATA chunk with this much payload has room.
    func admits(_ payload: Int) -> Bool { DataChunk.headerLength + (payload + 3) / 4 * 4 <= room }
    func admits(_ chunk: DataChunk) -> Bool { chunk.paddedLength <= room }
    func admits(_ chunk: SCTPChunk) -> Bool { Self.length(chunk) <= room }

    /// Adds a chunk.
    mutating func append(_ chunk: SCTPChunk) {
        chunks.append(chunk)
        room -= Self.length(chunk)
    }

    private static func length(_ chunk: SCTPChunk) -> Int {
        if case .data(let data) = chunk { return data.paddedLength }
        var bytes: [UInt8] = []
        chunk.append(to: &bytes)
        return bytes.count
    }
}
