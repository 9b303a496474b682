package import AsyncHTTPClient
internal import NIOCore

/// The clients of engines on servers. A reply keeps a connection for as long as it lasts, and the usual eight to a server would make the
/// ninth conversation wait.
extension HTTPClient {
    /// Tries for a while to reach a server that is not there: it may be about to come back.
    package static let patient = HTTPClient(configuration: engines(retries: true))

    /// Gives up a connection that cannot be made at once: there is another server.
    package static let impatient = HTTPClient(configuration: engines(retries: false))

    private static func engines(retries: Bool) -> Configuration {
        var configuration = Configuration.singletonConfiguration
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 1024
        configuration.connectionPool.retryConnectionEstablishment = retries
        if !retries { configuration.timeout.connect = .seconds(3) }
        return configuration
    }
}
