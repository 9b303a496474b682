internal import VoiceCore

/// An INIT that was answered: what the association becomes when its cookie comes back (RFC 9260 section 5.1.3).
///
/// The state is kept here, once, rather than in the cookie: inside DTLS nobody else can send INITs. The cookie is a nonce.
struct HandshakeOffer: Sendable {
    var initiation: Initiation
    var cookie: [UInt8]
    var time: Duration
    var localTag: UInt32
    var initialTSN: TSN
}

/// The four-way handshake (RFC 9260 section 5).
extension SCTPAssociation {
    /// Begins the handshake.
    mutating func start(at now: Duration) {
        guard state == .idle else { return }
        state = .cookieWait
        sendInitiation(at: now)
    }

    private mutating func sendInitiation(at now: Duration) {
        // INIT is alone in its packet, whose tag is 0 (section 8.5.1 A).
        transmit([.initiation(initiation(tag: localTag, initialTSN: initialTSN, parameters: []))], tag: 0)
        scheduleHandshake(at: now)
    }

    private mutating func scheduleHandshake(at now: Duration) {
        let timeout = configuration.handshakeTimeout * (1 << min(handshakeTries, 8))
        handshakeDeadline = now + min(timeout, configuration.maximumTimeout)
    }

    private func initiation(tag: UInt32, initialTSN: TSN, parameters: [SCTPParameter]) -> Initiation {
        Initiation(
            tag: tag,
            window: UInt32(clamping: configuration.receiveBuffer),
            outgoingStreams: configuration.streams,
            incomingStreams: configuration.streams,
            initialTSN: initialTSN,
            parameters: [
                SCTPParameter(type: SCTPParameter.forwardTSNSupported, value: []),
                SCTPParameter(
                    type: SCTPParameter.supportedExtensions,
                    value: [SCTPChunk.reconfigurationType, SCTPChunk.forwardTSNType]
                ),
            ] + parameters
        )
    }

    /// T1 passed: sends INIT or COOKIE ECHO again (section 5.1 notes).
    mutating func handleHandshakeTimeout(at now: Duration) {
        handshakeTries += 1
        guard handshakeTries <= configuration.handshakeRetransmissions else { return end(.timedOut) }
        switch state {
        case .cookieWait: sendInitiation(at: now)
        case .cookieEchoed: sendCookie(at: now)
        default: handshakeDeadline = nil
        }
    }

    private mutating func sendCookie(at now: Duration) {
        transmit([.cookieEcho(cookie)], tag: remoteTag)
        scheduleHandshake(at: now)
    }

    /// Takes an INIT (sections 5.1 B, 5.2.1 and 5.2.2).
    mutating func handle(initiation remote: Initiation, at now: Duration) {
        guard state != .ended else { return }
        guard remote.tag != 0, remote.outgoingStreams != 0, remote.incomingStreams != 0 else {
            let cause = SCTPParameter.cause(SCTPParameter.invalidMandatoryParameter)
            if remote.tag != 0 { transmit([.abort([cause], reflectsTag: false)], tag: remote.tag) }
            return
        }
        if state == .shutdownAcknowledgementSent {
            return transmit([.shutdownAcknowledgement], tag: remoteTag)
        }
        let answer = answered(remote, at: now)
        offer = answer
        let unknown = Self.reportable(remote.parameters).map {
            SCTPParameter(type: SCTPParameter.unrecognized, value: $0.encoded)
        }
        let cookie = SCTPParameter(type: SCTPParameter.stateCookie, value: answer.cookie)
        let acknowledgement = initiation(
            tag: answer.localTag,
            initialTSN: answer.initialTSN,
            parameters: [cookie] + unknown
        )
        transmit([.initiationAcknowledgement(acknowledgement)], tag: remote.tag)
    }

    /// What an INIT offers: the association as it is, or, once it stands and the other side's tag is another, a new one.
    private mutating func answered(_ remote: Initiation, at now: Duration) -> HandshakeOffer {
        if let offer, offer.initiation == remote {
            var again = offer
            again.time = now
            return again
        }
        var answer = HandshakeOffer(
            initiation: remote,
            cookie: nonce() + nonce(),
            time: now,
            localTag: localTag,
            initialTSN: initialTSN
        )
        let isBeginning = state == .idle || state == .cookieWait || state == .cookieEchoed
        if !isBeginning, remote.tag != remoteTag {
            answer.localTag = Self.tag(&random)
            answer.initialTSN = TSN(UInt32(truncatingIfNeeded: random.next()))
        }
        return answer
    }

