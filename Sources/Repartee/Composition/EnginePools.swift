internal import Foundation
internal import LanguageModels
internal import Logging
internal import ServerPool
internal import Synchronization
internal import VoiceCore
internal import WebSocketClient

/// The pools of engine servers that a process uses, and who looks after them.
///
/// **Run it for as long as conversations are had.** A pool is made when an engine on several servers is first asked for.
final class EnginePools: Sendable {
    private let logger: Logger
    private let made = Mutex<[String: ServerPool]>([:])
    private let pools: AsyncStream<ServerPool>
    private let begin: AsyncStream<ServerPool>.Continuation

    /// - Parameter logger: told of every change of a server.
    init(logger: Logger) {
        self.logger = logger
        // As many as there are different lists of addresses in the settings.
        (pools, begin) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(256))
    }

    /// Looks after the servers of all pools, also of those that are made later, until cancelled. Once.
    func run() async {
        await withDiscardingTaskGroup { group in
            for await pool in pools { group.addTask { await pool.run() } }
            group.cancelAll()
        }
    }

    /// The pool of speech servers, for recognition or for voices; nil for fewer than two.
    func pool(_ engine: String, _ addresses: [ServerAddress]) -> ServerPool? {
        pool(engine, addresses.map { .init(name: $0.authority, health: $0.healthURL) })
    }

    /// The pool of servers of language models; nil for fewer than two.
    func pool(_ addresses: [CompletionAddress]) -> ServerPool? {
        pool("llm", addresses.map { .init(name: $0.description, health: $0.healthURL) })
    }

    /// Tells of a server that cannot be used, or not yet.
    var warn: @Sendable (String) -> Void {
        { [logger] in logger.warning("A server cannot be used", metadata: ["reason": "\($0)"]) }
    }

    private func pool(_ engine: String, _ servers: [ServerPool.Server]) -> ServerPool? {
        guard servers.count > 1 else { return nil }
        let key = ([engine] + servers.map(\.health)).joined(separator: " ")
        return made.withLock { made in
            if let pool = made[key] { return pool }
            let pool = ServerPool(engine, servers) { [logger] server, change in
                logger.log(
                    level: change.state == .down ? .warning : .info,
                    "A server is \(change.state.rawValue)",
                    metadata: ["engine": "\(engine)", "server": "\(server.name)", "reason": "\(change.reason)"]
                )
            }
            made[key] = pool
            begin.yield(pool)
            return pool
        }
    }
}
