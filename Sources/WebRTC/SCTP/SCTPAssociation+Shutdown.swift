/// Ending in good order (RFC 9260 section 9). WebRTC itself just closes DTLS, but other sides may do this.
extension SCTPAssociation {
    /// Takes no more messages, sends what waits, then ends.
    mutating func shutDown(at now: Duration) {
        switch state {
        case .established: state = .shutdownPending
        case .idle: end(nil)
        case .cookieWait, .cookieEchoed:
            abort(SCTPParameter.cause(SCTPParameter.userInitiatedAbort), .closedHere)
        default: break
        }
    }

    /// Everything was acknowledged: the next step (section 9.2).
    mutating func progressShutdown(at now: Duration) {
        guard sent.isEmpty, queue.nextLength(at: now) == nil else { return }
        switch state {
        case .shutdownPending:
            state = .shutdownSent
            sendShutdown(at: now)
        case .shutdownReceived:
            state = .shutdownAcknowledgementSent
            sendShutdown(at: now)
        default: break
        }
    }

    private mutating func sendShutdown(at now: Duration) {
        enqueue(state == .shutdownSent ? .shutdown(received.cumulative) : .shutdownAcknowledgement)
        heartbeatDeadline = nil
        shutdownDeadline = now + roundTrip.timeout
    }

    /// T2 passed.
    mutating func handleShutdownTimeout(at now: Duration) {
        shutdownDeadline = nil
        guard state == .shutdownSent || state == .shutdownAcknowledgementSent, noteTimeout() else { return }
        sendShutdown(at: now)
    }

    /// Takes a SHUTDOWN; it acknowledges, too.
    mutating func handle(shutdown cumulative: TSN, at now: Duration) {
        switch state {
        case .established, .shutdownPending, .shutdownReceived:
            let report = SelectiveAcknowledgement(
                cumulative: cumulative,
                window: UInt32(clamping: remoteWindow),
                gaps: [],
                duplicates: []
            )
            handle(report, at: now)
            state = .shutdownReceived
        case .shutdownSent:
            state = .shutdownAcknowledgementSent
            sendShutdown(at: now)
        case .shutdownAcknowledgementSent: enqueue(.shutdownAcknowledgement)
        default: break
        }
    }

    /// Takes a SHUTDOWN ACK, also one that comes again after the end (section 8.5.1 E).
    mutating func handleShutdownAcknowledgement(tag: UInt32) {
        switch state {
        case .shutdownSent, .shutdownAcknowledgementSent:
            transmit([.shutdownComplete(reflectsTag: false)], tag: remoteTag)
            end(nil)
        case .ended: transmit([.shutdownComplete(reflectsTag: true)], tag: tag)
        default: break
        }
    }
}
