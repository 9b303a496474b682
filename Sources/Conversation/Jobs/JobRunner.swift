internal import Synchronization
internal import VoiceCore

/// Runs a session's jobs in the background, and keeps what they report until the session takes it.
///
/// Runs as one task of the session: jobs outlive replies and interruptions, not the session.
final class JobRunner: Sendable {
    /// News of a job, and what is to become of it.
    struct News: Sendable, Equatable {
        var report: JobReport
        var delivery: JobDelivery
    }

    private struct Entry {
        var report: JobReport
        var policy: BackgroundPolicy
        var stop: Mailbox<Never>
        var isCancelled = false
        /// What is to become of the report; nil once it was taken.
        var delivery: JobDelivery?
    }

    private struct State {
        /// Oldest first.
        var entries: [Entry] = []
        var started = 0
        /// Whether the session was told of news that it has not taken.
        var isSignalled = false
    }

    private struct Start: Sendable {
        var id: String
        var tool: any BackgroundTool
        var arguments: JSONObject
        var stop: Mailbox<Never>
    }

    /// Jobs of a session that run at the same time.
    static let mostRunning = 8
    /// Jobs that are remembered after their end.
    private static let mostEnded = 16
    /// A longer report of progress is cut.
    private static let longestProgress = 4 << 10

    private let state = Mutex(State())
    private let starts: Mailbox<Start>
    private let clock: any SessionClock
    private let trace: SessionTrace
    private let hasNews: @Sendable () -> Void

    /// - Parameter hasNews: called when there is something for ``takeNews()``; not again before it was taken.
    init(clock: any SessionClock, trace: SessionTrace, hasNews: @escaping @Sendable () -> Void) {
        self.clock = clock
        self.trace = trace
        self.hasNews = hasNews
        starts = Mailbox(capacity: Self.mostRunning, overflow: .refuseNewest, clock: clock)
    }

    /// Runs jobs until the task is cancelled; then all are.
    func run() async {
        await withDiscardingTaskGroup { group in
            while let start = await starts.next() {
                clock.workBegan()
                group.addTask {
                    await self.perform(start)
                    self.clock.workEnded()
                }
            }
            group.cancelAll()
        }
    }

    private func perform(_ start: Start) async {
        let (began, policy) = (clock.now, start.tool.policy)
        let progress = JobProgress { text, delivery in
            self.update(start.id, .running, text.cut(to: Self.longestProgress), delivery ?? policy.progress)
        }
        let timed = TimedCall(
            clock: clock,
            timeout: policy.timeout,
            stop: start.stop,
            stopped: ToolOutcome("It was cancelled.", succeeded: false)
        )
        let outcome = await timed.outcome {
            await ToolOutcome.of { try await start.tool.run(start.arguments, progress: progress) }
        }
        trace.span("jobs", start.tool.declaration.name, from: began, to: clock.now, ["id": start.id])
        update(start.id, outcome.succeeded ? .completed : .failed, outcome.text, policy.result)
    }

    // MARK: - For the model

    /// Starts a job.
    /// - Returns: what the model is told of it.
    func start(_ tool: any BackgroundTool, _ arguments: JSONObject) -> ToolOutcome {
        let stop = Mailbox<Never>(capacity: 1, overflow: .refuseNewest, clock: clock)
        let id = state.withLock { state -> String? in
            guard state.entries.count(where: { $0.report.status == .running }) < Self.mostRunning else { return nil }
            state.started += 1
            let id = "job_\(state.started)"
            let report = JobReport(id: id, tool: tool.declaration.name, status: .running, sequence: 0, text: "")
            state.entries.append(Entry(report: report, policy: tool.policy, stop: stop, delivery: .silent))
            Self.forget(&state)
            return id
        }
        guard let id, starts.send(Start(id: id, tool: tool, arguments: arguments, stop: stop)) else {
            let text = "\(Self.mostRunning) jobs are running, which is the most. Wait for one, or cancel one."
            return ToolOutcome(text, succeeded: false)
        }
        signal()
        return ToolOutcome(
            "Started as \(id). It runs in the background: tell the person so and go on. What comes of it will be told in a "
                + "message <job id=\"\(id)\">."
        )
    }

