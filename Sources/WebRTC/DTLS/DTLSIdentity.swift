internal import COpenSSL
package import VoiceCore

/// A key, its self-signed certificate and the settings of every handshake: one per process, for all peers.
package final class DTLSIdentity: @unchecked Sendable {
    // Sendable: nothing changes after init, and OpenSSL counts the references of a context atomically.

    /// What our answers carry.
    package let fingerprint: DTLSFingerprint
    /// OpenSSL's `SSL_CTX`.
    let context: OpaquePointer

    /// Makes a key on P-256 (RFC 8827 section 6.5) and a certificate that says nothing about us.
    ///
    /// - Throws: ``VoiceError/Code/fault`` when OpenSSL cannot.
    package init() throws(VoiceError) {
        OpenSSLError.clear()
        guard let key = openssl_p256_key() else { throw OpenSSLError.fault("make a P-256 key") }
        defer { EVP_PKEY_free(key) }
        guard let certificate = X509_new() else { throw OpenSSLError.fault("make a certificate") }
        defer { X509_free(certificate) }
        guard Self.fill(certificate, key: key), let fingerprint = DTLSFingerprint(.sha256, certificate: certificate)
        else { throw OpenSSLError.fault("sign a certificate") }
        guard let context = SSL_CTX_new(DTLS_server_method()) else { throw OpenSSLError.fault("make a DTLS server") }
        guard SSL_CTX_use_certificate(context, certificate) == 1, SSL_CTX_use_PrivateKey(context, key) == 1,
            Self.configure(context)
        else {
            SSL_CTX_free(context)
            throw OpenSSLError.fault("set a DTLS server up")
        }
        self.fingerprint = fingerprint
        self.context = context
    }

    deinit { SSL_CTX_free(context) }

    /// Browsers look at the fingerprint, not at the dates; a year is longer than a process lives.
    private static let lifetime = 365 * 86_400

    private static func fill(_ certificate: OpaquePointer, key: OpaquePointer) -> Bool {
        let name = X509_get_subject_name(certificate)
        return X509_set_version(certificate, 2) == 1
            && ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), .random(in: 1...UInt64(Int64.max))) == 1
            && X509_gmtime_adj(X509_getm_notBefore(certificate), -86_400) != nil
            && X509_gmtime_adj(X509_getm_notAfter(certificate), lifetime) != nil
            && X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, "WebRTC", -1, -1, 0) == 1
            && X509_set_issuer_name(certificate, name) == 1
            && X509_set_pubkey(certificate, key) == 1
            && X509_sign(certificate, key, EVP_sha256()) > 0
    }

    private static func configure(_ context: OpaquePointer) -> Bool {
        openssl_context_simplify(context)
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nil)
        // Certificates are signed by themselves; the offer's fingerprint says which one is right.
        SSL_CTX_set_cert_verify_callback(context, { store, _ in DTLSServer.isExpected(store) ? 1 : 0 }, nil)
        let profiles = SRTPProfile.allCases.map(\.openSSLName).joined(separator: ":")
        // DTLS 1.3, should OpenSSL learn it, has other records (RFC 9147 section 4) than those we tell apart.
        return openssl_context_set_version(context, DTLS1_2_VERSION, DTLS1_2_VERSION) == 1
            // The first is what RFC 8827 section 6.5 demands of everybody. See also DTLSRecords.encryptedLength.
            && SSL_CTX_set_cipher_list(context, "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384") == 1
            && openssl_context_set_groups(context, "X25519:P-256:P-384") == 1
            // Unlike its siblings this one returns 0 for success.
            && SSL_CTX_set_tlsext_use_srtp(context, profiles) == 0
    }
}
