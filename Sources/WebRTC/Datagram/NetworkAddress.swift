#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// An IP address and a UDP port. An IPv4 address that arrives in IPv6 clothes (RFC 4291 section 2.5.5.2) is an IPv4 address.
package struct NetworkAddress: Hashable, Sendable, CustomStringConvertible {
    /// The address in network byte order: 4 or 16 bytes.
    package let bytes: [UInt8]
    /// The port.
    package let port: UInt16

    private static let mappedPrefix: [UInt8] = [UInt8](repeating: 0, count: 10) + [0xff, 0xff]

    /// Makes an address from 4 or 16 bytes in network byte order; nil for any other count.
    package init?(bytes: [UInt8], port: UInt16) {
        guard bytes.count == 4 || bytes.count == 16 else { return nil }
        let isMapped = bytes.count == 16 && bytes.starts(with: Self.mappedPrefix)
        self.bytes = isMapped ? Array(bytes.suffix(4)) : bytes
        self.port = port
    }

    /// Makes an address from its text, `192.0.2.1` or `2001:db8::1`; nil when it is neither. Names are not looked up.
    package init?(_ text: String, port: UInt16) {
        for (family, count) in [(AF_INET, 4), (AF_INET6, 16)] {
            var bytes = [UInt8](repeating: 0, count: count)
            if inet_pton(family, text, &bytes) == 1 {
                self.init(bytes: bytes, port: port)
                return
            }
        }
        return nil
    }

    /// True for IPv6.
    package var isVersion6: Bool { bytes.count == 16 }

    /// The address without the port, IPv6 as RFC 5952 writes it.
    package var host: String {
        // 46 bytes: INET6_ADDRSTRLEN.
        var text = [CChar](repeating: 0, count: 46)
        guard inet_ntop(isVersion6 ? AF_INET6 : AF_INET, bytes, &text, socklen_t(text.count)) != nil else { return "" }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Host and port: `192.0.2.1:5000`, `[2001:db8::1]:5000`.
    package var description: String { isVersion6 ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
