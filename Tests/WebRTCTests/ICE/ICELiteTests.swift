internal import Testing
internal import VoiceCore

@testable internal import WebRTC

/// The other side's checks, as a browser sends them.
struct Checker {
    var local: ICECredentials
    var fragment = "them"
    var transaction: [UInt8] = Array(1...12)

    /// A check for the session whose credentials are `local`.
    func check(
        nominates: Bool = false,
        role: STUNAttribute.Kind = .iceControlling,
        password: String? = nil,
        adding extra: [STUNAttribute] = []
    ) -> [UInt8] {
        var attributes = [
            STUNAttribute(.username, Array("\(local.fragment):\(fragment)".utf8)),
            STUNAttribute(role, [1, 2, 3, 4, 5, 6, 7, 8]),
            STUNAttribute(.priority, [0x6e, 0, 1, 0xff]),
        ]
        if nominates { attributes.append(STUNAttribute(.useCandidate, [])) }
        return STUNMessage.encode(
            .request,
            transaction: transaction,
            attributes: attributes + extra,
            password: password ?? local.password
        )
    }
}

@Suite struct ICELiteTests {
    let local: ICECredentials
    let checker: Checker
    let home: NetworkAddress
    let away: NetworkAddress

    init() throws {
        var random = SplitMix64(seed: 1)
        local = ICECredentials(random: &random)
        checker = Checker(local: local)
        home = try #require(NetworkAddress("192.0.2.1", port: 5000))
        away = try #require(NetworkAddress("2001:db8::1", port: 6000))
    }

    func lite() -> ICELite { ICELite(local: local, remoteFragment: "them") }

    @Test func `a check is answered with the address it came from`() throws {
        var ice = lite()
        for source in [home, away] {
            let answer = try answered(&ice, checker.check(), from: source)
            #expect(answer.kind == .success)
            #expect(answer.transaction == checker.transaction)
            #expect(answer.isAuthentic(password: local.password))
            let value = try #require(answer.value(.xorMappedAddress))
            let mapped = STUNAttribute(.xorMappedAddress, value).mappedAddress(transaction: answer.transaction)
            #expect(mapped == source)
            #expect(ice.isValid(source))
        }
        #expect(ice.lastCheck == .zero)
    }

    @Test func `packets go to the latest nomination`() throws {
        var ice = lite()
        #expect(ice.destination == nil)
        _ = try answered(&ice, checker.check(), from: home)
        #expect(ice.destination == home)
        _ = try answered(&ice, checker.check(nominates: true), from: away)
        #expect(ice.destination == away)
        _ = try answered(&ice, checker.check(), from: home)
        #expect(ice.destination == away)
        _ = try answered(&ice, checker.check(nominates: true), from: home)
        #expect(ice.destination == home)
    }

    @Test func `until a nomination packets go where the other side sends from`() throws {
        var ice = lite()
        _ = try answered(&ice, checker.check(), from: home)
        ice.noteUse(of: away)
        #expect(ice.destination == home)
        _ = try answered(&ice, checker.check(), from: away)
        #expect(ice.destination == away)
        ice.noteUse(of: home)
        _ = try answered(&ice, checker.check(), from: away)
        #expect(ice.destination == home)
        _ = try answered(&ice, checker.check(nominates: true), from: away)
        ice.noteUse(of: home)
        #expect(ice.destination == away)
    }

    @Test func `a wrong password, a wrong name and no integrity get no answer`() throws {
        var ice = lite()
        var stranger = checker
        stranger.fragment = "you"
        var other = checker
        other.local.fragment = "other"
        var unsigned: [UInt8] = try hex("0001000000000000") + Array(1...12)
        unsigned.replaceSubrange(4..<8, with: [0x21, 0x12, 0xa4, 0x42])
        for bytes in [
            checker.check(password: "wrong"), stranger.check(), other.check(), unsigned,
            try hex(SampleMessages.request), try hex(SampleMessages.answerIPv4),
        ] {
            #expect(receive(&ice, bytes, from: home) == .ignored)
        }
        #expect(!ice.isValid(home))
        #expect(ice.destination == nil)
        #expect(ice.lastCheck == nil)
    }

    @Test func `whoever thinks it is controlled is told of the conflict`() throws {
        var ice = lite()
        let answer = try answered(&ice, checker.check(role: .iceControlled), from: home)
        #expect(answer.kind == .failure)
        #expect(answer.value(.errorCode)?.starts(with: [0, 0, 4, 87]) == true)
        #expect(!ice.isValid(home))
    }

