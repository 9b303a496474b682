internal import NIOSSL
internal import ServerPool
internal import VoiceCore
internal import WebSocketClient

/// The servers that streams may be on: one, or the members of a pool.
struct SpeechServers: Sendable {
    let addresses: [ServerAddress]
    /// Chooses among several; nil for one.
    let pool: ServerPool?
    /// Those that cannot do what streams want.
    let unfit = UnfitServers()
    let tls: NIOSSLContext?

    /// - Throws: `unavailable` when the machine has no usable certificates for an address that wants them.
    init(_ addresses: [ServerAddress], pool: ServerPool?, roots: NIOSSLTrustRoots) throws(VoiceError) {
        self.addresses = addresses
        self.pool = pool
        var tls: NIOSSLContext?
        for address in addresses where tls == nil { tls = try WebSocketLink.tls(for: address, trusting: roots) }
        self.tls = tls
    }

    /// What people call them.
    var name: String { addresses.map(\.description).joined(separator: ", ") }
}
