internal import VoiceCore

@testable internal import WebRTC

extension FuzzTarget {
    /// An offer and the answer to it.
    ///
    /// Claims: every answer is a description with as many media as the offer, whose ports say which are accepted; no offer makes its answer
    /// longer than a few hundred bytes a medium beside what it brought.
    static let sdp = FuzzTarget(name: "sdp", seeds: { SessionOffers.seeds }) { bytes in
        let text = String(decoding: bytes, as: UTF8.self)
        guard let offer = try? Offer(text), let answer = SessionOffers.answer(offer) else { return }
        guard let description = try? SessionDescription(answer) else {
            throw BrokenClaim(description: "an answer is no description")
        }
        try claim(description.media.count == offer.sections.count, "each medium is answered")
        for (media, section) in zip(description.media, offer.sections) {
            try claim((media.port != 0) == section.isAccepted, "a port says that a medium is accepted")
            try claim(media.kind == section.media.kind, "media keep their order")
        }
        try claim(answer.utf8.count <= text.utf8.count + 2000 * (1 + offer.sections.count), "answers are short")
    }
}

/// Offers to begin with.
enum SessionOffers {
    static let fingerprint = "sha-256 " + Array(repeating: "AB", count: 32).joined(separator: ":")

    /// Audio and data, as small as it can be.
    static let small = """
        v=0
        o=- 1 1 IN IP4 0.0.0.0
        s=-
        t=0 0
        a=group:BUNDLE a d
        a=ice-ufrag:them
        a=ice-pwd:0123456789abcdef012345
        a=fingerprint:\(fingerprint)
        a=setup:actpass
        m=audio 9 UDP/TLS/RTP/SAVPF 96 97
        a=mid:a
        a=rtcp-mux
        a=rtpmap:96 opus/48000/2
        a=rtpmap:97 telephone-event/48000
        m=application 9 UDP/DTLS/SCTP webrtc-datachannel
        a=mid:d
        a=sctp-port:5000

        """

    static let seeds: [[UInt8]] = {
        let video = """
            m=video 0 UDP/TLS/RTP/SAVPF 98 100
            a=mid:v
            a=bundle-only
            a=rtcp-mux
            a=sendonly
            a=rtpmap:98 VP8/90000
            a=rtpmap:100 H264/90000
            a=fmtp:100 profile-level-id=42e01f

            """
        let texts = [
            small, small.replacing("BUNDLE a d", with: "BUNDLE a d v") + video,
            small.replacing("\n", with: "\r\n").replacing("a=setup:actpass", with: "a=sendrecv\r\na=setup:active"),
            small.replacing("a=group:BUNDLE a d\n", with: "").replacing(
                "a=sctp-port:5000",
                with: "a=max-message-size:0"
            ),
        ]
        return texts.map { Array($0.utf8) }
    }()

    static func answer(_ offer: Offer) -> String? {
        guard let fingerprint = DTLSFingerprint(fingerprint) else { return nil }
        return Answer(
            offer: offer,
            session: 77,
            version: 1,
            credentials: Checks.local,
            fingerprint: fingerprint,
            addresses: Checks.sources,
            source: 99,
            name: "agent",
            messageLimit: 65_536
        ).text
    }
}
