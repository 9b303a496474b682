internal import Foundation
internal import VoiceCore

/// Measures numbers of sessions, each with a server of its own that has seen nobody before.
struct SessionSweep: Sendable {
    /// Time that a server without sessions is watched.
    private static let baseline = Duration.seconds(3)
    /// Time after which silent sessions rest.
    private static let settling = Duration.seconds(5)
    /// Time that silent sessions are watched.
    private static let silence = Duration.seconds(10)
    /// Time from the first question on that is not measured: all callers have asked once by then.
    private static let warmUp = Duration.seconds(10)
    /// How long greetings may take.
    private static let greetings = Duration.seconds(120)

    /// Arguments of `repartee serve`.
    var arguments: [String]
    /// Sessions that the server takes; nil for as many as there are callers.
    var capacity: Int?
    var duration: Duration
    var sound: CallerSound
    var playout: SampleRate
    /// Event loops of the callers.
    var threads: Int
    var clock: any SessionClock

    /// Processor time at a moment.
    private struct Moment {
        var at: Duration
        var server: ProcessUsage
        var client: Duration
        var machine: Duration

        init(_ agent: ServedAgent, _ clock: any SessionClock) throws {
            server = try agent.usage()
            client = Machine.processorTime
            machine = ProcessUsage.ofMachine ?? .zero
            at = clock.now
        }

        /// Cores that the server took since another moment.
        func cores(since other: Moment) -> Double { (server.processor - other.server.processor) / (at - other.at) }
    }

    /// Measures so many sessions.
    func row(sessions: Int) async throws -> SessionsRow {
        try await ServedAgent.with(arguments + ["--max-sessions", "\(capacity ?? sessions)"]) { agent in
            let plan = plan(agent)
            try await warm(agent, plan)
            let empty = try Moment(agent, clock)
            try await clock.sleep(until: empty.at + Self.baseline)
            let bare = try Moment(agent, clock)
            return try await Crowd.with(plan, threads: threads, clock: clock) { crowd in
                try await measure(sessions, agent, crowd, since: (empty, bare))
            }
        }
    }

    /// What callers of a server have in common.
    func plan(_ agent: ServedAgent) -> CallerPlan {
        CallerPlan(host: agent.host, port: agent.port, sound: sound, habits: Caller.Habits(), playout: playout)
    }

    /// Has one conversation of one turn, so that what happens once in a process has happened.
    func warm(_ agent: ServedAgent, _ plan: CallerPlan) async throws {
        try await Crowd.with(plan, threads: 1, clock: clock) { crowd in
            try await crowd.dial(1)
            try await crowd.waitForRest(atMost: Self.greetings)
            await crowd.talk()
            try await clock.sleep(until: clock.now + Self.warmUp)
        }
        // A session that its page has left ends within 2 s, and what it leaves behind is given back within 6 s of silence.
        try await clock.sleep(until: clock.now + .seconds(9))
    }

    private func measure(
        _ sessions: Int,
        _ agent: ServedAgent,
        _ crowd: Crowd,
        since before: (empty: Moment, bare: Moment)
    ) async throws -> SessionsRow {
        try await crowd.dial(sessions)
        try await crowd.waitForRest(atMost: Self.greetings)
        try await clock.sleep(until: clock.now + Self.settling)
        let silent = try Moment(agent, clock)
        try await clock.sleep(until: silent.at + Self.silence)
        let waiting = try Moment(agent, clock)
        let connected = max(1, await crowd.talking())
        let idle = SessionsRow.Idle(
            cpu_per_session: max(0, waiting.cores(since: silent) - before.bare.cores(since: before.empty))
                / Double(connected),
            mb_per_session: (waiting.server.megabytes - before.bare.server.megabytes) / Double(connected)
        )
        await crowd.talk()
        try await clock.sleep(until: clock.now + Self.warmUp)
        let refused = await crowd.takeNotes().notes
        let begin = try Moment(agent, clock)
        try await clock.sleep(until: begin.at + duration)
        let end = try Moment(agent, clock)
        var (notes, lag) = await crowd.takeNotes()
        notes.rejected += refused.rejected
        notes.broken += refused.broken
        if let problem = notes.lastProblem ?? refused.lastProblem {
            StandardError.print("\(sessions) sessions: \(problem)")
        }
        let client = (end.client - begin.client) / (end.at - begin.at)
        let all = (end.machine - begin.machine) / (end.at - begin.at)
        return SessionsRow(
            sessions: sessions,
            turns: notes.questions,
            v2v_ms: LatencyFigures(notes.voiceToVoice),
            pacing_ms: LatencyFigures(notes.lateness.map(Double.init)),
            answers: notes.answers,
            underruns: notes.underruns,
            unanswered: notes.unanswered,
            false_starts: notes.falseStarts,
            rejected: notes.rejected,
            broken: notes.broken,
            cpu: end.cores(since: begin),
            rss_mb: end.server.megabytes,
            threads: end.server.threads,
            idle: idle,
            client_cores: client,
            client_lag_p99_ms: LatencyFigures(lag.map(Double.init)).p99,
            other_cores: max(0, all - client - end.cores(since: begin))
        )
    }
}
