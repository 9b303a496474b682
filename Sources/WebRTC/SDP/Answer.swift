/// Our answer to an offer (RFC 9429 section 5.3): one transport for everything, we are lite and wait for DTLS.
struct Answer: Sendable {
    var offer: Offer
    /// `o=`: the session's number, and how many answers it had before.
    var session: UInt64
    var version: Int
    var credentials: ICECredentials
    var fingerprint: DTLSFingerprint
    /// Where we can be reached, best first; at least one.
    var addresses: [NetworkAddress]
    /// The SSRC and CNAME of what we send.
    var source: UInt32
    var name: String
    /// The largest message that we take over a data channel.
    var messageLimit: Int

    /// The description as it is sent, with CRLF after each line.
    var text: String {
        var lines = ["v=0", "o=- \(session) \(version) IN IP4 127.0.0.1", "s=-", "t=0 0", "a=ice-lite"]
        if offer.isBundled {
            let mids = offer.sections.filter(\.isAccepted).compactMap(\.mid)
            lines.append((["a=group:BUNDLE"] + mids).joined(separator: " "))
        }
        // Candidates stand in the first section that lives; the others share its transport (RFC 8843 section 7).
        let tagged = offer.sections.firstIndex(where: \.isAccepted)
        for (index, section) in offer.sections.enumerated() {
            lines += section.isAccepted ? accepted(section, isTagged: index == tagged) : refused(section)
        }
        return lines.map { $0 + "\r\n" }.joined()
    }

    private func refused(_ section: Offer.Section) -> [String] {
        let media = section.media
        let line = "m=\(media.kind) 0 \(media.transport) \(media.formats.joined(separator: " "))"
        return [line, "c=IN IP4 0.0.0.0"] + (section.mid.map { ["a=mid:\($0)"] } ?? []) + ["a=inactive"]
    }

    private func accepted(_ section: Offer.Section, isTagged: Bool) -> [String] {
        let (formats, attributes) = content(section)
        let address = addresses.first
        let (kind, transport) = (section.media.kind, section.media.transport)
        var lines = ["m=\(kind) \(address?.port ?? 9) \(transport) \(formats.joined(separator: " "))"]
        lines.append("c=IN \(address?.isVersion6 == true ? "IP6" : "IP4") \(address?.host ?? "0.0.0.0")")
        if let mid = section.mid { lines.append("a=mid:\(mid)") }
        lines += [
            "a=ice-ufrag:\(credentials.fragment)", "a=ice-pwd:\(credentials.password)", "a=fingerprint:\(fingerprint)",
            "a=setup:passive",
        ]
        lines += attributes
        return isTagged ? lines + candidates : lines
    }

    private func content(_ section: Offer.Section) -> (formats: [String], attributes: [String]) {
        switch section.content {
        case .audio(let audio):
            (([audio.opus, audio.telephoneEvent?.type].compactMap { $0 }).map(String.init), lines(audio))
        case .video(let encoding):
            ([String(encoding.type)], ["a=inactive", "a=rtcp-mux", "a=rtpmap:\(encoding.type) \(encoding.name)"])
        case .data:
            (section.media.formats, ["a=sctp-port:\(Self.sctpPort)", "a=max-message-size:\(messageLimit)"])
        case .refused: (section.media.formats, [])
        }
    }

    /// SCTP's port on our side: the one everybody uses.
    static let sctpPort: UInt16 = 5000

    private func lines(_ audio: Offer.Audio) -> [String] {
        let direction = audio.direction.answer
        var lines = ["a=\(direction.rawValue)", "a=rtcp-mux", "a=rtpmap:\(audio.opus) opus/48000/2"]
        // Error correction helps whoever listens; 10 ms is the shortest frame that is worth its header (RFC 7587 section 6.1).
        lines.append("a=fmtp:\(audio.opus) minptime=10;useinbandfec=1")
        if let event = audio.telephoneEvent {
            lines += ["a=rtpmap:\(event.type) \(event.name)", "a=fmtp:\(event.type) 0-15"]
        }
        if direction.isSending { lines += ["a=msid:\(name) \(name)-audio", "a=ssrc:\(source) cname:\(name)"] }
        return lines
    }

    private var candidates: [String] {
        let lines = addresses.enumerated().map { index, address in
            // Type preference 126 for a host, then ours, then component 1 (RFC 8445 section 5.1.2.1).
            let priority = 126 << 24 | max(0, 65_535 - index) << 8 | 255
            return "a=candidate:\(index + 1) 1 udp \(priority) \(address.host) \(address.port) typ host"
        }
        return lines + ["a=end-of-candidates"]
    }
}
