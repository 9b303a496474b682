internal import COpenSSL
internal import VoiceCore

/// The master keys of both directions, each followed by its salt, as libsrtp wants them.
struct SRTPKeys {
    var profile: SRTPProfile
    /// What the DTLS client encrypts with.
    var client: [UInt8]
    /// What the DTLS server encrypts with.
    var server: [UInt8]

    /// Makes the keys that were agreed on in other ways.
    init(profile: SRTPProfile, client: [UInt8], server: [UInt8]) {
        self.profile = profile
        self.client = client
        self.server = server
    }

    /// Exports the keys of a finished DTLS handshake (RFC 5764 section 4.2).
    ///
    /// - Throws: ``VoiceError/Code/malformedInput`` when the other side did not offer a profile of ours.
    init(connection: OpaquePointer) throws(VoiceError) {
        guard let selected = SSL_get_selected_srtp_profile(connection),
            let profile = SRTPProfile(rawValue: UInt16(truncatingIfNeeded: selected.pointee.id))
        else {
            throw VoiceError(.malformedInput, "the DTLS handshake agreed on no way to encrypt audio (use_srtp)")
        }
        let label = "EXTRACTOR-dtls_srtp"
        let (key, salt) = (profile.keyLength, profile.saltLength)
        var material = [UInt8](repeating: 0, count: 2 * (key + salt))
        guard SSL_export_keying_material(connection, &material, material.count, label, label.utf8.count, nil, 0, 0) == 1
        else { throw OpenSSLError.fault("export the keys of audio") }
        let salts = material[(2 * key)...]
        self.init(
            profile: profile,
            client: Array(material[..<key] + salts.prefix(salt)),
            server: Array(material[key..<2 * key] + salts.suffix(salt))
        )
    }
}
