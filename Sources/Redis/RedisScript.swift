package import VoiceCore

/// A program in Lua that Redis runs in one piece.
///
/// Source: https://redis.io/docs/latest/develop/programmability/eval-intro/.
package struct RedisScript: Sendable {
    /// The program.
    package let text: String
    /// The name under which Redis keeps it: its SHA-1.
    package let digest: String

    /// Makes a script.
    package init(_ text: String) {
        self.text = text
        digest = SHA1.hexadecimal(of: Array(text.utf8))
    }
}

extension RedisClient {
    /// Runs a script, which goes over the wire only where the server does not know it.
    ///
    /// - Returns: what it returned, or the server's error.
    /// - Throws: as ``send(_:)``.
    package func run(
        _ script: RedisScript,
        keys: [String],
        arguments: [String]
    ) async throws(VoiceError) -> RESPValue {
        let rest = ["\(keys.count)"] + keys + arguments
        let reply = try await send(["EVALSHA", script.digest] + rest)
        guard case .failure(let problem) = reply, problem.hasPrefix("NOSCRIPT") else { return reply }
        return try await send(["EVAL", script.text] + rest)
    }
}
