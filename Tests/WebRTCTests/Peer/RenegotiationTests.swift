internal import Testing
internal import VoiceCore

@testable internal import WebRTC

@Suite struct RenegotiationTests {
    @Test func `a later offer changes the media and keeps the connection`() throws {
        let call = try ScriptedCall()
        try call.connect()
        let fragments = call.peer.fragments
        call.browser.offered = Offers.small("a=mid:a", "a=mid:a\na=sendonly")
        try call.negotiate()
        #expect(call.peer.fragments == fragments)
        #expect(call.peer.isConnected)
        #expect(!call.peer.send(audio: [1], timestamp: 0, marker: false, at: .zero))
        try call.send(call.browser.audio([2]))
        #expect(call.audio.map(\.payload) == [[2]])
        call.browser.offered = Offers.small("a=mid:a", "a=mid:a\na=recvonly")
        try call.negotiate()
        try call.send(call.browser.audio([3]))
        #expect(call.audio.count == 1)
        #expect(call.peer.send(audio: [4], timestamp: 0, marker: false, at: .zero))
        _ = try call.drain()
        #expect(call.browser.heard.map(\.payload) == [[4]])
        #expect(call.states.count == 1)
    }

    @Test func `answers are numbered, of one session`() throws {
        let call = try ScriptedCall()
        let lines = try (0..<3).map { _ in
            try call.peer.answer(call.browser.offer, at: .zero).split(separator: "\r\n")[1]
        }
        let words = lines.map { $0.split(separator: " ") }
        #expect(Set(words.map { $0[1] }).count == 1)
        #expect(words.map { $0[2] } == ["1", "2", "3"])
    }

    @Test func `new names begin ICE anew while the call goes on`() throws {
        let call = try ScriptedCall()
        try call.connect()
        let old = try call.browser.check()
        let before = call.peer.fragments
        call.browser.credentials = ("they", "abcdefabcdefabcdefabcdef")
        try call.negotiate()
        #expect(call.peer.fragments.count == 2 && call.peer.fragments.last == before.first)
        // The old name works until the new one is used.
        try call.send(old)
        #expect(call.browser.checkAnswers == 2)
        call.browser.address = try #require(NetworkAddress("198.51.100.1", port: 1))
        try call.send(call.browser.check())
        #expect(call.browser.checkAnswers == 3 && call.peer.fragments.count == 1)
        call.peer.handle(old, from: call.browser.address, at: .zero)
        #expect(call.peer.counters.ignoredChecks == 1)
        try call.send(call.browser.audio([1]))
        call.peer.send(audio: [2], timestamp: 0, marker: false, at: .zero)
        _ = try call.drain()
        #expect(call.audio.count == 1 && call.browser.heard.count == 1)
    }

    @Test func `an offer that cannot follow is refused and changes nothing`() throws {
        let call = try ScriptedCall()
        try call.connect()
        let good = call.browser.offer
        let fingerprint = call.browser.client.fingerprints[0].description
        let other = try DTLSIdentity().fingerprint.description
        let fewer = String(good.split(separator: "m=application")[0])
        for (offer, reason) in [
            (good.replacing(fingerprint, with: other), "fingerprint"),
            (fewer.replacing("BUNDLE a d", with: "BUNDLE a"), "fewer"),
            (good.replacing("a=mid:a", with: "a=mid:b").replacing("BUNDLE a d", with: "BUNDLE b d"), "order"),
            ("v=0\n", "no media"),
        ] {
            let error = #expect(throws: VoiceError.self) { try call.peer.answer(offer, at: .zero) }
            #expect(error?.message.contains(reason) == true, "\(error?.message ?? "")")
        }
        try call.send(call.browser.audio([1]))
        #expect(call.audio.count == 1)
    }

    @Test func `a stopped section may be stopped, and used again`() throws {
        let call = try ScriptedCall()
        try call.connect()
        call.browser.offered = Offers.small("m=audio 9", "m=audio 0").replacing("BUNDLE a d", with: "BUNDLE d")
        try call.negotiate()
        #expect(!call.peer.send(audio: [1], timestamp: 0, marker: false, at: .zero))
        call.browser.offered = Offers.small.replacing("a=mid:a", with: "a=mid:c").replacing(
            "BUNDLE a d",
            with: "BUNDLE c d"
        )
        try call.negotiate()
        #expect(call.peer.send(audio: [1], timestamp: 0, marker: false, at: .zero))
    }
}
