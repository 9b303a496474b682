internal import Foundation
internal import JWTKit
internal import VoiceCore

/// A signed, short-lived right to begin one conversation, or to come back into one: a JSON Web Token (RFC 7519), HS256.
struct SessionToken: JWTPayload, Equatable {
    /// What it is good for.
    enum Use: String, Codable {
        /// To begin a conversation.
        case start
        /// To come back into the conversation `session`.
        case resume
    }

    /// What the tokens of other programs with the same secret do not say.
    static let audience = "repartee"
    /// The longest that a token to begin may be valid.
    static let longestStart = Duration.seconds(3600)

    /// Who it was made for.
    var audience: String
    /// What it is good for.
    var use: Use
    /// The conversation; a token to begin may leave it open.
    var session: String?
    /// The name of the key whose owner it was made for.
    var key: String?
    /// Its own name: it is good for once.
    var id: String
    /// When it ends, in seconds since 1970.
    var expiration: Double

    private enum CodingKeys: String, CodingKey {
        case audience = "aud"
        case use
        case session = "sid"
        case key = "sub"
        case id = "jti"
        case expiration = "exp"
    }

    /// Nothing: what counts is checked against the server's time and the request.
    func verify(using algorithm: some JWTAlgorithm) async throws {}

    /// Refuses a token that is not good for this now.
    /// - Parameters:
    ///   - session: the conversation that is asked for; nil for a new one.
    ///   - seconds: the time of day since 1970.
    func check(for session: String?, at seconds: Double) throws(Refusal) {
        guard audience == Self.audience, !id.isEmpty, id.utf8.count <= 128 else {
            throw .unauthorized("the token is not one of this server's")
        }
        guard seconds < expiration else { throw .unauthorized("the token has expired; ask for another one") }
        if use == .start, expiration - seconds > Self.longestStart.milliseconds / 1000 {
            throw .unauthorized("the token is valid for more than an hour; make one that expires sooner")
        }
        if let own = self.session, own != session { throw .forbidden("the token is for another conversation") }
        if use == .resume, self.session == nil { throw .forbidden("the token names no conversation") }
    }
}
