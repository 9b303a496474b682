/// What comes in (RFC 9260 sections 6 and 8).
extension SCTPAssociation {
    /// Takes a packet. Whatever is not valid is dropped and counted.
    mutating func handle(packet bytes: [UInt8], at now: Duration) {
        guard let packet = SCTPPacket.decode(bytes), packet.sourcePort == configuration.remotePort,
            packet.destinationPort == configuration.localPort, admits(packet)
        else {
            droppedPackets += 1
            return
        }
        var hasData = false
        for chunk in packet.chunks {
            if case .data = chunk { hasData = true }
            guard handle(chunk, of: packet, at: now), state != .ended else { break }
        }
        if hasData, state != .ended { noteDataPacket(at: now) }
    }

    /// Verification tags (section 8.5).
    private func admits(_ packet: SCTPPacket) -> Bool {
        switch packet.chunks[0] {
        case .initiation: packet.tag == 0 && packet.chunks.count == 1
        case .abort(_, let reflects), .shutdownComplete(let reflects):
            packet.tag == (reflects ? remoteTag : localTag) && (!reflects || remoteTag != 0)
        case .cookieEcho: packet.tag == localTag || packet.tag == offer?.localTag
        case .shutdownAcknowledgement: packet.tag == localTag
        default: packet.tag == localTag && state != .ended
        }
    }

    /// Takes a chunk.
    /// - Returns: false when the rest of the packet is not to be handled.
    private mutating func handle(_ chunk: SCTPChunk, of packet: SCTPPacket, at now: Duration) -> Bool {
        switch chunk {
        case .initiation(let remote): handle(initiation: remote, at: now)
        case .initiationAcknowledgement(let remote): handle(acknowledgement: remote, at: now)
        case .cookieEcho(let cookie): return handle(cookie: cookie, tag: packet.tag, at: now)
        case .cookieAcknowledgement: handleCookieAcknowledgement(at: now)
        case .abort(let causes, _): end(.aborted(Self.words(causes)))
        case .shutdownAcknowledgement: handleShutdownAcknowledgement(tag: packet.tag)
        case .shutdownComplete: if state == .shutdownAcknowledgementSent { end(nil) }
        case .error(let causes): handle(errors: causes, at: now)
        case .unknown(let type, let flags, let value): return handle(unknown: type, flags, value)
        default:
            // What follows needs to know the other side.
            guard remoteTag != 0, state != .cookieWait else { return false }
            return handle(established: chunk, at: now)
        }
        return true
    }

    private mutating func handle(established chunk: SCTPChunk, at now: Duration) -> Bool {
        switch chunk {
        case .data(let data): handle(data)
        case .acknowledgement(let report): handle(report, at: now)
        case .heartbeat(let value): enqueue(.heartbeatAcknowledgement(value))
        case .heartbeatAcknowledgement(let value): handle(heartbeat: value, at: now)
        case .shutdown(let cumulative): handle(shutdown: cumulative, at: now)
        case .reconfiguration(let parameters): for parameter in parameters { handle(parameter) }
        case .forward(let forward): handle(forward)
        default: return false
        }
        return true
    }

    /// The two highest bits of an unknown type say what to do (section 3.2).
    private mutating func handle(unknown type: UInt8, _ flags: UInt8, _ value: [UInt8]) -> Bool {
        if type & 0x40 != 0, remoteTag != 0, value.count < 256 {
            var bytes: [UInt8] = []
            SCTPChunk.unknown(type: type, flags: flags, value: value).append(to: &bytes)
            enqueue(.error([SCTPParameter(type: SCTPParameter.unrecognizedChunkType, value: bytes)]))
        }
        return type & 0x80 != 0
    }

    private mutating func handle(errors causes: [SCTPParameter], at now: Duration) {
        if causes.contains(where: { $0.type == SCTPParameter.staleCookie }) { handleStaleCookie(at: now) }
    }

