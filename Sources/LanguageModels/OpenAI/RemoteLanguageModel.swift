package import ServerPool
package import VoiceCore

/// A language model on a server with OpenAI's chat completions: vLLM, SGLang, llama-server, NIM, OpenAI itself, `serve-llm`.
///
/// With several servers each chat stays with one, which remembers it, as long as that is there and has room.
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
    package var contextLength: Int { servers.configuration.contextLength }

    private let servers: CompletionServers

    /// Asks a server which models it has.
    /// - Throws: ``VoiceError/Code/unavailable`` when it cannot be reached, or has not got the model.
    package init(address: CompletionAddress, configuration: Configuration = Configuration()) async throws(VoiceError) {
        try await self.init([address], pool: nil, configuration: configuration)
    }

    /// Asks the servers of a pool which models they have.
    /// - Parameters:
    ///   - addresses: where they are, in the order of the pool.
    ///   - pool: chooses among them; nil for one.
    ///   - warn: told of a server that cannot be used, or not yet.
    /// - Throws: ``VoiceError/Code/unavailable`` when none can be reached, or has the model.
    package init(
        _ addresses: [CompletionAddress],
        pool: ServerPool?,
        configuration: Configuration = Configuration(),
        warn: @escaping @Sendable (String) -> Void = { _ in }
    ) async throws(VoiceError) {
        servers = CompletionServers(
            addresses,
            pool: pool,
            configuration: configuration,
            clock: SystemClock(),
            warn: warn
        )
        name = try await servers.prepare()
    }

    package func openChat() async throws(VoiceError) -> any Chat { RemoteChat(servers) }
}