    @Test func `the request of RFC 5769 is answered with a conflict`() throws {
        let local = try #require(ICECredentials(fragment: "evtj", password: SampleMessages.password))
        var ice = ICELite(local: local, remoteFragment: "h6vY")
        let answer = try answered(&ice, try hex(SampleMessages.request), from: home)
        #expect(answer.value(.errorCode)?.starts(with: [0, 0, 4, 87]) == true)
    }

    @Test func `attributes that must be understood are named in the answer`() throws {
        var ice = lite()
        let extra = [STUNAttribute(.init(rawValue: 0x1234), [1]), STUNAttribute(.init(rawValue: 0x9234), [1])]
        let answer = try answered(&ice, checker.check(adding: extra), from: home)
        #expect(answer.value(.errorCode)?.starts(with: [0, 0, 4, 20]) == true)
        #expect(answer.value(.unknownAttributes) == [0x12, 0x34])
        #expect(!ice.isValid(home))
    }

    @Test func `a check without its attributes is a bad request`() throws {
        var ice = lite()
        let bytes = STUNMessage.encode(
            .request,
            transaction: checker.transaction,
            attributes: [STUNAttribute(.username, Array("\(local.fragment):them".utf8))],
            password: local.password
        )
        #expect(try answered(&ice, bytes, from: home).value(.errorCode)?.starts(with: [0, 0, 4, 0]) == true)
        #expect(!ice.isValid(home))
    }

    @Test func `after a restart both names are known until the new one nominates`() throws {
        var ice = lite()
        _ = try answered(&ice, checker.check(nominates: true), from: home)
        var random = SplitMix64(seed: 2)
        let renewed = ICECredentials(random: &random)
        ice.restart(local: renewed, remoteFragment: "they")
        let next = Checker(local: renewed, fragment: "they")
        _ = try answered(&ice, next.check(), from: away)
        #expect(ice.destination == home)
        ice.noteUse(of: away)
        #expect(ice.destination == away)
        _ = try answered(&ice, checker.check(nominates: true), from: home)
        #expect(ice.destination == home)
        _ = try answered(&ice, checker.check(nominates: true), from: home)
        _ = try answered(&ice, next.check(nominates: true), from: away)
        #expect(ice.destination == away)
        #expect(receive(&ice, checker.check(nominates: true), from: home) == .ignored)
        _ = try answered(&ice, next.check(), from: home)
        #expect(ice.destination == away)
    }

    @Test func `valid addresses are bounded, and the destination stays`() throws {
        var ice = lite()
        _ = try answered(&ice, checker.check(nominates: true), from: home)
        for port in 1...UInt16(100) {
            let source = try #require(NetworkAddress("192.0.2.9", port: port))
            _ = try answered(&ice, checker.check(), from: source)
        }
        #expect(ice.isValid(home))
        #expect(ice.destination == home)
        let known = (1...UInt16(100)).filter { port in
            NetworkAddress("192.0.2.9", port: port).map { ice.isValid($0) } ?? false
        }
        #expect(known == Array((102 - UInt16(ICELite.validLimit))...100))
    }

    @Test func `names and passwords follow RFC 8839`() {
        #expect(local.fragment.count == 8 && local.password.count == 24)
        #expect(ICECredentials(fragment: local.fragment, password: local.password) == local)
        #expect(ICECredentials(fragment: "abc", password: local.password) == nil)
        #expect(ICECredentials(fragment: "abcd", password: "short") == nil)
        #expect(ICECredentials(fragment: "ab:d", password: local.password) == nil)
        #expect(ICECredentials(fragment: String(repeating: "a", count: 257), password: local.password) == nil)
    }

    private func receive(_ ice: inout ICELite, _ bytes: [UInt8], from source: NetworkAddress) -> ICELite.Outcome {
        ice.receive(bytes, from: source, at: .zero)
    }

    private func answered(_ ice: inout ICELite, _ bytes: [UInt8], from source: NetworkAddress) throws -> STUNMessage {
        guard case .answer(let answer) = receive(&ice, bytes, from: source) else {
            throw VoiceError(.fault, "the check is ignored")
        }
        return try #require(STUNMessage(answer))
    }
}
