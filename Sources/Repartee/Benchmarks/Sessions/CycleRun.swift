internal import VoiceCore

/// Has callers hang up as soon as they are connected, again and again; every other one without a word.
struct CycleRun: Sendable {
    private static let look = Duration.milliseconds(200)
    /// Callers at a time.
    private static let callers = 8
    /// A session that its page has left ends within 2 s.
    private static let rest = Duration.seconds(5)

    /// How the server is had.
    var sweep: SessionSweep
    var cycles: Int

    /// Connects and hangs up as often as wanted, and says what was left.
    func row() async throws -> CyclesRow {
        // One that was left without a word is there for another two seconds.
        try await ServedAgent.with(sweep.arguments + ["--max-sessions", "\(32 * Self.callers)"]) { agent in
            var plan = sweep.plan(agent)
            try await sweep.warm(agent, plan)
            let before = try agent.usage()
            plan.habits.questions = 0
            plan.habits.beginning = .milliseconds(100)...Duration.milliseconds(300)
            plan.redials = true
            let clock = sweep.clock
            let began = clock.now
            let (first, atFirst, notes) = try await Crowd.with(plan, threads: sweep.threads, clock: clock) { crowd in
                try await cycle(agent, crowd)
            }
            let seconds = (clock.now - began) / .seconds(1)
            try await clock.sleep(until: clock.now + Self.rest)
            return CyclesRow(
                cycles: notes.calls,
                counted: notes.calls - atFirst,
                seconds: seconds,
                before: before,
                first: first,
                after: try agent.usage(),
                notes: notes
            )
        }
    }

    /// - Returns: what the server used after a tenth, how many conversations that were, and what callers noticed in all.
    private func cycle(_ agent: ServedAgent, _ crowd: Crowd) async throws -> (ProcessUsage, Int, CallerNotes) {
        await crowd.talk()
        try await crowd.dial(Self.callers)
        var notes = CallerNotes()
        var first: (usage: ProcessUsage, calls: Int)?
        while notes.calls < cycles {
            try await sweep.clock.sleep(until: sweep.clock.now + Self.look)
            notes += await crowd.takeNotes().notes
            if let problem = notes.lastProblem, notes.broken + notes.rejected > cycles {
                throw VoiceError(.unavailable, "conversations do not begin: \(problem)")
            }
            if first == nil, 10 * notes.calls >= cycles { first = (try agent.usage(), notes.calls) }
        }
        guard let first else { throw VoiceError(.fault, "there were no cycles") }
        return (first.usage, first.calls, notes)
    }
}
