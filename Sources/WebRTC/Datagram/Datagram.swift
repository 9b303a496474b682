/// Bytes that are to leave by UDP.
package struct Datagram: Hashable, Sendable {
    /// The payload, at most ``Datagram/sizeLimit`` bytes unless somebody asked for more.
    package var bytes: [UInt8]
    /// Where it goes.
    package var destination: NetworkAddress

    /// What fits any path of IPv6 (1,280 bytes, RFC 8200 section 5) with the headers of IP and UDP and some room for tunnels.
    package static let sizeLimit = 1200

    /// Makes a datagram.
    package init(bytes: [UInt8], destination: NetworkAddress) {
        self.bytes = bytes
        self.destination = destination
    }
}
