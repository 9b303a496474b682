internal import VoiceCore

/// Has callers talk for a long time, who hang up and call again, and watches the server.
struct SoakRun: Sendable {
    private static let look = Duration.seconds(5)
    /// Questions of a call: some two minutes.
    private static let questions = 12
    /// A session that its page has left ends within 2 s, and the allocator gives back what is free a little later.
    private static let rest = Duration.seconds(5)

    /// How the server is had.
    var sweep: SessionSweep
    var sessions: Int
    var duration: Duration

    /// Watches, and says what was seen.
    func row() async throws -> SoakRow {
        // Who calls again may come before the call before is forgotten.
        try await ServedAgent.with(sweep.arguments + ["--max-sessions", "\(2 * sessions + 8)"]) { agent in
            var plan = sweep.plan(agent)
            plan.habits.questions = Self.questions
            plan.redials = true
            try await sweep.warm(agent, plan)
            let before = try agent.usage()
            let (samples, notes) = try await Crowd.with(plan, threads: sweep.threads, clock: sweep.clock) { crowd in
                try await watch(agent, crowd)
            }
            try await sweep.clock.sleep(until: sweep.clock.now + Self.rest)
            let record = SoakRecord(
                duration: duration,
                before: before,
                after: try agent.usage(),
                samples: samples,
                notes: notes
            )
            return SoakRow(sessions: sessions, record)
        }
    }

    private func watch(_ agent: ServedAgent, _ crowd: Crowd) async throws -> ([SoakRecord.Sample], CallerNotes) {
        let clock = sweep.clock
        try await crowd.dial(sessions)
        await crowd.talk()
        let began = clock.now
        var samples: [SoakRecord.Sample] = []
        var all = CallerNotes()
        while clock.now - began < duration {
            try await clock.sleep(until: clock.now + Self.look)
            var notes = await crowd.takeNotes().notes
            samples.append(
                .init(at: clock.now - began, usage: try agent.usage(), voiceToVoice: notes.voiceToVoice)
            )
            (notes.voiceToVoice, notes.lateness) = ([], [])
            if let problem = notes.lastProblem { StandardError.print(problem) }
            all += notes
        }
        return (samples, all)
    }
}
