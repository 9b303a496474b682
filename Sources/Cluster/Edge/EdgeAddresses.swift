internal import NIOCore
internal import NIOPosix

/// Turns the addresses of workers into those that HAProxy takes: at run time it resolves no names.
struct EdgeAddresses: Sendable {
    private struct Answer {
        var endpoint: EdgeEndpoint?
        var end: Duration
    }

    /// How long an answer of the name service holds, good or bad.
    static let lifetime = Duration.seconds(5)

    private var known: [String: Answer] = [:]
    private let lookUp: @Sendable (String, Int) async -> EdgeEndpoint?

    /// - Parameter lookUp: asks the name service for an address of a host; nil if there is none.
    init(lookUp: @escaping @Sendable (String, Int) async -> EdgeEndpoint? = EdgeAddresses.system) {
        self.lookUp = lookUp
    }

    /// The endpoints of those addresses that have one. A name that cannot be resolved any more keeps the last one.
    mutating func endpoints(of addresses: Set<String>, at now: Duration) async -> [String: EdgeEndpoint] {
        known = known.filter { addresses.contains($0.key) }
        let old = addresses.filter { address in known[address].map { $0.end <= now } ?? true }
        let found = await withTaskGroup(of: (String, EdgeEndpoint?).self) { [lookUp] group in
            for address in old { group.addTask { (address, await Self.endpoint(of: address, lookUp)) } }
            return await group.reduce(into: [:]) { found, answer in found[answer.0] = answer.1 }
        }
        for address in old {
            known[address] = Answer(endpoint: found[address] ?? known[address]?.endpoint, end: now + Self.lifetime)
        }
        return known.compactMapValues(\.endpoint)
    }

    /// Reads `host:port`; an address in IPv6 stands in brackets.
    private static func endpoint(
        of text: String,
        _ lookUp: @Sendable (String, Int) async -> EdgeEndpoint?
    ) async -> EdgeEndpoint? {
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
            (1...Int(UInt16.max)).contains(port)
        else { return nil }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        guard !host.isEmpty else { return nil }
        // Written again, so that it looks as HAProxy writes it.
        if let address = try? SocketAddress(ipAddress: String(host), port: port).ipAddress {
            return EdgeEndpoint(address: address, port: port)
        }
        return await lookUp(String(host), port)
    }

    /// Asks the system's name service, on a thread that may wait.
    @Sendable
    private static func system(_ host: String, _ port: Int) async -> EdgeEndpoint? {
        let address = try? await NIOThreadPool.singleton.runIfActive {
            try SocketAddress.makeAddressResolvingHost(host, port: port).ipAddress
        }
        return address.flatMap { $0 }.map { EdgeEndpoint(address: $0, port: port) }
    }
}
