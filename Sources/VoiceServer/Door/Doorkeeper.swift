internal import Cluster
internal import NIOHTTP1
internal import VoiceCore

/// Tells who may begin a conversation, or come back into one.
///
/// Without keys everybody may begin. With keys whoever shows one may, and whoever has a token that one of the owners, or this
/// server, signed. A place that was reserved admits who knows its name: nobody can guess it, and it is good for once. Coming
/// back always takes a token.
struct Doorkeeper: Sendable {
    /// A visitor who may come in.
    struct Pass: Sendable, Equatable {
        /// The conversation; nil for a new one without a name yet.
        var session: String?
        /// Whether it goes on from what was said before.
        var returns = false
        /// Whose key let the visitor in.
        var key: String?
        /// What the visitor showed and has not spent yet.
        var token: SessionToken?
    }

    private let secrets: [(name: String, code: [UInt8])]
    private let salt: String
    let mint: TokenMint
    private let directory: any SessionDirectory

    /// Whether keys are used at all.
    var asksForKeys: Bool { !secrets.isEmpty }

    init(keys: [APIKey], mint: TokenMint, directory: any SessionDirectory) {
        let salt = String(UInt64.random(in: .min ... .max), radix: 36)
        self.salt = salt
        secrets = keys.compactMap { key in Signature.hmac(.sha256, key: salt, key.secret).map { (key.name, $0) } }
        self.mint = mint
        self.directory = directory
    }

    /// The owner of the key that a request shows; nil if no key is needed.
    func owner(_ head: HTTPRequestHead) throws(Refusal) -> String? {
        guard asksForKeys else { return nil }
        guard let shown = bearer(head) else {
            throw .unauthorized("this server wants a key: send it as 'Authorization: Bearer KEY'")
        }
        guard let name = owner(of: shown) else { throw .unauthorized("the key is not one of this server's") }
        return name
    }

    /// Judges a request for a conversation. A token is looked at, not spent: who finds no room may show it again.
    ///
    /// - Parameters:
    ///   - session: the conversation that its address names; nil for a new one.
    ///   - token: what its address carries; without it the header counts.
    ///   - isExpected: whether a place is reserved for the conversation.
    func admit(
        _ head: HTTPRequestHead,
        session: String?,
        token: String?,
        isExpected: Bool
    ) async throws(Refusal) -> Pass {
        if let token { return try await pass(token, session) }
        // A JSON Web Token has two dots (RFC 7519 section 3).
        if let shown = bearer(head), shown.split(separator: ".", omittingEmptySubsequences: false).count == 3,
            owner(of: shown) == nil
        {
            return try await pass(shown, session)
        }
        if isExpected { return Pass(session: session) }
        // Where everybody may begin, whoever comes too late for a place begins without it, under another name.
        guard session == nil || !asksForKeys else {
            throw .unauthorized("the place is no longer kept; coming back into a conversation takes its token")
        }
        return Pass(key: try owner(head))
    }

    private func pass(_ text: String, _ session: String?) async throws(Refusal) -> Pass {
        let token = try await mint.read(text, for: session)
        return Pass(session: session, returns: token.use == .resume, key: token.key, token: token)
    }

    /// Spends a visitor's token, once there is room.
    func spend(_ pass: Doorkeeper.Pass) async throws(Refusal) {
        guard let token = pass.token else { return }
        let isFresh: Bool
        do { isFresh = try await directory.spend(token.id, for: mint.rest(of: token)) } catch {
            throw .unavailable(error.message)
        }
        guard isFresh else { throw .forbidden("the token was used before; it is good for once") }
    }

    private func owner(of shown: String) -> String? {
        guard let code = Signature.hmac(.sha256, key: salt, shown) else { return nil }
        return secrets.first { Signature.isEqual($0.code, code) }?.name
    }

    /// What a request's header `Authorization` bears (RFC 6750 section 2.1), or its `X-API-Key`.
    private func bearer(_ head: HTTPRequestHead) -> String? {
        guard let value = head.headers.first(name: "authorization") else {
            return head.headers.first(name: "x-api-key")
        }
        let parts = value.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
        return String(parts[1]).trimmed
    }
}
