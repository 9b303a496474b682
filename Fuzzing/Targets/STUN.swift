internal import VoiceCore

@testable internal import WebRTC

extension FuzzTarget {
    /// A STUN message, and ICE below it. The first byte says whether the rest comes as it is or with a correct fingerprint, and with
    /// our password or without.
    ///
    /// Claims: what is read can be written and read again; an answer is never larger than 128 bytes, or than the request if nothing in
    /// that is authentic; nothing becomes a valid address without the password.
    static let stun = FuzzTarget(name: "stun", seeds: { Checks.seeds }) { bytes in
        var input = FuzzInput(bytes)
        let mode = input.byte()
        let datagram = mode & 1 == 0 ? input.rest() : Checks.sealed(input.rest(), isAuthentic: mode & 2 != 0)
        if let message = STUNMessage(datagram) {
            let again = STUNMessage(
                STUNMessage.encode(
                    message.kind,
                    transaction: message.transaction,
                    attributes: message.attributes,
                    password: Checks.local.password
                )
            )
            try claim(again?.attributes == message.attributes, "attributes are the same after writing and reading")
            try claim(again?.isAuthentic(password: Checks.local.password) == true, "what we write is authentic")
            for attribute in message.attributes { _ = attribute.mappedAddress(transaction: message.transaction) }
        }
        _ = STUNMessage.localFragment(of: datagram)
        guard let source = Checks.sources.first else { return }
        var ice = ICELite(local: Checks.local, remoteFragment: "them")
        if mode & 4 != 0 { ice.restart(local: Checks.next, remoteFragment: "they") }
        let outcome = ice.receive(datagram, from: source, at: .zero)
        let isAuthentic =
            STUNMessage(datagram)?.isAuthentic(password: Checks.local.password) == true
            || STUNMessage(datagram)?.isAuthentic(password: Checks.next.password) == true
        try claim(isAuthentic || outcome == .ignored, "without the password there is no answer")
        try claim(isAuthentic || !ice.isValid(source), "without the password no address is valid")
        if case .answer(let answer) = outcome { try claim(answer.count <= 128, "answers are short") }
    }
}

/// Checks of a browser, made with the password or without.
enum Checks {
    static let local = credentials("abcd", "0123456789012345678901")
    static let next = credentials("efgh", "abcdefghijklmnopqrstuv")
    /// Where datagrams come from.
    static let sources = ["192.0.2.50", "2001:db8::50", "198.51.100.7"].compactMap { NetworkAddress($0, port: 7000) }

    private static func credentials(_ fragment: String, _ password: String) -> ICECredentials {
        var random = SplitMix64(seed: 1)
        var credentials = ICECredentials(random: &random)
        (credentials.fragment, credentials.password) = (fragment, password)
        return credentials
    }

    /// A check as browsers send it, of an ICE session named by both fragments.
    static func check(
        _ local: ICECredentials = local,
        remote: String = "them",
        role: STUNAttribute.Kind = .iceControlling,
        nominates: Bool = true,
        adding more: [STUNAttribute] = []
    ) -> [UInt8] {
        let attributes =
            [
                STUNAttribute(.username, Array("\(local.fragment):\(remote)".utf8)), STUNAttribute(role, Array(1...8)),
                STUNAttribute(.priority, [0x6e, 0, 1, 0xff]),
            ] + (nominates ? [STUNAttribute(.useCandidate, [])] : []) + more
        return STUNMessage.encode(
            .request,
            transaction: Array(1...12),
            attributes: attributes,
            password: local.password
        )
    }

    /// A message with the header's length and, at its end, integrity and fingerprint that are correct, so that what is behind these checks
    /// is reached, too.
    static func sealed(_ bytes: [UInt8], isAuthentic: Bool, password: String = local.password) -> [UInt8] {
        var message = bytes.count < 20 ? bytes + [UInt8](repeating: 0, count: 20 - bytes.count) : bytes
        message.padToFour()
        message = Array(message.prefix(4000))
        message[0] &= 0x3f
        message.replaceSubrange(4..<8, with: [0x21, 0x12, 0xa4, 0x42])
        if isAuthentic {
            message.replaceBigEndian(at: 2, with: UInt16(message.count - 20 + 24))
            message += [0, 8, 0, 20] + (MessageIntegrity.code(of: message, password: password) ?? [])
        }
        message.replaceBigEndian(at: 2, with: UInt16(message.count - 20 + 8))
        let fingerprint = CRC32.checksum(message) ^ 0x5354_554e
        message += [0x80, 0x28, 0, 4]
        message.appendBigEndian(fingerprint)
        return message
    }

    /// Modes of the target before messages, with and without their last two attributes.
    static var seeds: [[UInt8]] {
        let xor = Checks.sources.map { STUNAttribute.xorMappedAddress($0, transaction: Array(1...12)) }
        let messages = [
            check(), check(nominates: false), check(next, remote: "they"), check(role: .iceControlled),
            check(adding: xor), check(adding: [.error(.roleConflict), .unknownAttributes([.priority])]),
            check(adding: [STUNAttribute(.init(rawValue: 0x7f00), [1, 2, 3])]),
        ]
        return messages.map { [0] + $0 } + messages.map { [3] + $0.dropLast(32) }
            + messages.map { [7] + $0.dropLast(32) }
    }
}
