/// What all peers of a process share.
package struct PeerConfiguration: Sendable {
    /// Our key and certificate.
    package var identity: DTLSIdentity
    /// Where browsers can reach our port, best first; at least one.
    package var addresses: [NetworkAddress]
    /// Our CNAME, and the name of our stream on the page; a token of SDP (RFC 8866 section 9).
    package var name = "repartee"
    /// The largest message that we take over a data channel, in bytes.
    package var messageLimit = 262_144
    /// How long a browser may take from its offer to the end of the DTLS handshake.
    package var connectTimeout = Duration.seconds(30)
    /// How long a browser may be silent: without a check for this long its consent is gone (RFC 7675 section 5.1).
    package var consentTimeout = Duration.seconds(30)

    /// Makes a configuration with the defaults.
    ///
    /// - Precondition: `addresses` is not empty.
    package init(identity: DTLSIdentity, addresses: [NetworkAddress]) {
        precondition(!addresses.isEmpty, "a peer has to be reachable")
        self.identity = identity
        self.addresses = addresses
    }
}
