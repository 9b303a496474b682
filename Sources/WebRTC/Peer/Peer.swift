package import VoiceCore

/// A browser's connection to us: ICE-lite, DTLS server, SRTP and RTCP over one UDP flow.
///
/// **Tell it something, then drain ``poll()`` and come back at ``nextTimeout``.** It owns no socket, clock, lock or task; one
/// owner at a time. Time never runs backwards. After ``PeerState/isOver`` it does nothing more.
package final class Peer {
    /// Outputs that wait to be polled; beyond that new audio, data and datagrams are dropped and counted, states never.
    static let outputLimit = 1024
    private static let clock = SampleRate.wideband

    /// How far the connection is.
    package private(set) var state = PeerState.connecting

    private let configuration: PeerConfiguration
    private let session: UInt64
    private let connectDeadline: Duration
    private var random: any RandomNumberGenerator
    private var offer: Offer?
    private var version = 0
    private var ice: ICELite?
    private var dtls: DTLSServer?
    private var srtp: SRTPSession?
    private var rtp: RTPSession
    private var lastEvent: UInt32?
    private var counted = PeerCounters()
    private var outputs: ArraySlice<PeerOutput> = []

    /// Makes a peer that waits for its first offer.
    ///
    /// - Parameters:
    ///   - random: where names, passwords and numbers come from; only tests have a reason to give one.
    ///   - now: the time.
    package init(
        configuration: PeerConfiguration,
        random: any RandomNumberGenerator = SystemRandomNumberGenerator(),
        at now: Duration
    ) {
        self.configuration = configuration
        self.random = random
        session = self.random.next() >> 2
        rtp = RTPSession(rate: Self.clock, name: configuration.name, random: &self.random)
        connectDeadline = now + configuration.connectTimeout
    }

    // MARK: - signalling

    /// Takes an offer, the first or a later one, and makes the answer.
    ///
    /// A later offer changes what is sent; ICE and DTLS go on as they were, unless it brings new `ice-ufrag` and `ice-pwd`: then ICE
    /// begins anew (RFC 8445 section 9) and the answer has new ones, too. After an error everything is as before.
    /// - Throws: ``VoiceError/Code/malformedInput`` when the offer cannot be accepted.
    package func answer(_ text: String, at now: Duration) throws(VoiceError) -> String {
        guard !state.isOver else { throw VoiceError(.unavailable, "the connection is over: begin a new one") }
        let next = try Offer(text)
        if let offer { try next.check(follows: offer) }
        let ice = negotiatedICE(next)
        if dtls == nil { dtls = try DTLSServer(identity: configuration.identity, expected: next.fingerprints) }
        offer = next
        self.ice = ice
        version += 1
        return Answer(
            offer: next,
            session: session,
            version: version,
            credentials: ice.local,
            fingerprint: configuration.identity.fingerprint,
            addresses: configuration.addresses,
            source: rtp.source,
            name: configuration.name,
            messageLimit: configuration.messageLimit
        ).text
    }

    /// The halves of USERNAME that checks for this peer begin with.
    package var fragments: [String] { [ice?.local.fragment, ice?.retired?.local.fragment].compactMap { $0 } }

    /// SCTP as it was agreed on: the other side's port, and the largest message it takes (nil for any); nil without data channels.
    package var dataChannels: (port: UInt16, messageLimit: Int?)? { offer?.data.map { ($0.port, $0.messageLimit) } }

    private func negotiatedICE(_ next: Offer) -> ICELite {
        guard var ice, let offer else {
            return ICELite(local: ICECredentials(random: &random), remoteFragment: next.credentials.fragment)
        }
        if next.credentials != offer.credentials {
            ice.restart(local: ICECredentials(random: &random), remoteFragment: next.credentials.fragment)
        }
        return ice
    }

    // MARK: - datagrams and time

    /// Takes a datagram that came in.
    package func handle(_ datagram: [UInt8], from source: NetworkAddress, at now: Duration) {
        guard !state.isOver else { return }
        let kind = DatagramKind(datagram)
        switch kind {
        case .stun: handleCheck(datagram, from: source, at: now)
        case .dtls, .srtp:
            guard ice?.isValid(source) == true else {
                counted.foreign += 1
                return
            }
            if kind == .dtls {
                ice?.noteUse(of: source)
                dtls?.receive(datagram, at: now)
                drainDTLS(at: now)
            } else {
                handleSRTP(datagram, from: source, at: now)
            }
        case .unknown: counted.malformed += 1
        }
    }

    /// Takes the time; to be called when ``nextTimeout`` has come, and harmless at any other.
    package func handleTimeout(at now: Duration) {
        guard !state.isOver else { return }
        if let deadline = consentDeadline, now >= deadline {
            return fail(
                VoiceError(.unavailable, "the browser is gone: no sign of it for \(configuration.consentTimeout)")
            )
        }
        if case .connecting = state, now >= connectDeadline {
            let reached = ice?.lastCheck == nil ? "no packet of it arrived" : "its DTLS handshake did not end"
            return fail(
                VoiceError(
                    .unavailable,
                    "the browser did not connect within \(configuration.connectTimeout): \(reached)"
                )
            )
        }
        dtls?.handleTimeout(at: now)
        drainDTLS(at: now)
        guard case .connected = state, now >= rtp.nextReport else { return }
        transmit(rtcp: rtp.report(at: now))
    }

    /// When ``handleTimeout(at:)`` is to be called next, whatever comes in until then; nil once it is over.
    package var nextTimeout: Duration? {
        switch state {
        case .connecting: .earliest(connectDeadline, consentDeadline, dtls?.nextTimeout)
        case .connected: .earliest(rtp.nextReport, consentDeadline, dtls?.nextTimeout)
        case .closed, .failed: nil
        }
    }

    /// True once an authentic check came from this address, which then belongs to this peer.
    package func isValid(_ address: NetworkAddress) -> Bool { ice?.isValid(address) ?? false }

    private var consentDeadline: Duration? { ice?.lastCheck.map { $0 + configuration.consentTimeout } }

    // MARK: - media and data

    /// Sends a packet of Opus.
    ///
    /// - Parameters:
    ///   - timestamp: when its first sample is due, at 48 kHz from any beginning (RFC 7587 section 4.1).
    ///   - marker: true on the first packet after silence.
    /// - Returns: false when it cannot be sent: not connected, no audio agreed on, or the browser does not want any.
    @discardableResult
    package func send(audio payload: [UInt8], timestamp: UInt32, marker: Bool, at now: Duration) -> Bool {
        guard case .connected = state, let audio = offer?.audio, audio.direction.isReceiving else { return false }
        let packet = rtp.send(payload, type: audio.opus, timestamp: timestamp, marker: marker, at: now)
        guard let bytes = srtp?.protect(rtp: packet.bytes) else { return false }
        transmit(bytes)
        return true
    }

    /// Sends a packet of SCTP, at most ``dataLimit`` bytes.
    ///
    /// - Returns: false when it cannot be sent: not connected, empty, or too large.
    @discardableResult
    package func send(data: [UInt8], at now: Duration) -> Bool {
        guard case .connected = state, dtls?.send(data, at: now) == true else { return false }
        drainDTLS(at: now)
        return true
    }

    /// Bytes of SCTP that fit a datagram.
    package static let dataLimit = DTLSServer.dataLimit

    /// Says good-bye to the browser; what is left to be sent is in ``poll()``.
    package func close(at now: Duration) {
        guard !state.isOver else { return }
        if case .connected = state { transmit(rtcp: rtp.goodbye(at: now)) }
        dtls?.close(at: now)
        drainDTLS(at: now)
        enter(.closed)
    }

    // MARK: - results

    /// The next thing that is to be done, in order; nil when there is nothing left.
    package func poll() -> PeerOutput? {
        defer { if outputs.isEmpty { outputs = [] } }
        return outputs.popFirst()
    }

    /// Loss, jitter and round trip.
    package var statistics: RTPStatistics { rtp.statistics }

    /// What was refused or lost.
    package var counters: PeerCounters {
        var counters = counted
        counters.replayed = srtp?.counters.replayed ?? 0
        counters.inauthentic = srtp?.counters.inauthentic ?? 0
        counters.crowded = srtp?.counters.crowded ?? 0
        return counters
    }

    // MARK: - parts

    private func handleCheck(_ datagram: [UInt8], from source: NetworkAddress, at now: Duration) {
        switch ice?.receive(datagram, from: source, at: now) {
        case .answer(let bytes): put(.transmit(Datagram(bytes: bytes, destination: source)))
        case .ignored, nil: counted.ignoredChecks += 1
        }
    }

    private func handleSRTP(_ datagram: [UInt8], from source: NetworkAddress, at now: Duration) {
        guard let srtp else {
            counted.early += 1
            return
        }
        let isRTCP = DatagramKind.isRTCP(datagram)
        // What is refused is counted by the session.
        guard let plain = isRTCP ? srtp.unprotect(rtcp: datagram) : srtp.unprotect(rtp: datagram) else { return }
        ice?.noteUse(of: source)
        if isRTCP, let packets = RTCPPacket.parse(plain) {
            rtp.receive(packets, at: now)
        } else if !isRTCP, let packet = RTPPacket(plain) {
            handle(packet, at: now)
        } else {
            counted.malformed += 1
        }
    }

    private func handle(_ packet: RTPPacket, at now: Duration) {
        guard let audio = offer?.audio, audio.direction.isSending else {
            counted.unexpected += 1
            return
        }
        switch packet.payloadType {
        case audio.opus:
            rtp.receive(packet, isRegular: true, at: now)
            put(.audio(packet))
        case audio.telephoneEvent?.type:
            rtp.receive(packet, isRegular: false, at: now)
            guard packet.timestamp != lastEvent, let event = TelephoneEvent(payload: packet.payload) else { return }
            lastEvent = packet.timestamp
            put(.digit(event.digit))
        default: counted.unexpected += 1
        }
    }

    /// Moves what DTLS has to say to the outputs, and follows its state.
    private func drainDTLS(at now: Duration) {
        guard let dtls else { return }
        for datagram in dtls.takeDatagrams() { transmit(datagram) }
        if case .connected(let keys) = dtls.state, srtp == nil { connect(keys, at: now) }
        for bytes in dtls.takeData() { put(.data(bytes)) }
        switch dtls.state {
        case .handshaking, .connected: break
        case .closed: enter(.closed)
        case .failed(let error): fail(error)
        }
    }

    private func connect(_ keys: SRTPKeys, at now: Duration) {
        do throws(VoiceError) {
            srtp = try SRTPSession(keys: keys)
            rtp.begin(at: now)
            enter(.connected)
        } catch {
            fail(error)
        }
    }

    private func fail(_ error: VoiceError) { enter(.failed(error)) }

    private func enter(_ next: PeerState) {
        guard !state.isOver else { return }
        state = next
        put(.state(next))
    }

    private func transmit(rtcp packet: [UInt8]) {
        if let bytes = srtp?.protect(rtcp: packet) { transmit(bytes) }
    }

    /// Sends to the address that the browser chose; before the first valid check there is none, and nothing to send.
    private func transmit(_ bytes: [UInt8]) {
        guard let destination = ice?.destination else { return }
        put(.transmit(Datagram(bytes: bytes, destination: destination)))
    }

    private func put(_ output: PeerOutput) {
        if outputs.count >= Self.outputLimit {
            guard case .state = output else {
                counted.dropped += 1
                return
            }
        }
        outputs.append(output)
    }
}

extension Offer {
    /// Checks that an offer may follow another one on the same connection.
    fileprivate func check(follows previous: Offer) throws(VoiceError) {
        guard Set(fingerprints) == Set(previous.fingerprints) else {
            throw SessionDescription.malformed(
                "brings another certificate (a=fingerprint): that needs a new connection"
            )
        }
        // Sections keep their place and name for as long as they live (RFC 3264 section 8, RFC 9429 section 5.2.2).
        guard sections.count >= previous.sections.count else {
            throw SessionDescription.malformed("has fewer media than the one before")
        }
        for (new, old) in zip(sections, previous.sections) where old.isAccepted && new.isAccepted {
            guard new.mid == old.mid, new.media.kind == old.media.kind else {
                throw SessionDescription.malformed("has its media in another order than the one before")
            }
        }
    }
}
