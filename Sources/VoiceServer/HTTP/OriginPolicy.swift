/// Which web pages may open a conversation.
///
/// Browsers let any page open a WebSocket to any host, so the server has to ask where the page came from (RFC 6455
/// section 10.2). Without a header `Origin` the client is no browser and nothing is gained by refusing it.
struct OriginPolicy: Sendable {
    /// Further origins, for example `https://voice.example.org`; `*` allows every page.
    let allowed: Set<String>
    /// True if the server can only be reached from its own machine. Then a page whose host name merely resolves to this
    /// machine (DNS rebinding) is refused.
    let isLocalOnly: Bool

    init(allowed: [String], host: String) {
        self.allowed = Set(allowed.map { $0.lowercased() })
        isLocalOnly = Self.isLocal(host)
    }

    /// Judges a request by its headers `Origin` and `Host`.
    func allows(origin: String?, host: String?) -> Bool {
        guard let origin = origin?.lowercased() else { return true }
        if allowed.contains("*") || allowed.contains(origin) { return true }
        guard let page = Self.authority(ofOrigin: origin) else { return false }
        if Self.isLocal(page.host) { return true }
        guard !isLocalOnly, let host, let server = Self.split(host.lowercased()) else { return false }
        return page.host == server.host && page.port == (server.port ?? page.defaultPort)
    }

    /// True for the names and addresses by which a machine calls itself.
    static func isLocal(_ host: String) -> Bool {
        let host = host.lowercased()
        let bytes = host.split(separator: ".", omittingEmptySubsequences: false)
        let isIPv4 = bytes.count == 4 && bytes.allSatisfy { UInt8($0) != nil }
        return host == "localhost" || host.hasSuffix(".localhost") || host == "::1" || (isIPv4 && bytes.first == "127")
    }

    private static func authority(ofOrigin origin: String) -> (host: String, port: Int, defaultPort: Int)? {
        for (scheme, defaultPort) in [("http://", 80), ("https://", 443)] where origin.hasPrefix(scheme) {
            guard let (host, port) = split(String(origin.dropFirst(scheme.count))) else { return nil }
            return (host, port ?? defaultPort, defaultPort)
        }
        return nil
    }

    /// Splits `host`, `host:port`, `[address]` or `[address]:port`.
    private static func split(_ authority: String) -> (host: String, port: Int?)? {
        var rest = authority[...]
        var host = rest.prefix { $0 != ":" }
        if rest.first == "[" {
            guard let end = rest.firstIndex(of: "]") else { return nil }
            host = rest[rest.index(after: rest.startIndex)..<end]
            rest = rest[rest.index(after: end)...]
        } else {
            rest = rest[host.endIndex...]
        }
        guard !host.isEmpty, !host.contains("/") else { return nil }
        if rest.isEmpty { return (String(host), nil) }
        guard rest.first == ":", let port = UInt16(rest.dropFirst()) else { return nil }
        return (String(host), Int(port))
    }
}
