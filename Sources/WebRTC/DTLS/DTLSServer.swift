internal import COpenSSL
internal import VoiceCore

/// The server's end of one DTLS association (RFC 6347), over memory instead of a socket.
///
/// **Call, then send what ``takeDatagrams()`` and deliver what ``takeData()`` returns.** One owner at a time. Time is a parameter:
/// OpenSSL's own timer would look at the system's clock, so it is set to never fire, and lost flights are sent again from here,
/// as they were sent first (receivers drop copies of records they have, RFC 6347 section 4.1.2.6). Only the last flight
/// needs no timer: OpenSSL repeats it whenever the client repeats its own.
final class DTLSServer {
    /// How far the association is.
    enum State {
        case handshaking
        case connected(SRTPKeys)
        /// The other side has closed it, or we have.
        case closed
        case failed(VoiceError)
    }

    /// Bytes of application data that fit the 1,280 bytes that every path of IPv6 carries, beside 40 of IP, 8 of UDP, and 37 of
    /// record header, nonce and tag.
    static let dataLimit = 1280 - 40 - 8 - 37
    /// RFC 6347 section 4.2.4.1 says a second, or less where more delay is not acceptable: a person is waiting.
    static let firstRetransmission = Duration.milliseconds(200)
    private static let longestRetransmission = Duration.milliseconds(3200)
    /// A flight is not sent again sooner than this, however often it is asked for: a hello comes in up to three datagrams.
    private static let shortestRetransmission = Duration.milliseconds(40)

    /// How far the association is.
    private(set) var state = State.handshaking
    /// When ``handleTimeout(at:)`` is to be called next.
    private(set) var nextTimeout: Duration?

    private let connection: OpaquePointer
    private let incoming: OpaquePointer
    private let outgoing: OpaquePointer
    private let expected: [DTLSFingerprint]
    private var isUnexpected = false
    private var datagrams: [[UInt8]] = []
    private var data: [[UInt8]] = []
    private var flight: [[UInt8]] = []
    private var interval = firstRetransmission
    private var lastFlight = Duration.zero

    /// Waits for a client whose certificate has one of the `expected` fingerprints.
    ///
    /// - Throws: ``VoiceError/Code/fault`` when OpenSSL has no memory.
    init(identity: DTLSIdentity, expected: [DTLSFingerprint]) throws(VoiceError) {
        OpenSSLError.clear()
        guard let connection = SSL_new(identity.context) else { throw OpenSSLError.fault("make a DTLS connection") }
        guard let incoming = openssl_memory_bio() else {
            SSL_free(connection)
            throw OpenSSLError.fault("make a buffer")
        }
        guard let outgoing = openssl_memory_bio() else {
            BIO_free(incoming)
            SSL_free(connection)
            throw OpenSSLError.fault("make a buffer")
        }
        self.connection = connection
        self.incoming = incoming
        self.outgoing = outgoing
        self.expected = expected
        // The connection owns both buffers from here on.
        SSL_set_bio(connection, incoming, outgoing)
        SSL_set_accept_state(connection)
        _ = openssl_set_mtu(connection, Datagram.sizeLimit)
        // An hour, in microseconds: see above.
        DTLS_set_timer_cb(connection) { _, _ in 3_600_000_000 }
        // Slot 0 is the application's. The connection does not outlive self, so the pointer needs no reference.
        SSL_set_ex_data(connection, 0, Unmanaged.passUnretained(self).toOpaque())
    }

    deinit { SSL_free(connection) }

    /// Takes a datagram that came in.
    func receive(_ datagram: [UInt8], at now: Duration) {
        // One record at a time: when one repeats a message that it has, OpenSSL 3.0 forgets the rest of the datagram, so a client
        // whose flight was lost in part would never get through.
        let records = DTLSRecords.plausible(datagram)
        for record in records where isOpen {
            OpenSSLError.clear()
            guard BIO_write(incoming, record, Int32(record.count)) == record.count else { break }
            if case .handshaking = state { handshake() }
            if case .connected = state { read() }
        }
        let hasAnswered = flush(at: now)
        // A hello that comes again says that its answer got lost (RFC 6347 section 4.2.4, figure 3); OpenSSL waits for its timer.
        if !hasAnswered, records.contains(where: DTLSRecords.isClientHello),
            now - lastFlight >= Self.shortestRetransmission
        {
            repeatFlight(at: now)
        }
    }

