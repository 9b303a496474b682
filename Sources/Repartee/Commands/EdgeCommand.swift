internal import ArgumentParser
internal import Cluster
internal import Logging
internal import Redis
internal import ServiceLifecycle
internal import VoiceCore

/// The bridge from the cluster's directory to HAProxy.
struct EdgeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "edge",
        abstract: "Tells HAProxy which workers of a cluster there are; runs beside it."
    )

    @OptionGroup var global: GlobalOptions

    @Option(help: ArgumentHelp("The Redis of the cluster.", valueName: "url"))
    var cluster: String?

    @Option(
        name: .customLong("config"),
        help: "The workers' YAML file with settings, of which cluster.redis and cluster.prefix are followed."
    )
    var settingsFile: String?

    @Option(help: ArgumentHelp("HAProxy's socket for commands of the level admin.", valueName: "path"))
    var haproxy = "/run/haproxy/admin.sock"

    @Option(
        help: ArgumentHelp(
            "The folder from which HAProxy learns at its start what it knew before.",
            valueName: "folder"
        )
    )
    var state = "/var/lib/repartee/edge"

    func run() async throws {
        var settings = Settings()
        if let settingsFile { settings = try SettingsFile.read(path: settingsFile) }
        guard let redis = cluster ?? (settings.door.redis.isEmpty ? nil : settings.door.redis) else {
            throw VoiceError(.usage, "name the cluster's Redis with --cluster, for example redis://10.0.0.5:6379")
        }
        let clock = SystemClock()
        let logger = global.logger(standard: .info)
        let directory = try RedisDirectory(
            try RedisAddress(redis, from: cluster == nil ? "cluster.redis" : "--cluster"),
            worker: "edge",
            prefix: settings.door.redisPrefix,
            clock: clock,
            logger: logger
        )
        let bridge = EdgeBridge(
            EdgeBridge.Configuration(socket: haproxy, folder: state, backend: "workers"),
            directory: directory,
            logger: logger,
            clock: clock
        )
        try await ServiceGroup.run(EdgeService(directory: directory, bridge: bridge, socket: haproxy))
    }
}

/// The bridge as a service: a signal ends it, and HAProxy goes on with what it knows.
private struct EdgeService: Service {
    let directory: RedisDirectory
    let bridge: EdgeBridge
    let socket: String

    func run() async throws {
        try await cancelWhenGracefulShutdown {
            async let _ = directory.run()
            try await bridge.run {
                StandardOutput.write("Repartee tells HAProxy at \(socket) of workers (stop with Ctrl-C)\n")
            }
        }
    }
}
