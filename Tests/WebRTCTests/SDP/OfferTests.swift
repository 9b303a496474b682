internal import Testing
internal import VoiceCore

@testable internal import WebRTC

@Suite struct OfferTests {
    @Test func `Chromium's offer is understood`() throws {
        let offer = try Offer(try Offers.text("chromium"))
        #expect(offer.isBundled)
        #expect(offer.sections.map(\.mid) == ["0", "1", "2", "3"])
        let event = Offer.Encoding(type: 110, name: "telephone-event/48000")
        #expect(offer.audio == .init(opus: 111, telephoneEvent: event, direction: .both))
        #expect(offer.data == .init(port: 5000, messageLimit: 262_144))
        let vp8 = Offer.Content.video(encoding: .init(type: 96, name: "VP8/90000"))
        #expect(offer.sections[1].content == vp8 && offer.sections[2].content == vp8)
        #expect(offer.fingerprints.map(\.algorithm) == [.sha256])
        #expect(offer.credentials.fragment.utf8.count == 4 && offer.credentials.password.utf8.count == 24)
    }

    @Test func `aiortc's offer is understood`() throws {
        let offer = try Offer(try Offers.text("aiortc"))
        #expect(offer.sections.map(\.mid) == ["0", "1", "2"])
        #expect(offer.audio == .init(opus: 96, telephoneEvent: nil, direction: .both))
        #expect(offer.data?.port == 5000)
        #expect(offer.fingerprints.map(\.algorithm) == [.sha256, .sha384, .sha512])
    }

    @Test func `Firefox's offer is understood`() throws {
        let offer = try Offer(try Offers.text("firefox"))
        #expect(offer.sections.map(\.mid) == ["0", "1", "2", "3"])
        let event = Offer.Encoding(type: 101, name: "telephone-event/8000")
        #expect(offer.audio == .init(opus: 109, telephoneEvent: event, direction: .both))
        #expect(offer.data == .init(port: 5000, messageLimit: 1_073_741_823))
        let vp8 = Offer.Content.video(encoding: .init(type: 120, name: "VP8/90000"))
        #expect(offer.sections[1].content == vp8 && offer.sections[2].content == vp8)
        #expect(offer.fingerprints.count == 1 && offer.credentials.fragment.utf8.count == 8)
    }

    @Test func `what stands before the media counts for all of them`() throws {
        let offer = try Offer(Offers.small)
        #expect(offer.credentials.fragment == "them")
        #expect(offer.data == .init(port: 5001, messageLimit: 65_536))
        #expect(try Offer(Offers.small.replacing("\n", with: "\r\n")) == offer)
        let silent = try Offer(Offers.small("t=0 0", "t=0 0\na=recvonly"))
        #expect(silent.audio?.direction == .receive)
        #expect(
            try Offer(Offers.small("sctp-port:5001", "max-message-size:0")).data == .init(port: 5000, messageLimit: nil)
        )
    }

    @Test(arguments: [
        ("v=0", "v=1", "v=0"), ("v=0\n", "", "v=0"), ("s=-", "s", "line 3"), ("s=-", "S=-", "line 3"),
        ("m=audio 9", "m=audio x", "media line"), ("m=audio 9", "m=audio 70000", "media line"),
        ("SAVPF 96", "SAVPF (6", "media line"), ("a=ice-ufrag:them", "a=ice-ufrag:us", "ice-ufrag"),
        ("a=ice-pwd:0", "a=ice-pwd: ", "ice-pwd"), ("sha-256", "sha-1", "fingerprint"),
        (":AB:AB", ":AB", "fingerprint"),
        ("actpass", "passive", "setup"), ("actpass", "holdconn", "setup"), ("t=0 0", "t=0 0\na=ice-lite", "lite"),
        ("a=mid:d", "a=mid:a", "mid"), ("a=mid:d", "a=mid:a b", "mid"), ("BUNDLE a d", "BUNDLE", "neither"),
        ("m=", "x=", "no media"),
    ])
    func `a wrong offer is refused with its reason`(old: String, new: String, reason: String) {
        let error = #expect(throws: VoiceError.self) { try Offer(Offers.small(old, new)) }
        #expect(error?.code == .malformedInput)
        #expect(error?.message.contains(reason) == true, "\(error?.message ?? "")")
    }

    @Test(arguments: [
        ("opus/48000/2", "opus/16000/1"), ("a=rtcp-mux\n", ""), ("RTP/SAVPF", "RTP/AVP"), ("m=audio 9", "m=audio 0"),
        ("m=audio", "m=text"), ("BUNDLE a", "BUNDLE"), (" 96 97\n", " 70\n"),
    ])
    func `audio that cannot be taken is refused, and the rest is not`(old: String, new: String) throws {
        let offer = try Offer(Offers.small(old, new))
        #expect(offer.sections.map(\.isAccepted) == [false, true])
        #expect(offer.audio == nil && offer.data != nil)
    }

    @Test func `payload types that look like RTCP are not taken`() throws {
        let offer = try Offer(Offers.small("96", "72"))
        #expect(offer.audio == nil)
    }

    @Test func `without a bundle the first section gets the transport`() throws {
        let offer = try Offer(Offers.small("a=group:BUNDLE a d\n", ""))
        #expect(!offer.isBundled)
        #expect(offer.sections.map(\.isAccepted) == [true, false])
    }

    @Test func `a section only to be bundled has port 0 and lives`() throws {
        #expect(try Offer(Offers.small("m=application 9", "m=application 0")).data == nil)
        #expect(
            try Offer(
                Offers.small("m=application 9", "m=application 0").replacing("a=mid:d", with: "a=bundle-only\na=mid:d")
            ).data != nil
        )
    }

    @Test func `a second microphone is refused`() throws {
        let section = "m=audio 9 UDP/TLS/RTP/SAVPF 96\na=mid:b\na=rtcp-mux\na=rtpmap:96 opus/48000/2\n"
        let offer = try Offer(Offers.small("BUNDLE a d", "BUNDLE a d b") + section)
        #expect(offer.sections.map(\.isAccepted) == [true, true, false])
    }

    @Test func `sizes are bounded`() {
        let long = Offers.small + String(repeating: "a=x\n", count: SessionDescription.lineLimit)
        let large = Offers.small + "a=" + String(repeating: "x", count: SessionDescription.sizeLimit)
        let many = Offers.small + String(repeating: "m=audio 9 RTP/SAVPF 0\n", count: SessionDescription.mediaLimit)
        for text in [long, large, many] {
            let error = #expect(throws: VoiceError.self) { try Offer(text) }
            #expect(error?.message.contains("more than") == true)
        }
    }

    @Test func `no text crashes the parser, and every answer is one`() throws {
        let samples = [Array(Offers.small.utf8), Array(try Offers.text("aiortc").utf8)]
        var random = SplitMix64(seed: 8)
        var accepted = 0
        for _ in 0..<4000 {
            let text = String(decoding: random.mutation(of: samples), as: UTF8.self)
            guard let offer = try? Offer(text) else { continue }
            accepted += 1
            let answer = try SessionDescription(try Offers.answer(offer).text)
            #expect(answer.media.count == offer.sections.count)
        }
        #expect(accepted > 100)
    }
}
