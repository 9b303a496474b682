internal import NIOCore
internal import Synchronization
internal import Transports

/// The open connections of a server: counted, bounded, told the time.
final class ConnectionRegistry: Sendable {
    /// Connections over the limit that are still heard, so that they can be told.
    private static let courtesy = 32

    private struct State {
        var channels: [ObjectIdentifier: any Channel] = [:]
        var total = 0
        var refused = 0
        var isStopped = false
    }

    private let limit: Int
    private let state = Mutex(State())

    init(limit: Int) { self.limit = limit }

    var counts: Health.Counts {
        state.withLock {
            Health.Counts(active: $0.channels.count, maximum: limit, total: $0.total, refused: $0.refused)
        }
    }

    /// Keeps a channel until it closes.
    ///
    /// To be called on the channel's event loop, before anything can be waiting for a signal.
    /// - Returns: false if it is one too many; nil if it was not kept, because there are far too many or none wanted.
    func add(_ channel: any Channel) -> Bool? {
        let isWelcome = state.withLock { state -> Bool? in
            state.total += 1
            let isWelcome = state.channels.count < limit
            if !isWelcome { state.refused += 1 }
            guard !state.isStopped, state.channels.count < limit + Self.courtesy else { return nil }
            state.channels[ObjectIdentifier(channel)] = channel
            return isWelcome
        }
        guard let isWelcome else { return nil }
        channel.closeFuture.whenComplete { [self] _ in
            state.withLock { _ = $0.channels.removeValue(forKey: ObjectIdentifier(channel)) }
        }
        return isWelcome
    }

    /// Asks every connection to close, and takes no more.
    func stop() {
        state.withLock { $0.isStopped = true }
        signal(.stop)
    }

    /// Sends a signal to every connection.
    func signal(_ signal: ConnectionSignal) {
        for channel in state.withLock({ Array($0.channels.values) }) {
            channel.pipeline.fireUserInboundEventTriggered(signal)
        }
    }
}
