internal import VoiceCore

/// What a browser offers (RFC 9429), reduced to what a voice agent can take: one transport, Opus, a data channel.
struct Offer: Hashable, Sendable {
    /// A media section and what becomes of it.
    struct Section: Hashable, Sendable {
        var media: SessionDescription.Media
        /// `a=mid`, which names the section in every later description.
        var mid: String?
        var content: Content
    }

    /// What becomes of a media section.
    enum Content: Hashable, Sendable {
        case audio(Audio)
        /// Kept alive without ever carrying a picture, with one payload type: port 0 would stop the page's transceiver.
        case video(encoding: Encoding)
        case data(DataChannels)
        /// Answered with port 0.
        case refused
    }

    /// A payload type and what it is, as in `a=rtpmap`.
    struct Encoding: Hashable, Sendable {
        var type: UInt8
        var name: String
    }

    /// Opus both or one way (RFC 7587).
    struct Audio: Hashable, Sendable {
        var opus: UInt8
        /// DTMF (RFC 4733), if it is offered.
        var telephoneEvent: Encoding?
        /// Seen from the browser.
        var direction: MediaDirection
    }

    /// SCTP over DTLS (RFC 8841).
    struct DataChannels: Hashable, Sendable {
        /// SCTP's port on the other side.
        var port: UInt16
        /// The largest message that the other side takes; nil for any.
        var messageLimit: Int?
    }

    var credentials: ICECredentials
    var fingerprints: [DTLSFingerprint]
    /// True if the sections share a transport by `a=group:BUNDLE`.
    var isBundled: Bool
    var sections: [Section]

    /// Reads an offer.
    ///
    /// - Throws: ``VoiceError/Code/malformedInput`` with what is missing.
    init(_ text: String) throws(VoiceError) {
        let description = try SessionDescription(text)
        let bundle = description.attributes.first { $0.name == "group" && $0.value.hasPrefix("BUNDLE") }?.value
        let mids = bundle.map { Set($0.split(separator: " ").dropFirst().map { String($0) }) }
        isBundled = mids != nil
        sections = []
        for media in description.media {
            let mid = media.attributes.value("mid")
            if let mid, !mid.isToken || sections.contains(where: { $0.mid == mid }) {
                throw SessionDescription.malformed("has a malformed or repeated a=mid")
            }
            // Without a bundle each section would have a transport of its own: the first one that can be taken gets it.
            let isShared = mids.map { mids in mid.map(mids.contains) ?? false } ?? !sections.contains { $0.isAccepted }
            var content = isShared ? Content(media, in: description) : .refused
            if case .audio = content, sections.contains(where: { $0.audio != nil }) { content = .refused }
            if case .data = content, sections.contains(where: { $0.data != nil }) { content = .refused }
            sections.append(Section(media: media, mid: mid, content: content))
        }
        guard sections.contains(where: { $0.audio != nil || $0.data != nil }) else {
            throw SessionDescription.malformed("offers neither Opus over SRTP with rtcp-mux nor a data channel")
        }
        guard let tagged = sections.first(where: \.isAccepted)?.media else {
            throw SessionDescription.malformed("offers nothing that can be accepted")
        }
        credentials = try Self.credentials(description, tagged)
        fingerprints = try Self.fingerprints(description, tagged)
        try Self.checkRoles(description, tagged)
    }

    /// The audio that is accepted.
    var audio: Audio? { sections.lazy.compactMap(\.audio).first }
    /// The data channels that are accepted.
    var data: DataChannels? { sections.lazy.compactMap(\.data).first }

    private static func credentials(
        _ description: SessionDescription,
        _ section: SessionDescription.Media
    ) throws(VoiceError) -> ICECredentials {
        guard let fragment = description.value("ice-ufrag", in: section),
            let password = description.value("ice-pwd", in: section),
            let credentials = ICECredentials(fragment: fragment, password: password)
        else { throw SessionDescription.malformed("has no valid a=ice-ufrag and a=ice-pwd") }
        return credentials
    }

    private static func fingerprints(
        _ description: SessionDescription,
        _ section: SessionDescription.Media
    ) throws(VoiceError) -> [DTLSFingerprint] {
        let own = section.attributes.filter { $0.name == "fingerprint" }
        let lines = own.isEmpty ? description.attributes.filter { $0.name == "fingerprint" } : own
        let fingerprints = lines.prefix(16).compactMap { DTLSFingerprint($0.value) }
        guard !fingerprints.isEmpty else {
            throw SessionDescription.malformed("has no a=fingerprint of SHA-256, SHA-384 or SHA-512")
        }
        return fingerprints
    }

