internal import VoiceCore

@testable internal import WebRTC

extension FuzzTarget {
    /// A whole peer in its table, behind the demultiplexer: any datagrams from three addresses, some with our password, later offers, time.
    ///
    /// Claims: an address that has not shown the password is sent nothing at all; what a strange address sends is never answered; a table
    /// remembers few addresses; a peer that is over waits for nothing.
    static let peer = FuzzTarget(name: "peer", seeds: { PeerCall.seeds }) { bytes in
        var input = FuzzInput(bytes)
        guard var call = try PeerCall() else { return }
        for _ in 0..<200 where !input.isAtEnd { try call.step(&input) }
    }
}

/// A peer that has answered an offer, and everything that strangers throw at it.
struct PeerCall {
    private static let identity = try? DTLSIdentity()

    private let peer: Peer
    private var table = PeerTable(capacity: 1)
    private var local: ICECredentials
    private var remote = "them"
    private var now = Duration.zero
    /// Addresses from which the password was shown.
    private var proven: Set<NetworkAddress> = []

    init?() throws {
        guard let identity = Self.identity else { return nil }
        peer = Peer(
            configuration: PeerConfiguration(identity: identity, addresses: Checks.sources),
            random: SplitMix64(seed: 1),
            at: .zero
        )
        local = Checks.local
        _ = try answer(SessionOffers.small)
    }

    /// Takes an offer; reads our names out of the answer.
    private mutating func answer(_ offer: String) throws -> Bool {
        guard let answer = try? peer.answer(offer, at: now) else { return false }
        try table.register(peer)
        let description = try SessionDescription(answer)
        for media in description.media where media.port != 0 {
            guard let fragment = media.attributes.value("ice-ufrag"), let password = media.attributes.value("ice-pwd"),
                let credentials = ICECredentials(fragment: fragment, password: password)
            else { continue }
            local = credentials
        }
        remote = (try? Offer(offer))?.credentials.fragment ?? remote
        return true
    }

    /// One event of the input.
    mutating func step(_ input: inout FuzzInput) throws {
        let kind = input.byte()
        let source = Checks.sources[Int(kind >> 4) % Checks.sources.count]
        switch kind & 0x07 {
        case 0, 1: try handle(input.block(), from: source)
        case 2: try handle(Checks.check(local, remote: remote, nominates: kind & 8 != 0), from: source)
        case 3:
            try handle(Checks.sealed(input.block(), isAuthentic: kind & 8 != 0, password: local.password), from: source)
        case 4:
            now += input.pause()
            _ = table.handleTimeout(at: now)
            try drain()
        case 5: _ = try answer(kind & 8 != 0 ? Self.restarting : String(decoding: input.block(), as: UTF8.self))
        case 6:
            peer.send(audio: input.block(), timestamp: 960, marker: false, at: now)
            peer.send(data: Array(repeating: 1, count: Int(input.byte()) * 6), at: now)
            try drain()
        default:
            if kind == 0xff { peer.close(at: now) }
            try drain()
        }
        try claim(table.byAddress.count <= ICELite.validLimit, "few addresses are remembered")
        if peer.state.isOver { try claim(peer.nextTimeout == nil, "a peer that is over waits for nothing") }
    }

    private mutating func handle(_ datagram: [UInt8], from source: NetworkAddress) throws {
        let wasProven = peer.isValid(source)
        _ = table.handle(datagram, from: source, at: now)
        if peer.isValid(source) { proven.insert(source) }
        let answers = try drain()
        let isCheck = STUNMessage(datagram)?.isAuthentic(password: local.password) == true
        guard !wasProven, !isCheck else { return }
        try claim(!peer.isValid(source), "an address is valid by the password only")
        try claim(answers.isEmpty, "a stranger gets no answer")
    }

    /// Takes what the peer sends, and who it is sent to: only those who showed the password.
    @discardableResult
    private mutating func drain() throws -> [Datagram] {
        var sent: [Datagram] = []
        while let output = peer.poll() {
            guard case .transmit(let datagram) = output else { continue }
            sent.append(datagram)
            try claim(datagram.bytes.count <= 1500, "datagrams are no longer than a network takes")
            let isRefusal = STUNMessage(datagram.bytes)?.kind == .failure
            try claim(
                isRefusal || proven.contains(datagram.destination),
                "nothing goes where nobody showed the password"
            )
        }
        return sent
    }

    private static let restarting = SessionOffers.small.replacing("them", with: "they")

    static let seeds: [[UInt8]] = {
        // What OpenSSL's client says first would be a seed of its own version; this has the form of a ClientHello's beginning.
        let hello: [UInt8] = [
            22, 254, 255, 0, 0, 0, 0, 0, 0, 0, 0, 0, 14, 1, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 2, 254, 253,
        ]
        let audio = FuzzInput.block(Media.packets[0].bytes)
        return [
            [2] + [0] + FuzzInput.block(hello) + [4, 0xf1] + [0] + audio + [6] + audio + [0] + [4, 0xff],
            [0x0a, 0x12, 0x2a, 13, 0x0a, 4, 0xf1, 4, 0xff, 7, 0xff],
            [11] + FuzzInput.block(Array(Checks.check().dropLast(32))) + [0x13] + FuzzInput.block(Checks.check()),
            [5] + FuzzInput.block(SessionOffers.seeds[1]) + [0x0a, 5] + FuzzInput.block(SessionOffers.seeds[2]),
        ]
    }()
}
