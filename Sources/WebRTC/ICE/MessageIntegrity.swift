internal import COpenSSL

/// STUN's MESSAGE-INTEGRITY: HMAC-SHA1 (RFC 8489 section 14.5).
enum MessageIntegrity {
    /// Bytes of the code.
    static let length = 20

    /// The code of `bytes` under a short-term password; nil only if OpenSSL lacks SHA-1.
    static func code(of bytes: [UInt8], password: String) -> [UInt8]? {
        let key = Array(password.utf8)
        var code = [UInt8](repeating: 0, count: length)
        var count = UInt32(length)
        guard HMAC(EVP_sha1(), key, Int32(key.count), bytes, bytes.count, &code, &count) != nil else { return nil }
        return code
    }

    /// Compares two codes in a time that does not tell where they differ.
    static func areEqual(_ one: [UInt8], _ other: [UInt8]) -> Bool {
        one.count == other.count && CRYPTO_memcmp(one, other, one.count) == 0
    }
}
