public import VoiceCore

/// Something secret that lets its owner begin conversations.
public struct APIKey: Sendable, Equatable {
    /// What the owner is called in logs and metrics; not secret.
    public var name: String
    /// What the owner says; at least 16 characters.
    public var secret: String
    /// The most conversations at the same time; nil for as many as there is room.
    public var maxSessions: Int?
    /// The most conversations begun in a minute; nil for any number.
    public var maxStartsPerMinute: Int?

    /// Makes a key.
    public init(name: String, secret: String, maxSessions: Int? = nil, maxStartsPerMinute: Int? = nil) {
        self.name = name
        self.secret = secret
        self.maxSessions = maxSessions
        self.maxStartsPerMinute = maxStartsPerMinute
    }

    /// Shorter secrets can be guessed.
    static let shortestSecret = 16

    /// Reads `name=secret`, or several of them with commas between.
    /// - Parameter source: where the text stands, for errors.
    /// - Throws: ``VoiceError/Code/usage`` for anything else; the error does not quote it.
    public static func list(_ text: String, from source: String) throws(VoiceError) -> [APIKey] {
        var keys: [APIKey] = []
        for element in text.split(separator: ",").map({ String($0).trimmed }) where !element.isEmpty {
            let parts = element.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2 else {
                throw VoiceError(.usage, "\(source) must hold name=secret, several with commas between")
            }
            keys.append(APIKey(name: parts[0].trimmed, secret: parts[1].trimmed))
        }
        return keys
    }

    /// Refuses keys that cannot be told apart or are easily guessed.
    static func check(_ keys: [APIKey]) throws(VoiceError) {
        var names: Set<String> = []
        for key in keys {
            guard !key.name.isEmpty, key.name.utf8.count <= 64, key.name.utf8.allSatisfy({ (0x21...0x7e).contains($0) })
            else { throw VoiceError(.usage, "an API key's name has 1 to 64 visible ASCII characters") }
            guard names.insert(key.name).inserted else {
                throw VoiceError(.usage, "two API keys are called '\(key.name)'; give each a name of its own")
            }
            guard key.secret.utf8.count >= shortestSecret else {
                throw VoiceError(
                    .usage,
                    "the API key '\(key.name)' has fewer than \(shortestSecret) characters; 'openssl rand -hex 24' makes a good one"
                )
            }
        }
    }
}
