internal import Foundation
package import VoiceCore

/// Where a server with OpenAI's chat completions is: `http://host:port`, with or without the `/v1` behind it.
package struct CompletionAddress: Sendable, Equatable, CustomStringConvertible {
    /// The address of the interface, without a slash at its end: `http://host:8000/v1`.
    let base: String
    /// Where the same server tells of its health, as vLLM, SGLang, llama-server and `serve-llm` do: beside the `/v1`.
    package let healthURL: String
    /// Scheme, host and port, for people: what else is in an address may be secret.
    package let description: String

    /// Reads an address. Without a path it gets `/v1`.
    /// - Parameters:
    ///   - text: the address, as a person gave it.
    ///   - place: where it was given, for errors: the name of a variable or of a setting.
    /// - Throws: ``VoiceError/Code/usage`` when it is no such address.
    package init(_ text: String, from place: String) throws(VoiceError) {
        guard var parts = URLComponents(string: text), let scheme = parts.scheme?.lowercased(),
            ["http", "https"].contains(scheme), let host = parts.host, !host.isEmpty
        else {
            throw VoiceError(
                .usage,
                "\(place) is '\(text)': give the address of a server of language models, for example http://localhost:8000/v1"
            )
        }
        guard parts.user == nil, parts.password == nil, parts.query == nil, parts.fragment == nil else {
            throw VoiceError(
                .usage,
                "\(place) has a login or a query in it: give the key as a key, and nothing after the path"
            )
        }
        guard parts.port.map({ (1...65_535).contains($0) }) ?? true else {
            throw VoiceError(.usage, "\(place) is '\(text)': a port is from 1 to 65535")
        }
        while parts.percentEncodedPath.hasSuffix("/") { parts.percentEncodedPath.removeLast() }
        description = "\(scheme)://\(host)" + (parts.port.map { ":\($0)" } ?? "")
        if parts.percentEncodedPath.isEmpty { parts.percentEncodedPath = "/v1" }
        let base = parts.string ?? text
        self.base = base
        healthURL = (base.hasSuffix("/v1") ? String(base.dropLast("/v1".count)) : base) + "/health"
    }
}
