internal import CSRTP
internal import VoiceCore

/// Both directions of SRTP and SRTCP between two ends (RFC 3711), by libsrtp. One owner at a time.
final class SRTPSession {
    /// What was refused, and why.
    struct Counters: Equatable {
        /// Packets whose number came before, or that are older than the window.
        var replayed = 0
        /// Packets with a wrong tag, truncated, or with a header that leads beyond their end.
        var inauthentic = 0
        /// Packets of a source beyond ``SRTPSession/sourceLimit``.
        var crowded = 0
    }

    /// Sources whose packets are accepted: libsrtp keeps state for each, and one participant needs one or two at a time.
    static let sourceLimit = 32
    /// Packets of a source that may arrive late: at 50 packets a second this is 20 s.
    private static let window: UInt = 1024
    /// Bytes that protection adds at most (`SRTP_MAX_TRAILER_LEN` of libsrtp 2, with its SRTCP index).
    private static let trailerLimit = 160

    /// Refused packets so far.
    private(set) var counters = Counters()

    private let incoming: srtp_t
    private let outgoing: srtp_t
    private var sources: Set<UInt32> = []

    /// Makes a session of the server, or of the client.
    ///
    /// - Throws: ``VoiceError/Code/fault`` when libsrtp lacks memory or the profile.
    init(keys: SRTPKeys, isServer: Bool = true) throws(VoiceError) {
        guard Self.isInitialized else { throw VoiceError(.fault, "libsrtp does not start") }
        let (received, sent) = isServer ? (keys.client, keys.server) : (keys.server, keys.client)
        incoming = try Self.make(keys.profile, key: received, ssrc_any_inbound)
        do { outgoing = try Self.make(keys.profile, key: sent, ssrc_any_outbound) } catch {
            srtp_dealloc(incoming)
            throw error
        }
    }

    deinit {
        srtp_dealloc(incoming)
        srtp_dealloc(outgoing)
    }

    /// Encrypts an RTP packet; nil when it is none.
    func protect(rtp packet: [UInt8]) -> [UInt8]? {
        Self.transform(packet, room: Self.trailerLimit) { srtp_protect(outgoing, $0, &$1) }.packet
    }

    /// Encrypts a compound RTCP packet; nil when it is none.
    func protect(rtcp packet: [UInt8]) -> [UInt8]? {
        Self.transform(packet, room: Self.trailerLimit) { srtp_protect_rtcp(outgoing, $0, &$1) }.packet
    }

    /// Decrypts an SRTP packet; nil when it is refused, which is counted.
    func unprotect(rtp packet: [UInt8]) -> [UInt8]? {
        // The fixed header (RFC 3550 section 5.1) is not encrypted.
        unprotect(packet, sourceAt: 8) { srtp_unprotect(incoming, $0, &$1) }
    }

    /// Decrypts an SRTCP packet; nil when it is refused, which is counted.
    func unprotect(rtcp packet: [UInt8]) -> [UInt8]? {
        // The first eight bytes (RFC 3711 section 3.4) are not encrypted.
        unprotect(packet, sourceAt: 4) { srtp_unprotect_rtcp(incoming, $0, &$1) }
    }

    private func unprotect(
        _ packet: [UInt8],
        sourceAt offset: Int,
        _ call: (UnsafeMutableRawPointer, inout Int32) -> srtp_err_status_t
    ) -> [UInt8]? {
        var reader = BigEndianReader(packet.dropFirst(offset))
        guard packet.count >= 12, let source = reader.next(UInt32.self) else {
            counters.inauthentic += 1
            return nil
        }
        guard sources.contains(source) || sources.count < Self.sourceLimit else {
            counters.crowded += 1
            return nil
        }
        let (status, plain) = Self.transform(packet, room: 0, call)
        switch status {
        case srtp_err_status_ok: sources.insert(source)
        case srtp_err_status_replay_fail, srtp_err_status_replay_old: counters.replayed += 1
        default: counters.inauthentic += 1
        }
        return plain
    }

    private static func transform(
        _ packet: [UInt8],
        room: Int,
        _ call: (UnsafeMutableRawPointer, inout Int32) -> srtp_err_status_t
    ) -> (status: srtp_err_status_t, packet: [UInt8]?) {
        guard packet.count <= UInt16.max else { return (srtp_err_status_bad_param, nil) }
        var bytes = packet + [UInt8](repeating: 0, count: room)
        var length = Int32(packet.count)
        // libsrtp reads 32-bit words; an array's storage is aligned for any.
        let status = bytes.withUnsafeMutableBytes { buffer in
            buffer.baseAddress.map { call($0, &length) } ?? srtp_err_status_bad_param
        }
        guard status == srtp_err_status_ok, (0...bytes.count).contains(Int(length)) else { return (status, nil) }
        bytes.removeLast(bytes.count - Int(length))
        return (status, bytes)
    }

    private static let isInitialized = srtp_init() == srtp_err_status_ok

    private static func make(
        _ profile: SRTPProfile,
        key: [UInt8],
        _ type: srtp_ssrc_type_t
    ) throws(VoiceError) -> srtp_t {
        var policy = srtp_policy_t()
        let number = srtp_profile_t(UInt32(profile.rawValue))
        guard key.count == profile.keyLength + profile.saltLength,
            srtp_crypto_policy_set_from_profile_for_rtp(&policy.rtp, number) == srtp_err_status_ok,
            srtp_crypto_policy_set_from_profile_for_rtcp(&policy.rtcp, number) == srtp_err_status_ok
        else { throw VoiceError(.fault, "libsrtp does not know \(profile.openSSLName)") }
        policy.ssrc.type = type
        policy.window_size = window
        var session: srtp_t?
        var key = key
        let status = key.withUnsafeMutableBufferPointer { buffer in
            policy.key = buffer.baseAddress
            // Copies the key.
            return srtp_create(&session, &policy)
        }
        guard status == srtp_err_status_ok, let session else {
            throw VoiceError(.fault, "libsrtp makes no session: status \(status.rawValue)")
        }
        return session
    }
}
