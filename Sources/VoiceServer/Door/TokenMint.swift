internal import Foundation
internal import JWTKit
internal import VoiceCore

/// Makes and reads session tokens with one secret.
struct TokenMint: Sendable {
    /// How long a token to begin is valid.
    static let startLifetime = Duration.seconds(60)
    /// How long one to come back is valid. It is useless once the conversation is forgotten, which is much sooner.
    static let resumeLifetime = Duration.seconds(24 * 3600)
    /// The longest token that is read.
    private static let longest = 2048

    private let keys: JWTKeyCollection
    /// The seconds since 1970.
    private let date: @Sendable () -> Double

    /// - Parameter secret: shared by all who make or read tokens; nil for one that only this process knows.
    init(secret: String?, date: @escaping @Sendable () -> Double) async {
        let random = (0..<4).map { _ in String(UInt64.random(in: .min ... .max), radix: 36) }.joined()
        keys = await JWTKeyCollection().add(hmac: HMACKey(from: secret ?? random), digestAlgorithm: .sha256)
        self.date = date
    }

    /// Makes a token.
    func make(_ use: SessionToken.Use, session: String, key: String?) async throws(VoiceError) -> String {
        let lifetime = use == .start ? Self.startLifetime : Self.resumeLifetime
        let token = SessionToken(
            audience: SessionToken.audience,
            use: use,
            session: session,
            key: key,
            id: UUID().uuidString,
            expiration: date() + lifetime.milliseconds / 1000
        )
        do { return try await keys.sign(token) } catch {
            throw VoiceError(.fault, "a session token could not be made", cause: error)
        }
    }

    /// Reads a token and checks that it is good for this now.
    func read(_ text: String, for session: String?) async throws(Refusal) -> SessionToken {
        guard text.utf8.count <= Self.longest else { throw .unauthorized("the token is too long to be one") }
        let token: SessionToken
        do { token = try await keys.verify(text, as: SessionToken.self) } catch {
            throw .unauthorized("the token is malformed, or not signed by this server")
        }
        try token.check(for: session, at: date())
        return token
    }

    /// For how long a token still has to be remembered.
    func rest(of token: SessionToken) -> Duration { .seconds(max(1, token.expiration - date())) }
}
