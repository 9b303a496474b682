internal import COpenSSL
internal import VoiceCore

/// What OpenSSL has to say about its last failure on this thread.
enum OpenSSLError {
    /// Forgets older failures; to be called before an operation whose failure is to be told.
    static func clear() { ERR_clear_error() }

    /// Takes the failures of the last operation, the innermost first, as text.
    static func take() -> String {
        var reasons: [String] = []
        while case let code = ERR_get_error(), code != 0 {
            if let reason = ERR_reason_error_string(code) { reasons.append(String(cString: reason)) }
        }
        return reasons.isEmpty ? "no reason given" : reasons.joined(separator: ", ")
    }

    /// A fault: OpenSSL does not do what it always does.
    static func fault(_ doing: String) -> VoiceError { VoiceError(.fault, "OpenSSL cannot \(doing): \(take())") }
}