    private static func words(_ causes: [SCTPParameter]) -> String {
        causes.first.map { "cause \($0.type): " + String(decoding: $0.value.prefix(100), as: UTF8.self) } ?? ""
    }

    // MARK: - data

    /// What the receive window has room for.
    var window: Int { max(0, configuration.receiveBuffer - reassembly.bytes - undelivered) }

    private mutating func handle(_ data: DataChunk) {
        guard !data.payload.isEmpty else {
            var cause: [UInt8] = []
            cause.appendBigEndian(data.tsn.value)
            return abort(SCTPParameter(type: SCTPParameter.noUserData, value: cause), .violation("DATA without data"))
        }
        let novelty = received.novelty(of: data.tsn)
        let held = reassembly.bytes + undelivered + Reassembly.cost(data.payload)
        switch novelty {
        case .duplicate:
            received.insertDuplicate(data.tsn)
            mustAcknowledge = true
            return
        case .tooFar: return
        // Not acknowledged, so it comes again when there is room.
        case .ahead where held > configuration.receiveBuffer: return
        // The next one may use a reserve, because it may be what all the others wait for.
        case .next where held > configuration.receiveBuffer * 3 / 2:
            return abort(
                SCTPParameter.cause(SCTPParameter.outOfResource),
                .violation("more data than there is room for")
            )
        case .ahead, .next: break
        }
        received.insert(data.tsn)
        if data.wantsImmediateAcknowledgement { mustAcknowledge = true }
        guard data.stream < configuration.streams else {
            var cause: [UInt8] = []
            cause.appendBigEndian(data.stream)
            cause.appendBigEndian(UInt16(0))
            return enqueue(.error([SCTPParameter(type: SCTPParameter.invalidStreamIdentifier, value: cause)]))
        }
        guard let messages = reassembly.insert(data) else {
            return abort(SCTPParameter.cause(SCTPParameter.protocolViolation), .violation("a message too long"))
        }
        deliver(messages)
    }

    private mutating func deliver(_ messages: [Reassembly.Message]) {
        for message in messages {
            undelivered += Reassembly.cost(message.payload)
            outputs.append(.message(message))
        }
        if let (answer, streams) = resets.advance(to: received.cumulative) {
            enqueue(.reconfiguration([answer]))
            reassembly.reset(streams)
            outputs.append(.incomingReset(streams))
        }
    }

    /// When to acknowledge: at once what is out of order, else every second packet, else after a while (section 6.2).
    private mutating func noteDataPacket(at now: Duration) {
        unacknowledgedPackets += 1
        if received.hasGaps || unacknowledgedPackets >= 2 || state == .shutdownSent { mustAcknowledge = true }
        if !mustAcknowledge, acknowledgementDeadline == nil {
            acknowledgementDeadline = now + configuration.acknowledgementDelay
        }
    }

    /// The other side gave something up (RFC 3758 section 3.6).
    private mutating func handle(_ forward: ForwardTSN) {
        mustAcknowledge = true
        guard forward.cumulative.isAfter(received.cumulative) else { return }
        received.advance(to: forward.cumulative)
        var forward = forward
        forward.streams.removeAll { $0.stream >= configuration.streams }
        deliver(reassembly.skip(forward))
    }

    // MARK: - streams

    private mutating func handle(_ parameter: Reconfiguration) {
        switch parameter {
        case .resetOutgoing(let number, _, let last, let streams):
            let (answer, reset) = resets.take(
                request: number,
                last: last,
                streams: streams,
                received: received.cumulative
            )
            enqueue(.reconfiguration([answer]))
            guard let reset else { return }
            reassembly.reset(reset)
            outputs.append(.incomingReset(reset))
        case .response(let number, let result):
            guard let streams = resets.take(response: number, result: result) else { return }
            resetDeadline = nil
            errors = 0
            for stream in streams { queue.resetSequence(stream) }
            outputs.append(.outgoingReset(streams))
        case .other(_, let number): enqueue(.reconfiguration([resets.deny(number)]))
        }
    }
}
