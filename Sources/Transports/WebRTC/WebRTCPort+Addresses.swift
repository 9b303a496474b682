internal import NIOCore
internal import VoiceCore
internal import WebRTC

extension WebRTCPort.Configuration {
    /// Under which addresses people reach a port that is bound to `port`: those that are named, else those of this machine.
    ///
    /// - Throws: ``VoiceError/Code/usage`` when a named one is none, ``VoiceError/Code/unavailable`` when this machine has none.
    func addresses(port: Int) throws -> [NetworkAddress] {
        let port = UInt16(clamping: port)
        let named = try publicAddresses.map { text in
            guard let address = NetworkAddress(text, port: port) else {
                throw VoiceError(.usage, "\(text) is not an IP address; write for example 203.0.113.7")
            }
            return address
        }
        guard named.isEmpty else { return named }
        if let bound = NetworkAddress(host, port: port), !bound.bytes.allSatisfy({ $0 == 0 }) {
            return [bound]
        }
        let isEverywhere = NetworkAddress(host, port: port)
        let all = try System.enumerateDevices().compactMap(\.address).compactMap { NetworkAddress($0, port: port) }
        // Of names such as localhost only what they stand for would do; loopback always works on the machine itself.
        let found = all.filter {
            isEverywhere == nil ? $0.isLoopback : isEverywhere?.isVersion6 == true || !$0.isVersion6
        }
        let usable = found.filter { !$0.isLinkLocal }
        guard !usable.isEmpty else {
            throw VoiceError(.unavailable, "this machine has no address for WebRTC: name one with --public-address")
        }
        // People at other machines first; IPv4 before IPv6, because more networks carry it.
        return usable.enumerated().sorted { a, b in
            (a.element.isLoopback ? 1 : 0, a.element.isVersion6 ? 1 : 0, a.offset)
                < (b.element.isLoopback ? 1 : 0, b.element.isVersion6 ? 1 : 0, b.offset)
        }.map(\.element)
    }
}

extension NetworkAddress {
    /// The address of a socket; nil if it has none.
    /// - Parameter port: nil for the socket's own.
    init?(_ address: SocketAddress, port: UInt16? = nil) {
        guard let text = address.ipAddress else { return nil }
        self.init(text, port: port ?? UInt16(clamping: address.port ?? 0))
    }

    /// The address as a socket of the family of `local` writes it.
    func socketAddress(for local: SocketAddress?) -> SocketAddress? {
        var bytes = bytes
        if case .v6? = local, !isVersion6 { bytes = [UInt8](repeating: 0, count: 10) + [0xff, 0xff] + bytes }
        return try? SocketAddress(packedIPAddress: ByteBuffer(bytes: bytes), port: Int(port))
    }

    fileprivate var isLoopback: Bool { isVersion6 ? bytes == [UInt8](repeating: 0, count: 15) + [1] : bytes[0] == 127 }

    /// RFC 3927 and RFC 4291 section 2.5.6: good on one cable only, and IPv6's need a zone that candidates have not.
    fileprivate var isLinkLocal: Bool {
        isVersion6 ? bytes[0] == 0xfe && bytes[1] & 0xc0 == 0x80 : bytes[0] == 169 && bytes[1] == 254
    }
}
