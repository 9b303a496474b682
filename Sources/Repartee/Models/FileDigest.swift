internal import COpenSSL
internal import Foundation
internal import VoiceCore

/// SHA-256 of files, by OpenSSL.
enum FileDigest {
    /// The digest in lower-case hexadecimal.
    ///
    /// Reads the file once, a megabyte at a time.
    /// - Throws: ``VoiceError/Code/missingInput`` when the file cannot be read.
    static func sha256(path: String) throws(VoiceError) -> String {
        guard let file = FileHandle(forReadingAtPath: path) else {
            throw VoiceError(.missingInput, "\(path) cannot be read")
        }
        defer { try? file.close() }
        guard let context = EVP_MD_CTX_new() else { throw VoiceError(.fault, "OpenSSL has no memory for a digest") }
        defer { EVP_MD_CTX_free(context) }
        guard EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else {
            throw VoiceError(.fault, "OpenSSL has no SHA-256")
        }
        do {
            while let block = try file.read(upToCount: 1 << 20), !block.isEmpty {
                _ = block.withUnsafeBytes { EVP_DigestUpdate(context, $0.baseAddress, $0.count) }
            }
        } catch {
            throw VoiceError(.missingInput, "\(path) cannot be read to its end", cause: error)
        }
        var digest = [UInt8](repeating: 0, count: 32)
        var length: UInt32 = 0
        EVP_DigestFinal_ex(context, &digest, &length)
        return digest.map { byte in
            let text = String(byte, radix: 16)
            return byte < 16 ? "0" + text : text
        }.joined()
    }
}
