internal import COpenSSL

/// Signatures of webhooks, by OpenSSL.
enum Signature {
    /// A digest for message authentication.
    enum Digest {
        /// 20 bytes.
        case sha1
        /// 32 bytes.
        case sha256
    }

    /// The message authentication code of RFC 2104; nil only if OpenSSL has no such digest.
    static func hmac(_ digest: Digest, key: String, _ message: String) -> [UInt8]? {
        let key = Array(key.utf8)
        let message = Array(message.utf8)
        var code = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var length: UInt32 = 0
        // Pointers and counts are of the same arrays; the code has room for every digest.
        let done = unsafe HMAC(
            digest == .sha1 ? EVP_sha1() : EVP_sha256(),
            key,
            Int32(clamping: key.count),
            message,
            message.count,
            &code,
            &length
        )
        guard unsafe done != nil else { return nil }
        return Array(code.prefix(Int(length)))
    }

    /// Checks a signature of RFC 8032, Ed25519; false for keys and signatures of another length, too.
    static func isEd25519(_ signature: [UInt8], of message: [UInt8], by key: [UInt8]) -> Bool {
        guard key.count == 32, signature.count == 64 else { return false }
        // Pointers and counts are of the same arrays; what is made here is freed here.
        guard let publicKey = unsafe EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nil, key, key.count) else {
            return false
        }
        defer { unsafe EVP_PKEY_free(publicKey) }
        guard let context = unsafe EVP_MD_CTX_new() else { return false }
        defer { unsafe EVP_MD_CTX_free(context) }
        guard unsafe EVP_DigestVerifyInit(context, nil, nil, nil, publicKey) == 1 else { return false }
        return unsafe EVP_DigestVerify(context, signature, signature.count, message, message.count) == 1
    }

    /// Compares without telling by the time it takes how much is equal.
    static func isEqual(_ first: [UInt8], _ second: [UInt8]) -> Bool {
        guard first.count == second.count else { return false }
        return zip(first, second).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
