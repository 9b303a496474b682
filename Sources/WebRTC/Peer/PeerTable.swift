package import VoiceCore

/// Finds the peer that a datagram is for, where all peers share one UDP port.
///
/// A check carries the name of its peer; where an authentic one came from belongs to that peer from then on, for everything else.
/// Like a ``Peer`` it has one owner and neither socket nor clock.
package struct PeerTable {
    private struct Entry {
        let peer: Peer
        var fragments: Set<String> = []
        var addresses: Set<NetworkAddress> = []
    }

    /// Datagrams that were for nobody.
    package private(set) var strays = 0

    private let capacity: Int
    private var entries: [ObjectIdentifier: Entry] = [:]
    private var byFragment: [String: ObjectIdentifier] = [:]
    private(set) var byAddress: [NetworkAddress: ObjectIdentifier] = [:]

    /// Makes a table for at most `capacity` peers.
    package init(capacity: Int) { self.capacity = capacity }

    /// The peers.
    package var peers: [Peer] { entries.values.map(\.peer) }

    /// Enters a peer that has answered an offer, or enters its new names after a later one.
    ///
    /// - Throws: ``VoiceError/Code/exhausted`` when the table is full.
    package mutating func register(_ peer: Peer) throws(VoiceError) {
        let key = ObjectIdentifier(peer)
        guard entries[key] != nil || entries.count < capacity else {
            throw VoiceError(.exhausted, "there are \(capacity) connections already: try again later")
        }
        var entry = entries[key] ?? Entry(peer: peer)
        for fragment in entry.fragments { byFragment[fragment] = nil }
        entry.fragments = Set(peer.fragments)
        for fragment in entry.fragments { byFragment[fragment] = key }
        entries[key] = entry
    }

    /// Forgets a peer.
    package mutating func remove(_ peer: Peer) {
        guard let entry = entries.removeValue(forKey: ObjectIdentifier(peer)) else { return }
        for fragment in entry.fragments { byFragment[fragment] = nil }
        for address in entry.addresses { byAddress[address] = nil }
    }

    /// Gives a datagram to the peer it is for.
    ///
    /// - Returns: the peer, whose outputs are then to be drained; nil when it is for nobody.
    package mutating func handle(_ datagram: [UInt8], from source: NetworkAddress, at now: Duration) -> Peer? {
        guard let key = owner(of: datagram, from: source), let peer = entries[key]?.peer else {
            strays += 1
            return nil
        }
        peer.handle(datagram, from: source, at: now)
        if peer.isValid(source), byAddress[source] != key { claim(source, for: key, peer) }
        return peer
    }

    /// Gives the time to all peers that wait for it.
    ///
    /// - Returns: the peers whose outputs are to be drained.
    package func handleTimeout(at now: Duration) -> [Peer] {
        let due = peers.filter { $0.nextTimeout.map { $0 <= now } ?? false }
        for peer in due { peer.handleTimeout(at: now) }
        return due
    }

    /// When ``handleTimeout(at:)`` is to be called next; nil without peers that wait for anything.
    package var nextTimeout: Duration? { entries.values.compactMap(\.peer.nextTimeout).min() }

    private func owner(of datagram: [UInt8], from source: NetworkAddress) -> ObjectIdentifier? {
        guard DatagramKind(datagram) == .stun else { return byAddress[source] }
        return STUNMessage.localFragment(of: datagram).flatMap { byFragment[$0] }
    }

    /// Gives an address to a peer, and frees those that the peer has forgotten, so that no peer owns more than it remembers.
    private mutating func claim(_ source: NetworkAddress, for key: ObjectIdentifier, _ peer: Peer) {
        if let previous = byAddress[source] { entries[previous]?.addresses.remove(source) }
        byAddress[source] = key
        for address in entries[key]?.addresses ?? [] where !peer.isValid(address) {
            byAddress[address] = nil
            entries[key]?.addresses.remove(address)
        }
        entries[key]?.addresses.insert(source)
    }
}