    /// Encrypts application data into a datagram.
    ///
    /// - Returns: false when it cannot be sent: before the handshake's end, after the close, or beyond ``dataLimit``.
    func send(_ bytes: [UInt8], at now: Duration) -> Bool {
        guard case .connected = state, !bytes.isEmpty, bytes.count <= Self.dataLimit else { return false }
        OpenSSLError.clear()
        let written = SSL_write(connection, bytes, Int32(bytes.count))
        flush(at: now)
        return written == bytes.count
    }

    /// Says good-bye (close_notify); nothing is received or sent afterwards.
    func close(at now: Duration) {
        guard isOpen else { return }
        OpenSSLError.clear()
        if case .connected = state { _ = SSL_shutdown(connection) }
        state = .closed
        flush(at: now)
    }

    /// Takes the time: sends the last flight again when it is due.
    func handleTimeout(at now: Duration) {
        guard let nextTimeout, now >= nextTimeout else { return }
        repeatFlight(at: now)
        interval = min(interval * 2, Self.longestRetransmission)
        self.nextTimeout = now + interval
    }

    /// What is to be sent, a datagram each; emptied by the call.
    func takeDatagrams() -> [[UInt8]] {
        defer { datagrams = [] }
        return datagrams
    }

    /// Application data that came in, one element per record; emptied by the call.
    func takeData() -> [[UInt8]] {
        defer { data = [] }
        return data
    }

    /// OpenSSL's question during the handshake: is this the certificate of whom we expect?
    static func isExpected(_ store: OpaquePointer?) -> Bool {
        guard let store, let connection = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()),
            let owner = SSL_get_ex_data(OpaquePointer(connection), 0)
        else { return false }
        let server = Unmanaged<DTLSServer>.fromOpaque(owner).takeUnretainedValue()
        if let certificate = X509_STORE_CTX_get0_cert(store), server.expected.match(certificate: certificate) {
            return true
        }
        server.isUnexpected = true
        // The client is told bad_certificate (RFC 8122 section 6.2).
        X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED)
        return false
    }

    private var isOpen: Bool {
        switch state {
        case .handshaking, .connected: true
        case .closed, .failed: false
        }
    }

    private func handshake() {
        let result = SSL_do_handshake(connection)
        if result == 1 {
            do { state = .connected(try SRTPKeys(connection: connection)) } catch { state = .failed(error) }
        } else if SSL_get_error(connection, result) != SSL_ERROR_WANT_READ {
            state = .failed(isUnexpected ? Self.unexpectedCertificate : Self.handshakeFailure)
        }
    }

    private static var unexpectedCertificate: VoiceError {
        OpenSSLError.clear()
        return VoiceError(
            .malformedInput,
            "the DTLS certificate is not the one whose fingerprint the offer names: somebody else answers, or the offer is old"
        )
    }

    private static var handshakeFailure: VoiceError {
        VoiceError(.malformedInput, "the DTLS handshake fails: \(OpenSSLError.take())")
    }

    private func read() {
        // A record holds at most 2^14 bytes (RFC 6347 section 4.1).
        var buffer = [UInt8](repeating: 0, count: 1 << 14)
        while true {
            let count = SSL_read(connection, &buffer, Int32(buffer.count))
            guard count <= 0 else {
                data.append(Array(buffer.prefix(Int(count))))
                continue
            }
            switch SSL_get_error(connection, count) {
            case SSL_ERROR_WANT_READ: break
            case SSL_ERROR_ZERO_RETURN: close(at: .zero)
            default: state = .failed(VoiceError(.malformedInput, "the DTLS connection breaks: \(OpenSSLError.take())"))
            }
            return
        }
    }

    private func repeatFlight(at now: Duration) {
        datagrams += flight
        lastFlight = now
    }

    /// Takes what OpenSSL has written, and says whether it was anything.
    @discardableResult
    private func flush(at now: Duration) -> Bool {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while case let count = BIO_read(outgoing, &buffer, Int32(buffer.count)), count > 0 {
            bytes += buffer.prefix(Int(count))
        }
        let fresh = DTLSRecords.datagrams(bytes, limit: Datagram.sizeLimit)
        datagrams += fresh
        guard case .handshaking = state else {
            (flight, nextTimeout) = ([], nil)
            return !fresh.isEmpty
        }
        guard !fresh.isEmpty else { return false }
        (flight, lastFlight, interval) = (fresh, now, Self.firstRetransmission)
        nextTimeout = now + interval
        return true
    }
}
