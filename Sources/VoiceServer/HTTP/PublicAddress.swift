internal import NIOHTTP1

/// Under which address people reach the server: the configured one, else the one by which a request came.
struct PublicAddress: Sendable, Equatable {
    /// `http` or `https`.
    let scheme: String
    /// Host and perhaps port, with the configured path behind it; without a slash at its end.
    let authority: String

    /// Reads a configured address, for example `https://voice.example.org`; nil if it is none.
    init?(_ url: String) {
        for scheme in ["http", "https"] where url.lowercased().hasPrefix(scheme + "://") {
            var rest = url.dropFirst(scheme.count + 3)
            while rest.last == "/" { rest.removeLast() }
            guard !rest.isEmpty, rest.utf8.allSatisfy(Self.isAddressByte), !rest.hasPrefix("/") else { return nil }
            self.scheme = scheme
            authority = String(rest)
            return
        }
        return nil
    }

    /// Takes the address from a request's headers, a proxy's `X-Forwarded-Proto` included; nil without a well-formed `Host`.
    init?(_ head: HTTPRequestHead) {
        guard let host = head.headers.first(name: "host"), !host.isEmpty, host.utf8.count <= 256,
            host.utf8.allSatisfy({ Self.isAddressByte($0) && $0 != UInt8(ascii: "/") })
        else { return nil }
        scheme = head.headers.first(name: "x-forwarded-proto")?.lowercased() == "https" ? "https" : "http"
        authority = host
    }

    /// The address of a page.
    func url(_ path: String) -> String { "\(scheme)://\(authority)\(path)" }

    /// The address of a WebSocket.
    func webSocket(_ path: String) -> String { "\(scheme == "https" ? "wss" : "ws")://\(authority)\(path)" }

    private static func isAddressByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: ":"),
            UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: "_"), UInt8(ascii: "/"), UInt8(ascii: "~"):
            true
        default: false
        }
    }
}
