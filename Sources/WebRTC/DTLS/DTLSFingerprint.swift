internal import COpenSSL

/// The hash of a certificate, as an offer and an answer carry it (RFC 8122 section 5).
package struct DTLSFingerprint: Hashable, Sendable, CustomStringConvertible {
    /// The hash functions we trust, weakest first. SHA-1 and MD5 are not among them (RFC 8827 section 6.5 asks for SHA-256).
    package enum Algorithm: String, CaseIterable, Sendable {
        case sha256 = "sha-256"
        case sha384 = "sha-384"
        case sha512 = "sha-512"

        /// Bytes of a digest.
        var length: Int {
            switch self {
            case .sha256: 32
            case .sha384: 48
            case .sha512: 64
            }
        }

        fileprivate var digest: OpaquePointer? {
            switch self {
            case .sha256: EVP_sha256()
            case .sha384: EVP_sha384()
            case .sha512: EVP_sha512()
            }
        }
    }

    /// The hash function.
    package let algorithm: Algorithm
    /// The digest, as many bytes as the hash function makes.
    package let digest: [UInt8]

    /// Parses the value of `a=fingerprint`, such as `sha-256 12:AB:…`; nil when it is malformed or of another hash function.
    package init?(_ text: some StringProtocol) {
        let words = text.split(separator: " ")
        guard words.count == 2, let algorithm = Algorithm(rawValue: words[0].lowercased()) else { return nil }
        let pairs = words[1].split(separator: ":", omittingEmptySubsequences: false)
        let digest = pairs.compactMap { pair in
            pair.utf8.count == 2 && pair.allSatisfy(\.isHexDigit) ? UInt8(pair, radix: 16) : nil
        }
        guard pairs.count == algorithm.length, digest.count == pairs.count else { return nil }
        self.algorithm = algorithm
        self.digest = digest
    }

    /// Hashes a certificate of OpenSSL; nil without memory.
    init?(_ algorithm: Algorithm, certificate: OpaquePointer) {
        var digest = [UInt8](repeating: 0, count: algorithm.length)
        var count = UInt32(0)
        guard X509_digest(certificate, algorithm.digest, &digest, &count) == 1, count == digest.count else {
            return nil
        }
        self.algorithm = algorithm
        self.digest = digest
    }

    /// The value of `a=fingerprint`, with upper-case digits.
    package var description: String {
        let pairs = digest.map { byte in
            let text = String(byte, radix: 16, uppercase: true)
            return byte < 16 ? "0" + text : text
        }
        return "\(algorithm.rawValue) \(pairs.joined(separator: ":"))"
    }
}

extension [DTLSFingerprint] {
    /// True if the certificate is one of those that the fingerprints of the strongest hash function name
    /// (RFC 8122 section 5.1: several of one function name several certificates).
    func match(certificate: OpaquePointer) -> Bool {
        guard
            let strongest = DTLSFingerprint.Algorithm.allCases.last(where: { algorithm in
                contains { $0.algorithm == algorithm }
            }), let actual = DTLSFingerprint(strongest, certificate: certificate)
        else { return false }
        return contains(actual)
    }
}
