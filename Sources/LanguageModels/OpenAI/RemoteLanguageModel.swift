package import VoiceCore

/// A language model on a server with OpenAI's chat completions: vLLM, SGLang, llama-server, NIM, OpenAI itself, `serve-llm`.
package struct RemoteLanguageModel: LanguageModel {
    /// How a server is spoken to.
    package struct Configuration: Sendable {
        /// The model's name there; nil for the first one that the server lists.
        package var model: String?
        /// The key, if the server wants one.
        package var key: String?
        /// Tokens that one conversation can have: more is left out by whole turns, four bytes counted as a token.
        package var contextLength: Int
        /// From the request to the head of the answer, the connection included, and from there to the first piece.
        package var firstTokenTimeout: Duration
        /// Between two pieces.
        package var tokenTimeout: Duration
        /// Whether conversations are sent ahead of need, for servers that keep prefixes: costs a token each time.
        package var prefills: Bool

        /// Makes a configuration.
        package init(
            model: String? = nil,
            key: String? = nil,
            contextLength: Int = 32_768,
            firstTokenTimeout: Duration = .seconds(10),
            tokenTimeout: Duration = .seconds(10),
            prefills: Bool = false
        ) {
            self.model = model
            self.key = key
            self.contextLength = contextLength
            self.firstTokenTimeout = firstTokenTimeout
            self.tokenTimeout = tokenTimeout
            self.prefills = prefills
        }
    }

    /// The model's name on the server.
    package let name: String
    package var contextLength: Int { server.configuration.contextLength }

    private let server: CompletionServer

    /// Asks the server which models it has.
    /// - Throws: ``VoiceError/Code/unavailable`` when it cannot be reached, or has not got the model.
    package init(address: CompletionAddress, configuration: Configuration = Configuration()) async throws(VoiceError) {
        let server = CompletionServer(address: address, configuration: configuration)
        let models = try await server.models()
        if let wanted = configuration.model, !wanted.isEmpty {
            // A server that lists nothing may have it all the same.
            guard models.isEmpty || models.contains(wanted) else {
                throw VoiceError(
                    .unavailable,
                    "the language model '\(wanted)' is not on \(address); it has \(models.prefix(20).joined(separator: ", "))"
                )
            }
            name = wanted
        } else {
            guard let first = models.first else {
                throw VoiceError(.unavailable, "\(address) lists no language model: name one")
            }
            name = first
        }
        self.server = server
    }

    package func openChat() async throws(VoiceError) -> any Chat { RemoteChat(server: server, model: name) }
}