    private static func checkRoles(
        _ description: SessionDescription,
        _ section: SessionDescription.Media
    ) throws(VoiceError) {
        guard description.attributes.value("ice-lite") == nil else {
            throw SessionDescription.malformed("says a=ice-lite: we are lite, too, and nobody would begin")
        }
        // Without a=setup the offerer is active (RFC 4145 section 4).
        let role = description.value("setup", in: section) ?? "active"
        guard ["active", "actpass"].contains(role) else {
            throw SessionDescription.malformed(
                "says a=setup:\(role): we are the DTLS server, so actpass or active is needed"
            )
        }
    }
}

extension Offer.Section {
    /// True if the answer has a port for it.
    var isAccepted: Bool { content != .refused }

    var audio: Offer.Audio? { if case .audio(let audio) = content { audio } else { nil } }
    var data: Offer.DataChannels? { if case .data(let data) = content { data } else { nil } }
}

extension Offer.Content {
    // RFC 9429 section 5.1.2 and RFC 8841 section 4: what offers may say, and what they all mean today.
    private static let mediaTransports: Set = [
        "UDP/TLS/RTP/SAVPF", "UDP/TLS/RTP/SAVP", "TCP/DTLS/RTP/SAVPF", "RTP/SAVPF",
    ]
    private static let dataTransports: Set = ["UDP/DTLS/SCTP", "TCP/DTLS/SCTP"]

    fileprivate init(_ media: SessionDescription.Media, in description: SessionDescription) {
        self = .refused
        // Port 0 is a section that was stopped, unless it is only to be bundled (RFC 8843 section 6).
        guard media.port != 0 || media.attributes.value("bundle-only") != nil else { return }
        switch media.kind {
        case "application": if let data = Offer.DataChannels(media) { self = .data(data) }
        case "audio", "video":
            guard Self.mediaTransports.contains(media.transport), media.attributes.value("rtcp-mux") != nil else {
                return
            }
            if media.kind == "audio" {
                if let audio = Offer.Audio(media, in: description) { self = .audio(audio) }
            } else if let encoding = Offer.Encoding.plainest(media) {
                self = .video(encoding: encoding)
            }
        default: break
        }
    }

    fileprivate static func isDataTransport(_ name: String) -> Bool { dataTransports.contains(name) }
}

extension Offer.Audio {
    fileprivate init?(_ media: SessionDescription.Media, in description: SessionDescription) {
        // Types 64 to 95 could be mistaken for RTCP (RFC 5761 section 4).
        let encodings = media.encodings.filter { !(64...95).contains($0.type) }
        guard let opus = encodings.first(where: { $0.name.lowercased() == "opus/48000/2" }) else { return nil }
        self.opus = opus.type
        // DTMF should have the clock of the audio it interrupts (RFC 4733 section 2.1); Firefox has the telephone's only.
        let event = ["telephone-event/48000", "telephone-event/8000"].lazy.compactMap { name in
            encodings.first { $0.name.lowercased() == name }
        }.first
        telephoneEvent = event.map { Offer.Encoding(type: $0.type, name: $0.name) }
        let names = (media.attributes + description.attributes).map(\.name)
        direction = names.lazy.compactMap { MediaDirection(rawValue: $0) }.first ?? .both
    }
}

extension Offer.DataChannels {
    fileprivate init?(_ media: SessionDescription.Media) {
        guard Offer.Content.isDataTransport(media.transport), media.formats == ["webrtc-datachannel"] else {
            return nil
        }
        port = media.attributes.value("sctp-port").flatMap { UInt16($0) } ?? 5000
        // 64 kB without the attribute, any size for 0 (RFC 8841 section 6.1).
        let limit = media.attributes.value("max-message-size").flatMap { Int($0) } ?? 65_536
        messageLimit = limit > 0 ? limit : nil
    }
}

extension Offer.Encoding {
    /// VP8, or whatever comes first.
    fileprivate static func plainest(_ media: SessionDescription.Media) -> Offer.Encoding? {
        let encodings = media.encodings.filter {
            $0.name.split(separator: "/").allSatisfy(\.isToken) && !$0.name.isEmpty
        }
        let chosen = encodings.first { $0.name.uppercased() == "VP8/90000" } ?? encodings.first
        return chosen.map { Offer.Encoding(type: $0.type, name: $0.name) }
    }
}
