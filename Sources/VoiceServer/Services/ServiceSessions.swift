internal import Logging
internal import NIOCore
internal import Transports
internal import VoiceCore

/// The sessions of a server of an engine: counted, and told to the log, but never what was said in them.
struct ServiceSessions: Sendable {
    let metrics: ServiceMetrics
    let logger: Logger
    let clock: any SessionClock

    /// Follows a session to its end.
    /// - Parameter body: the session; it gets a logger that knows its number.
    func follow(_ way: ServiceMetrics.Way, _ body: (Logger) async -> Void) async {
        var logger = logger
        logger[metadataKey: "session.id"] = "\(String(UInt64.random(in: .min ... .max), radix: 36))"
        let began = clock.now
        metrics.began(way)
        logger.info("session began", metadata: ["session.kind": "\(way.rawValue)"])
        await body(logger)
        metrics.ended()
        logger.info("session ended", metadata: ["session.seconds": "\((clock.now - began).components.seconds)"])
    }

    /// Follows a session over a WebSocket: until it ends or the connection does.
    func follow(_ webSocket: MessageConnection, _ session: @escaping @Sendable (Logger) async -> Void) async {
        await follow(.webSocket) { logger in
            await withTaskGroup { group in
                group.addTask { await session(logger) }
                group.addTask { try? await webSocket.closed.get() }
                await group.next()
                group.cancelAll()
            }
        }
    }

    /// Follows the answer to a request: until it was given or the client left.
    func follow(_ exchange: HTTPExchange, _ answer: @escaping @Sendable () async -> Void) async {
        await follow(.http) { logger in
            await withTaskGroup { group in
                group.addTask {
                    await answer()
                    return true
                }
                group.addTask { await exchange.waitForClose() }
                if await group.next() != true { logger.debug("client left") }
                group.cancelAll()
            }
        }
    }
}
