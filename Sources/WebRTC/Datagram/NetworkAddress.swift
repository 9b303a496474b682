#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// An IP address and a UDP port. An IPv4 address that arrives in IPv6 clothes (RFC 4291 section 2.5.5.2) is an IPv4 address.
package struct NetworkAddress: Hashable, Sendable, CustomStringConvertible {
    /// True for IPv6.
    package let isVersion6: Bool
    /// The port.
    package let port: UInt16
    /// The address as one number, in two halves: every datagram brings one, and a number needs no memory of its own.
    private let high: UInt64
    private let low: UInt64

    /// The upper 96 bits of an IPv4 address in IPv6 clothes are this.
    private static let mapped: UInt64 = 0xffff

    private init(isVersion6: Bool, high: UInt64, low: UInt64, port: UInt16) {
        self.isVersion6 = isVersion6
        self.high = high
        self.low = low
        self.port = port
    }

    /// Makes an address from 4 or 16 bytes in network byte order; nil for any other count.
    package init?(bytes: [UInt8], port: UInt16) {
        guard bytes.count == 4 || bytes.count == 16 else { return nil }
        func number(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }
        let high = bytes.count == 4 ? 0 : number(bytes[..<8])
        let low = number(bytes.suffix(8))
        let isMapped = bytes.count == 16 && high == 0 && low >> 32 == Self.mapped
        self.init(
            isVersion6: bytes.count == 16 && !isMapped,
            high: high,
            low: isMapped ? low & 0xffff_ffff : low,
            port: port
        )
    }

    /// The address in network byte order: 4 or 16 bytes.
    package var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(16)
        guard isVersion6 else {
            bytes.appendBigEndian(UInt32(truncatingIfNeeded: low))
            return bytes
        }
        bytes.appendBigEndian(high)
        bytes.appendBigEndian(low)
        return bytes
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
