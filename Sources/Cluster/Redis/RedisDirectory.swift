package import Logging
package import NIOSSL
package import Redis
internal import Synchronization
package import VoiceCore

/// A directory in Redis, which several workers share.
///
/// ``run()`` is its life: once a second it says that this worker still holds its sessions, tells what was kept while Redis did not answer, and
/// asks how the other workers are. While Redis does not answer, sessions that are held go on: what is said in them is kept, up to a bound, and
/// told later. docs/cluster.md says what stands where.
package final class RedisDirectory: SessionDirectory {
    /// How long things are kept.
    package struct Timing: Sendable {
        /// A command has its reply within this time, or is given up.
        package var reply: Duration
        /// The distance between two rounds of ``RedisDirectory/run()``.
        package var round: Duration
        /// How long what was said in a session is kept after its owner was heard of last.
        package var memory: Duration

        /// Makes timing.
        package init(
            reply: Duration = .seconds(1),
            round: Duration = .seconds(1),
            memory: Duration = .seconds(600)
        ) {
            self.reply = reply
            self.round = round
            self.memory = memory
        }
    }

    struct State {
        var ledger = SessionLedger()
        var workers = WorkerList()
        var status: WorkerStatus?
        /// What Redis' clock shows when ours shows zero, in milliseconds, or less; nil until it was asked.
        var redisStart: Int?
        /// Times in a row that another process had spoken as this worker.
        var namesakes = 0
        /// Something is not up to date as of this round, and it was said.
        var isTroubled = false
        var hasComplained = false
    }

    let client: RedisClient
    let worker: String
    /// This worker in this process.
    let owner: String
    let prefix: String
    let timing: Timing
    let clock: any SessionClock
    let logger: Logger
    let state = Mutex(State())

    /// Makes a directory without a connection.
    /// - Parameters:
    ///   - address: where Redis is.
    ///   - worker: this worker's name.
    ///   - prefix: stands before all keys.
    ///   - roots: the certificates to trust, for addresses with TLS.
    /// - Throws: `unavailable` when TLS is wanted and cannot be had.
    package init(
        _ address: RedisAddress,
        worker: String,
        prefix: String = "repartee",
        timing: Timing = Timing(),
        trusting roots: NIOSSLTrustRoots = .default,
        clock: any SessionClock,
        logger: Logger
    ) throws(VoiceError) {
        let limits = RedisClient.Limits(connect: timing.reply, command: timing.reply)
        client = try RedisClient(address, limits: limits, trusting: roots, clock: clock, logger: logger)
        self.worker = worker
        owner = "\(worker)/\(String(UInt64.random(in: .min ... .max), radix: 16))"
        self.prefix = prefix
        self.timing = timing
        self.clock = clock
        self.logger = logger
    }

    /// Keeps the directory until the task is cancelled. Called once.
    package func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.client.run() }
            group.addTask { await self.keepUp() }
        }
    }

    /// Whether Redis answers.
    package var isAvailable: Bool { client.isReady }

    /// Messages that were given up while Redis did not answer, because too many were kept.
    package var lostMessages: Int { state.withLock { $0.ledger.lost } }

    private func keepUp() async {
        while !Task.isCancelled {
            let began = clock.now
            if client.isReady {
                await refreshWorkers()
                await tellOfSessions()
                endRound()
            }
            state.withLock { $0.ledger.forget(endedBefore: began - timing.memory) }
            try? await clock.sleep(until: began + timing.round)
        }
    }

    // MARK: - asking

    /// What Redis says to a script.
    struct Reply {
        /// The first word.
        var word: String
        /// What the word is about.
        var rest: ArraySlice<RESPValue>

        /// The number at a place of `rest`.
        func number(_ index: Int) throws(VoiceError) -> Int {
            // Lua's numbers are exact so far; nothing of ours is larger.
            guard let number = value(index)?.whole, (0...1 << 53).contains(number) else { throw Self.malformed(word) }
            return number
        }

        /// The array at a place of `rest`.
        func elements(_ index: Int) throws(VoiceError) -> [RESPValue] {
            guard let elements = value(index)?.elements else { throw Self.malformed(word) }
            return elements
        }

        /// The string at a place of `rest`.
        func string(_ index: Int) throws(VoiceError) -> String {
            guard let string = value(index)?.string else { throw Self.malformed(word) }
            return string
        }

        private func value(_ index: Int) -> RESPValue? { index < rest.count ? rest[rest.startIndex + index] : nil }

        static func malformed(_ word: String) -> VoiceError {
            VoiceError(.unavailable, "Redis answers '\(word)' in a way that cannot be read: is it Redis 6 or newer?")
        }
    }

    /// Runs a script that nobody wants any more once ``Timing/reply`` has passed.
    /// - Throws: `unavailable`, also when Redis answers with an error; `cancelled`.
    func ask(_ script: RedisScript, keys: [String], _ arguments: [String]) async throws(VoiceError) -> Reply {
        for _ in 0..<2 {
            let latest = try await redisTime() + Int(timing.reply.milliseconds)
            let reply = try await client.run(script, keys: keys, arguments: ["\(latest)"] + arguments)
            if case .failure(let problem) = reply {
                throw VoiceError(.unavailable, "Redis cannot do what the directory of sessions needs: \(problem)")
            }
            guard let parts = reply.elements, parts.count >= 2, let word = parts[0].string, let time = parts[1].whole
            else { throw Reply.malformed("?") }
            // Later than it was, so that what is late by it is late.
            note(redisTime: time)
            if word != "late" { return Reply(word: word, rest: parts.dropFirst(2)) }
        }
        throw VoiceError(.unavailable, "Redis answers too late")
    }

    /// What Redis' clock shows, or less.
    private func redisTime() async throws(VoiceError) -> Int {
        if let start = state.withLock({ $0.redisStart }) { return start + Int(clock.now.milliseconds) }
        // https://redis.io/docs/latest/commands/time/: seconds, and microseconds of the second.
        guard let parts = try await client.send(["TIME"]).elements, parts.count == 2, let seconds = parts[0].whole,
            let microseconds = parts[1].whole, (0...1 << 40).contains(seconds), (0..<1_000_000).contains(microseconds)
        else { throw Reply.malformed("TIME") }
        let time = seconds * 1000 + microseconds / 1000
        note(redisTime: time)
        return time
    }

    private func note(redisTime time: Int) {
        guard (0...1 << 53).contains(time) else { return }
        let start = time - Int(clock.now.milliseconds)
        state.withLock { $0.redisStart = start }
    }

    /// Notes that something is not up to date: said once, until all is.
    func note(_ problem: VoiceError) {
        guard problem.code != .cancelled else { return }
        let isNews = state.withLock { state in
            state.isTroubled = true
            defer { state.hasComplained = true }
            return !state.hasComplained
        }
        guard isNews else { return }
        logger.warning("The directory of sessions is not up to date", metadata: ["reason": "\(problem)"])
    }

    private func endRound() {
        let isNews = state.withLock { state in
            defer {
                state.hasComplained = state.isTroubled
                state.isTroubled = false
            }
            return state.hasComplained && !state.isTroubled
        }
        if isNews { logger.notice("The directory of sessions is up to date again") }
    }
}