    /// What the model is told of a job, or of all.
    func status(of id: String?) -> ToolOutcome {
        let reports = state.withLock { $0.entries.map(\.report) }
        guard let id else {
            return ToolOutcome(reports.isEmpty ? "There are no jobs." : reports.map(\.block).joined(separator: "\n"))
        }
        guard let report = reports.first(where: { $0.id == id }) else { return Self.unknown(id, reports) }
        return ToolOutcome(report.block)
    }

    /// Stops a job.
    /// - Parameter delivery: what becomes of the news that it was.
    /// - Returns: what the model is told of it.
    func cancel(_ id: String, delivery: JobDelivery = .silent) -> ToolOutcome {
        let (stop, reports) = state.withLock { state -> (Mailbox<Never>?, [JobReport]) in
            let reports = state.entries.map(\.report)
            guard let index = state.entries.firstIndex(where: { $0.report.id == id }),
                state.entries[index].report.status == .running
            else { return (nil, reports) }
            state.entries[index].isCancelled = true
            state.entries[index].policy.result = delivery
            return (state.entries[index].stop, reports)
        }
        guard let stop else {
            guard let ended = reports.first(where: { $0.id == id }) else { return Self.unknown(id, reports) }
            return ToolOutcome("\(id) has ended already.\n\(ended.block)", succeeded: false)
        }
        stop.finish()
        return ToolOutcome("\(id) is being cancelled.")
    }

    private static func unknown(_ id: String, _ reports: [JobReport]) -> ToolOutcome {
        let names = reports.map(\.id).joined(separator: ", ")
        let there = names.isEmpty ? "There are no jobs." : "There are: \(names)."
        return ToolOutcome("There is no job '\(id.prefix(80))'. \(there)", succeeded: false)
    }

    // MARK: - For the session

    /// The latest news of each job that has any, oldest job first. Earlier news of the same job is gone.
    func takeNews() -> [News] {
        state.withLock { state in
            state.isSignalled = false
            return state.entries.indices.compactMap { index in
                guard let delivery = state.entries[index].delivery else { return nil }
                state.entries[index].delivery = nil
                return News(report: state.entries[index].report, delivery: delivery)
            }
        }
    }

    private func update(_ id: String, _ status: JobReport.Status, _ text: String, _ delivery: JobDelivery) {
        let isNew = state.withLock { state -> Bool in
            guard let index = state.entries.firstIndex(where: { $0.report.id == id }),
                state.entries[index].report.status == .running
            else { return false }
            var entry = state.entries[index]
            let isCancelled = status != .running && entry.isCancelled
            entry.report.status = isCancelled ? .cancelled : status
            entry.report.sequence += 1
            entry.report.text = text
            // What was not taken yet is overtaken, but what it was worth is not forgotten.
            entry.delivery = max(entry.delivery ?? .silent, isCancelled ? entry.policy.result : delivery)
            state.entries[index] = entry
            return true
        }
        if isNew { signal() }
    }

    private func signal() {
        let isFirst = state.withLock { state in
            defer { state.isSignalled = true }
            return !state.isSignalled
        }
        if isFirst { hasNews() }
    }

    /// Forgets the oldest of the ended jobs whose news was taken, beyond those that are remembered.
    private static func forget(_ state: inout State) {
        var surplus = state.entries.count { $0.report.status != .running } - mostEnded
        state.entries.removeAll { entry in
            guard surplus > 0, entry.report.status != .running, entry.delivery == nil else { return false }
            surplus -= 1
            return true
        }
    }
}

extension JobReport {
    /// The report as the model reads it.
    var block: String {
        // Nothing in it may end the block early.
        let text = text.replacing("</job", with: "<\u{200B}/job")
        return "<job id=\"\(id)\" tool=\"\(tool)\" status=\"\(status.rawValue)\" seq=\"\(sequence)\">\(text)</job>"
    }
}
