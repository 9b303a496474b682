internal import COpenSSL

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif
internal import Testing
internal import VoiceCore

@testable internal import WebRTC

/// A DTLS client of OpenSSL over memory, with a certificate of its own: the browser's part.
final class DTLSClient {
    let fingerprints: [DTLSFingerprint]
    private let context: OpaquePointer
    private let connection: OpaquePointer
    private let incoming: OpaquePointer
    private let outgoing: OpaquePointer
    private(set) var received: [[UInt8]] = []
    /// True when the handshake or the connection failed, or the server said good-bye.
    private(set) var isBroken = false

    init(identity: DTLSIdentity? = nil, profiles: String = "SRTP_AES128_CM_SHA1_80:SRTP_AEAD_AES_128_GCM") throws {
        context = try #require(SSL_CTX_new(DTLS_client_method()))
        if let identity {
            // The key pair of a server does for a client, too.
            SSL_CTX_use_certificate(context, SSL_CTX_get0_certificate(identity.context))
            SSL_CTX_use_PrivateKey(context, SSL_CTX_get0_privatekey(identity.context))
            let certificate = try #require(SSL_CTX_get0_certificate(identity.context))
            fingerprints = DTLSFingerprint.Algorithm.allCases.compactMap {
                DTLSFingerprint($0, certificate: certificate)
            }
        } else {
            fingerprints = []
        }
        if !profiles.isEmpty { try #require(SSL_CTX_set_tlsext_use_srtp(context, profiles) == 0) }
        connection = try #require(SSL_new(context))
        incoming = try #require(openssl_memory_bio())
        outgoing = try #require(openssl_memory_bio())
        SSL_set_bio(connection, incoming, outgoing)
        SSL_set_connect_state(connection)
        openssl_context_simplify(context)
        SSL_set_options(connection, SSL_CTX_get_options(context))
        _ = openssl_set_mtu(connection, 600)
        // OpenSSL's timer looks at the system's clock, and takes what is due within 15 ms for due.
        DTLS_set_timer_cb(connection) { _, _ in 20_000 }
    }

    deinit {
        SSL_free(connection)
        SSL_CTX_free(context)
    }

    var isConnected: Bool { SSL_is_init_finished(connection) == 1 }
    var cipher: String { SSL_CIPHER_get_name(SSL_get_current_cipher(connection)).map { String(cString: $0) } ?? "" }
    var keys: SRTPKeys { get throws { try SRTPKeys(connection: connection) } }
    /// The key material as RFC 5764 section 4.2 lays it out, for keys of 16 bytes and salts of `salt`.
    func material(salt: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 2 * (16 + salt))
        SSL_export_keying_material(connection, &bytes, bytes.count, "EXTRACTOR-dtls_srtp", 19, nil, 0, 0)
        return bytes
    }

    /// Goes on with the handshake; what comes back is to be sent.
    func start() -> [[UInt8]] {
        proceed(SSL_do_handshake(connection))
        return flush()
    }

    func receive(_ datagram: [UInt8]) -> [[UInt8]] {
        for record in DTLSRecords.plausible(datagram) {
            ERR_clear_error()
            BIO_write(incoming, record, Int32(record.count))
            if !isConnected { proceed(SSL_do_handshake(connection)) }
            read()
        }
        return flush()
    }

    /// Sends the last flight again once OpenSSL's timer allows it, some 5 ms after it was sent; nothing when none is waiting.
    func repeatFlight() -> [[UInt8]] {
        var left = timeval()
        while SSL_ctrl(connection, DTLS_CTRL_GET_TIMEOUT, 0, &left) == 1, (left.tv_sec, left.tv_usec) > (0, 0) {}
        SSL_ctrl(connection, DTLS_CTRL_HANDLE_TIMEOUT, 0, nil)
        return flush()
    }

    func send(_ bytes: [UInt8]) -> [[UInt8]] {
        SSL_write(connection, bytes, Int32(bytes.count))
        return flush()
    }

    func close() -> [[UInt8]] {
        SSL_shutdown(connection)
        return flush()
    }

    private func read() {
        var buffer = [UInt8](repeating: 0, count: 1 << 14)
        while isConnected {
            let count = SSL_read(connection, &buffer, Int32(buffer.count))
            proceed(count)
            guard count > 0 else { break }
            received.append(Array(buffer.prefix(Int(count))))
        }
    }

    private func proceed(_ result: Int32) {
        if result <= 0, SSL_get_error(connection, result) != SSL_ERROR_WANT_READ { isBroken = true }
    }

    private func flush() -> [[UInt8]] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while case let count = BIO_read(outgoing, &buffer, 4096), count > 0 { bytes += buffer.prefix(Int(count)) }
        return DTLSRecords.datagrams(bytes, limit: 600)
    }
}
