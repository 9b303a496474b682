/// Bytes that are to leave by UDP.
package struct Datagram: Hashable, Sendable {
    /// The payload.
    package var bytes: [UInt8]
    /// Where it goes.
    package var destination: NetworkAddress

    /// What handshakes keep to: any path of IPv6 carries 1,280 bytes (RFC 8200 section 5), less some for headers and tunnels.
    package static let sizeLimit = 1200

    /// Makes a datagram.
    package init(bytes: [UInt8], destination: NetworkAddress) {
        self.bytes = bytes
        self.destination = destination
    }
}
