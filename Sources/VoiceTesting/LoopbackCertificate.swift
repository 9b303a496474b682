package import NIOSSL

/// A certificate for `localhost` and its key, made for these tests; they protect nothing.
package enum LoopbackCertificate {
    // openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 36500 -subj /CN=localhost
    //   -addext subjectAltName=DNS:localhost,IP:127.0.0.1
    /// The certificate.
    package static let certificate = """
        -----BEGIN CERTIFICATE-----
        MIIBmzCCAUGgAwIBAgIUBBWw+EwiRJL6RccqWEArBj79fCQwCgYIKoZIzj0EAwIw
        FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyNTE4MTUxMloYDzIxMjYxMTAx
        MTgxNTEyWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
        PQMBBwNCAARVxxHWRzLpX/aos+Ft4lcl+sigmToGlbL0nwXOfTiPVzv9TwPoAkXg
        NyYli2FiNN2ykdYbpuz/j8t3t0K+duAto28wbTAdBgNVHQ4EFgQUt/1ODG8Cd+YV
        rmAIzo5AYh5L8pIwHwYDVR0jBBgwFoAUt/1ODG8Cd+YVrmAIzo5AYh5L8pIwDwYD
        VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
        zj0EAwIDSAAwRQIgf/Nzy9kwtEaRo4BRaXmoemLwngXn2In83Pr6LcgzJnQCIQDN
        1m2QEq3VEAGZmn9kqkuQvUXoytwQWdPtQTOrkE7/kg==
        -----END CERTIFICATE-----
        """
    /// Its key.
    package static let key = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgmvexMz9iuFmLalPn
        CankLGuZiNGoLj/h7AsXJ7nhJdShRANCAARVxxHWRzLpX/aos+Ft4lcl+sigmToG
        lbL0nwXOfTiPVzv9TwPoAkXgNyYli2FiNN2ykdYbpuz/j8t3t0K+duAt
        -----END PRIVATE KEY-----
        """

    /// What a client must trust.
    package static func roots() throws -> NIOSSLTrustRoots {
        .certificates([try NIOSSLCertificate(bytes: Array(certificate.utf8), format: .pem)])
    }

    /// Puts TLS in front of a server's pipeline.
    package static func serverContext() throws -> NIOSSLContext {
        try NIOSSLContext(
            configuration: .makeServerConfiguration(
                certificateChain: [.certificate(try NIOSSLCertificate(bytes: Array(certificate.utf8), format: .pem))],
                privateKey: .privateKey(try NIOSSLPrivateKey(bytes: Array(key.utf8), format: .pem))
            )
        )
    }
}
