internal import Testing
internal import VoiceCore

@testable internal import WebRTC

@Suite struct AnswerTests {
    @Test func `the small offer is answered to the letter`() throws {
        let text = try Offers.answer(try Offer(Offers.small)).text
        let transport = """
            a=ice-ufrag:us12
            a=ice-pwd:0123456789012345678901
            a=fingerprint:sha-256 \(Array(repeating: "0A", count: 32).joined(separator: ":"))
            a=setup:passive
            """
        let expected = """
            v=0
            o=- 77 1 IN IP4 127.0.0.1
            s=-
            t=0 0
            a=ice-lite
            a=group:BUNDLE a d
            m=audio 4000 UDP/TLS/RTP/SAVPF 96 97
            c=IN IP4 192.0.2.7
            a=mid:a
            \(transport)
            a=sendrecv
            a=rtcp-mux
            a=rtpmap:96 opus/48000/2
            a=fmtp:96 minptime=10;useinbandfec=1
            a=rtpmap:97 telephone-event/48000
            a=fmtp:97 0-15
            a=msid:agent agent-audio
            a=ssrc:99 cname:agent
            a=candidate:1 1 udp 2130706431 192.0.2.7 4000 typ host
            a=candidate:2 1 udp 2130706175 2001:db8::7 4000 typ host
            a=end-of-candidates
            m=application 4000 UDP/DTLS/SCTP webrtc-datachannel
            c=IN IP4 192.0.2.7
            a=mid:d
            \(transport)
            a=sctp-port:5000
            a=max-message-size:65536

            """
        #expect(text == expected.replacing("\n", with: "\r\n"))
    }

    @Test func `Chromium's video is answered with one payload type and no picture`() throws {
        let answer = try SessionDescription(try Offers.answer(try Offer(try Offers.text("chromium"))).text)
        #expect(answer.attributes.value("group") == "BUNDLE 0 1 2 3")
        #expect(answer.media.map(\.kind) == ["audio", "video", "video", "application"])
        #expect(answer.media.map(\.formats) == [["111", "110"], ["96"], ["96"], ["webrtc-datachannel"]])
        for video in answer.media[1...2] {
            #expect(video.port != 0)
            #expect(video.attributes.value("inactive") != nil && video.attributes.value("rtpmap") == "96 VP8/90000")
        }
        #expect(answer.media.map { $0.attributes.value("mid") } == ["0", "1", "2", "3"])
    }

    @Test(arguments: [
        ("sendonly", "recvonly"), ("recvonly", "sendonly"), ("inactive", "inactive"), ("sendrecv", "sendrecv"),
    ])
    func `directions are answered from our side`(offered: String, answered: String) throws {
        let offer = try Offer(Offers.small("a=mid:a", "a=mid:a\na=\(offered)"))
        let audio = try SessionDescription(try Offers.answer(offer).text).media[0]
        #expect(audio.attributes.value(answered) != nil)
        #expect((audio.attributes.value("ssrc") != nil) == answered.hasPrefix("send"))
    }

    @Test func `what is refused has port 0 and is not in the bundle`() throws {
        let offer = try Offer(Offers.small("opus/48000/2", "iLBC/8000"))
        let answer = try SessionDescription(try Offers.answer(offer).text)
        #expect(answer.attributes.value("group") == "BUNDLE d")
        #expect(answer.media.map(\.port) == [0, 4000])
        #expect(answer.media[0].formats == ["96", "97"])
        #expect(answer.media[1].attributes.contains { $0.name == "candidate" })
    }
}
