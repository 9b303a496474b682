internal import Cluster
internal import Foundation
internal import Logging
internal import Redis
internal import VoiceCore
internal import VoiceServer
internal import YAMLReading

/// Who may talk to the server, how it ends, and which cluster it is a worker of: what is below `server` and `cluster` of the
/// settings beside address and room.
struct DoorSettings: Sendable {
    /// An element of `server.api_keys`.
    struct Key: Sendable {
        private static let keys = ["name", "key", "max_sessions", "max_starts_per_minute"]

        var name: String
        /// May hold `${NAME}`.
        var secret: String
        var maxSessions: Int?
        var maxStartsPerMinute: Int?

        init(_ value: SettingsValue) throws(VoiceError) {
            let fields = try SettingsObject(value, keys: Self.keys)
            name = try fields.required("name").text()
            secret = try fields.required("key").text()
            maxSessions = try fields.take("max_sessions") { field throws(VoiceError) in try field.count(1...100_000) }
            maxStartsPerMinute = try fields.take("max_starts_per_minute") { field throws(VoiceError) in
                try field.count(1...100_000)
            }
        }
    }

    var keys: [Key] = []
    /// What session tokens are signed with; may hold `${NAME}`.
    var tokenSecret = ""
    var certificate = ""
    var certificateKey = ""
    var drainTimeout = Duration.seconds(3600)
    /// Nil for the standard sentence.
    var goodbye: String?
    /// Nil for the standard sentence.
    var busySentence: String?
    var maxLoad = 1.0
    /// The address of Redis; empty for a server of its own.
    var redis = ""
    var redisPrefix = "repartee"
    /// The worker's name; empty for the host's with the port.
    var worker = ""
    /// Under which host and port others reach it; empty for those that it listens on.
    var workerAddress = ""
    /// What workers say to each other; may hold `${NAME}`.
    var clusterSecret = ""

    /// Makes what a worker of a cluster knows the others by, and gives it to the server.
    /// - Returns: what has to run beside the server; nil for a server of its own.
    /// - Throws: ``VoiceError/Code/usage`` if the address is none.
    func directory(
        of configuration: inout VoiceServer.Configuration,
        clock: any SessionClock,
        logger: Logger
    ) throws(VoiceError) -> RedisDirectory? {
        guard let cluster = configuration.cluster else { return nil }
        let directory = try RedisDirectory(
            try RedisAddress(redis, from: "the address of the cluster"),
            worker: cluster.worker,
            prefix: redisPrefix,
            clock: clock,
            logger: logger
        )
        configuration.directory = directory
        return directory
    }

    /// A worker's name where none was given: the host's, with the port.
    private static func name(of port: Int) -> String {
        let host = ProcessInfo.processInfo.hostName.prefix { $0 != "." }.filter {
            $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-")
        }
        return "\(host.prefix(50))-\(port)"
    }

    /// Puts all that was set into a server's configuration. Secrets of the environment go before those of the file.
    /// - Throws: ``VoiceError/Code/usage`` for what cannot be, ``VoiceError/Code/unavailable`` if a variable that the file names is
    ///   not set.
    func apply(
        to configuration: inout VoiceServer.Configuration,
        environment: [String: String]
    ) throws(VoiceError) {
        func secret(_ name: String, _ setting: String) throws(VoiceError) -> String? {
            if let value = environment[name], !value.isEmpty { return value }
            return setting.isEmpty ? nil : try EnvironmentText.filled(setting, from: environment)
        }
        for key in keys {
            configuration.keys.append(
                APIKey(
                    name: key.name,
                    secret: try EnvironmentText.filled(key.secret, from: environment),
                    maxSessions: key.maxSessions,
                    maxStartsPerMinute: key.maxStartsPerMinute
                )
            )
        }
        if let list = environment["REPARTEE_API_KEYS"], !list.isEmpty {
            configuration.keys += try APIKey.list(list, from: "REPARTEE_API_KEYS")
        }
        configuration.tokenSecret = try secret("REPARTEE_TOKEN_SECRET", tokenSecret)
        configuration.drainTimeout = drainTimeout
        if let goodbye { configuration.goodbye = goodbye }
        if let busySentence { configuration.busySentence = busySentence }
        configuration.maxLoad = maxLoad
        switch (certificate.isEmpty, certificateKey.isEmpty) {
        case (true, true): break
        case (false, false): configuration.tls = TLSFiles(certificate: certificate, key: certificateKey)
        default:
            throw VoiceError(.usage, "server.tls_certificate and server.tls_key belong together; set both or none")
        }
        guard !redis.isEmpty else { return }
        configuration.cluster = ClusterMembership(
            worker: worker.isEmpty ? Self.name(of: configuration.port) : worker,
            address: workerAddress.isEmpty ? nil : workerAddress,
            secret: try secret("REPARTEE_CLUSTER_SECRET", clusterSecret) ?? ""
        )
    }
}
