internal import Foundation
internal import Testing

@testable internal import WebRTC

/// Offers of real clients, made by `Reference/WebRTC/make_offers.py`, and their parts.
enum Offers {
    static func text(_ name: String) throws -> String {
        let folder = try #require(Bundle.module.resourceURL).appendingPathComponent("Fixtures")
        return String(decoding: try Data(contentsOf: folder.appendingPathComponent(name + ".sdp")), as: UTF8.self)
    }

    /// An offer of audio and data as small as it can be.
    static let small = """
        v=0
        o=- 1 1 IN IP4 0.0.0.0
        s=-
        t=0 0
        a=group:BUNDLE a d
        a=ice-ufrag:them
        a=ice-pwd:0123456789abcdef012345
        a=fingerprint:sha-256 \(Array(repeating: "AB", count: 32).joined(separator: ":"))
        a=setup:actpass
        m=audio 9 UDP/TLS/RTP/SAVPF 96 97
        a=mid:a
        a=rtcp-mux
        a=rtpmap:96 opus/48000/2
        a=rtpmap:97 telephone-event/48000
        m=application 9 UDP/DTLS/SCTP webrtc-datachannel
        a=mid:d
        a=sctp-port:5001

        """

    /// The small offer with something else in place of something.
    static func small(_ old: String, _ new: String) -> String { small.replacing(old, with: new) }

    static func answer(_ offer: Offer, version: Int = 1) throws -> Answer {
        Answer(
            offer: offer,
            session: 77,
            version: version,
            credentials: try #require(ICECredentials(fragment: "us12", password: "0123456789012345678901")),
            fingerprint: try #require(
                DTLSFingerprint("sha-256 " + Array(repeating: "0A", count: 32).joined(separator: ":"))
            ),
            addresses: try [
                #require(NetworkAddress("192.0.2.7", port: 4000)), #require(NetworkAddress("2001:db8::7", port: 4000)),
            ],
            source: 99,
            name: "agent",
            messageLimit: 65_536
        )
    }
}
