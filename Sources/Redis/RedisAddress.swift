internal import Foundation
package import VoiceCore

/// Where a Redis server is, and as whom one speaks to it: `redis://[user:password@]host[:port][/database]`, `rediss://` for TLS.
///
/// A password without a user, `redis://:password@host` or as redis-cli takes it `redis://password@host`, is the default user's.
/// Source: https://www.iana.org/assignments/uri-schemes/prov/redis, and `cliSplitURI` of Redis 7.0's src/cli_common.c.
package struct RedisAddress: Sendable, Equatable, CustomStringConvertible {
    /// The host's name or address, IPv6 without brackets.
    package let host: String
    /// The port; 6379 when none was given.
    package let port: Int
    /// True for TLS.
    package let isSecure: Bool
    /// The user's name; nil for the default user.
    package let user: String?
    /// The password; nil for none.
    package let password: String?
    /// The number of the database.
    package let database: Int

    /// Reads an address.
    /// - Parameters:
    ///   - text: the address, as a person gave it.
    ///   - place: where it was given, for errors: the name of a variable or of a setting.
    /// - Throws: `usage` when it is no such address. Nothing of it is repeated, for any of it may be the password.
    package init(_ text: String, from place: String) throws(VoiceError) {
        func wrong(_ problem: String) -> VoiceError {
            VoiceError(
                .usage,
                "\(place) \(problem): give it as redis://user:password@host:6379/0, or rediss:// for TLS"
            )
        }
        guard let parts = URLComponents(string: text), let scheme = parts.scheme?.lowercased() else {
            throw wrong("is no address")
        }
        guard ["redis", "rediss"].contains(scheme) else { throw wrong("does not begin with redis:// or rediss://") }
        guard let host = parts.host, !host.isEmpty else { throw wrong("names no host") }
        guard parts.port.map({ (1...65_535).contains($0) }) ?? true else { throw wrong("has no port from 1 to 65535") }
        guard parts.query == nil, parts.fragment == nil else {
            throw wrong("has a '?' or '#', which mean nothing here")
        }
        let path = parts.path.dropFirst(parts.path.hasPrefix("/") ? 1 : 0)
        guard path.isEmpty || path.allSatisfy({ $0.isASCII && $0.isNumber }),
            let database = Int(path.isEmpty ? "0" : path)
        else { throw wrong("ends in something that is no number of a database") }
        self.host = host.trimmingCharacters(in: CharacterSet(charactersIn: "[]"))
        self.database = database
        isSecure = scheme == "rediss"
        port = parts.port ?? 6379
        let names = [parts.user, parts.password].map { $0.flatMap { $0.isEmpty ? nil : $0 } }
        (user, password) = parts.password == nil ? (nil, names[0]) : (names[0], names[1])
        guard user == nil || password != nil else { throw wrong("has a user without a password") }
    }

    /// Host and port as a URL has them.
    package var authority: String { (host.contains(":") ? "[\(host)]" : host) + ":\(port)" }

    /// The address without its secrets.
    package var description: String { "\(isSecure ? "rediss" : "redis")://\(authority)/\(database)" }

    /// What is said first on a connection: who we are, which database, and whether the server answers at all.
    var greeting: [[String]] {
        var commands: [[String]] = []
        if let password { commands.append(["AUTH"] + [user, password].compactMap { $0 }) }
        if database != 0 { commands.append(["SELECT", "\(database)"]) }
        return commands + [["PING"]]
    }
}