    mutating func nonce() -> [UInt8] {
        let number = random.next()
        return (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * UInt64($0))) }
    }

    /// Unknown parameters that are to be reported, up to the one that says to stop (section 3.2.1); at most eight.
    private static func reportable(_ parameters: [SCTPParameter]) -> [SCTPParameter] {
        var reported: [SCTPParameter] = []
        for parameter in parameters where !parameter.isKnown {
            if parameter.isReportedWhenUnknown, reported.count < 8, parameter.value.count < 64 {
                reported.append(parameter)
            }
            if !parameter.skipsWhenUnknown { break }
        }
        return reported
    }

    /// Takes an INIT ACK (section 5.1 C).
    mutating func handle(acknowledgement remote: Initiation, at now: Duration) {
        guard state == .cookieWait else { return }
        remoteTag = remote.tag
        guard remote.tag != 0, remote.outgoingStreams != 0, remote.incomingStreams != 0 else {
            return end(.violation("INIT ACK with a zero"))
        }
        guard let cookie = remote.parameter(SCTPParameter.stateCookie) else {
            // One missing parameter, the cookie (section 3.3.10.2).
            let cause = SCTPParameter(type: SCTPParameter.missingMandatoryParameter, value: [0, 0, 0, 1, 0, 7])
            return abort(cause, .violation("INIT ACK without a cookie"))
        }
        guard cookie.value.count <= SCTPConfiguration.maximumPacketLength - SCTPPacket.headerLength - 4 else {
            return abort(SCTPParameter.cause(SCTPParameter.outOfResource), .violation("a cookie longer than a packet"))
        }
        adopt(remote)
        self.cookie = cookie.value
        state = .cookieEchoed
        handshakeTries = 0
        sendCookie(at: now)
        let unknown = Self.reportable(remote.parameters)
        if !unknown.isEmpty {
            let value = SCTPParameter.encode(unknown)
            enqueue(.error([SCTPParameter(type: SCTPParameter.unrecognizedParameters, value: value)]))
        }
    }

    /// Takes the other side's figures, of its INIT or INIT ACK.
    private mutating func adopt(_ remote: Initiation) {
        remoteTag = remote.tag
        remoteWindow = Int(remote.window)
        outgoingStreams = min(configuration.streams, remote.incomingStreams)
        let extensions = remote.parameter(SCTPParameter.supportedExtensions)?.value ?? []
        remoteForwards = remote.parameter(SCTPParameter.forwardTSNSupported) != nil
        remoteResets = extensions.contains(SCTPChunk.reconfigurationType)
        received = ReceivedTSNs(first: remote.initialTSN)
        reassembly = Reassembly(maximumMessage: configuration.maximumMessage)
        resets = StreamResets(first: initialTSN, remoteFirst: remote.initialTSN)
    }

    /// Takes a COOKIE ECHO (sections 5.1 D and 5.2.4).
    /// - Returns: true when what follows it in the packet is to be handled.
    mutating func handle(cookie echoed: [UInt8], tag: UInt32, at now: Duration) -> Bool {
        guard let offer, offer.cookie == echoed, offer.localTag == tag, state != .ended else { return false }
        guard now - offer.time <= configuration.cookieLifetime else {
            // The staleness in microseconds (section 3.3.10.3), which nobody acts on.
            let cause = SCTPParameter(type: SCTPParameter.staleCookie, value: [0, 0, 0, 0])
            transmit([.error([cause])], tag: offer.initiation.tag)
            return false
        }
        let isSame = offer.initiation.tag == remoteTag && offer.localTag == localTag
        switch state {
        case .idle, .cookieWait, .cookieEchoed:
            if !isSame { adopt(offer.initiation) }
            establish(at: now)
        case .established where isSame: break
        case .shutdownAcknowledgementSent:
            transmit([.shutdownAcknowledgement], tag: remoteTag)
            return false
        default:
            guard !isSame else { break }
            restart(offer, at: now)
        }
        enqueue(.cookieAcknowledgement)
        return true
    }

    /// Takes a COOKIE ACK (section 5.1 E).
    mutating func handleCookieAcknowledgement(at now: Duration) {
        if state == .cookieEchoed { establish(at: now) }
    }

    private mutating func establish(at now: Duration) {
        state = .established
        handshakeDeadline = nil
        handshakeTries = 0
        errors = 0
        heartbeatDeadline = now + configuration.heartbeatInterval
        outputs.append(.established)
    }

    /// The other side has begun anew (section 5.2.4 A).
    private mutating func restart(_ offer: HandshakeOffer, at now: Duration) {
        localTag = offer.localTag
        initialTSN = offer.initialTSN
        queue = SendQueue()
        sent = RetransmissionQueue(first: initialTSN)
        congestion = CongestionWindow()
        roundTrip = RoundTripEstimate(configuration)
        control = []
        heartbeat = nil
        (mustForward, mustSendAgainNow, mustAcknowledge) = (false, false, false)
        (retransmissionDeadline, acknowledgementDeadline, resetDeadline, shutdownDeadline) = (nil, nil, nil, nil)
        adopt(offer.initiation)
        outputs.append(.restarted)
        establish(at: now)
    }

    /// The other side says that our cookie is too old: begins again (section 5.2.6).
    mutating func handleStaleCookie(at now: Duration) {
        guard state == .cookieEchoed else { return }
        state = .cookieWait
        handshakeTries += 1
        guard handshakeTries <= configuration.handshakeRetransmissions else { return end(.timedOut) }
        sendInitiation(at: now)
    }
}
