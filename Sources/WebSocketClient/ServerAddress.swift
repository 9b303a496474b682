internal import Foundation
package import VoiceCore

/// Where a WebSocket server is: `ws://host:port/path` or `wss://…`; `http` and `https` mean the same.
package struct ServerAddress: Sendable, Equatable, CustomStringConvertible {
    /// The host's name or address, IPv6 without brackets.
    package let host: String
    /// The port; 80 or 443 when none was given.
    package let port: Int
    /// Path and query as they stand in the request, at least `/`.
    package let path: String
    /// True for TLS.
    package let isSecure: Bool

    /// Reads an address.
    /// - Parameters:
    ///   - text: the address, as a person gave it.
    ///   - place: where it was given, for errors: the name of a variable or of a setting.
    ///   - example: an address as it should be, for errors.
    ///   - standardPath: the path when none is given.
    /// - Throws: `usage` when it is no such address.
    package init(
        _ text: String,
        from place: String,
        like example: String = "ws://localhost:8080",
        standardPath: String = "/"
    ) throws(VoiceError) {
        guard let parts = URLComponents(string: text), let scheme = parts.scheme?.lowercased(),
            ["ws", "wss", "http", "https"].contains(scheme), let host = parts.host, !host.isEmpty
        else {
            throw VoiceError(
                .usage,
                "\(place) is '\(text)': give the address of a speech server, for example \(example)"
            )
        }
        guard parts.user == nil, parts.password == nil else {
            throw VoiceError(.usage, "\(place) has a login in it, which speech servers do not take: remove it")
        }
        guard parts.port.map({ (1...65_535).contains($0) }) ?? true else {
            throw VoiceError(.usage, "\(place) is '\(text)': a port is from 1 to 65535")
        }
        self.host = host.trimmingCharacters(in: CharacterSet(charactersIn: "[]"))
        isSecure = scheme == "wss" || scheme == "https"
        port = parts.port ?? (isSecure ? 443 : 80)
        path =
            (["", "/"].contains(parts.percentEncodedPath) ? standardPath : parts.percentEncodedPath)
            + (parts.percentEncodedQuery.map { "?" + $0 } ?? "")
    }

    /// Host and port as a URL has them.
    package var authority: String { (host.contains(":") ? "[\(host)]" : host) + ":\(port)" }

    /// Where the same server tells of its health.
    package var healthURL: String { (isSecure ? "https://" : "http://") + authority + "/health" }

    /// The address without path and query, which may be secret.
    package var description: String { (isSecure ? "wss://" : "ws://") + authority }
}
