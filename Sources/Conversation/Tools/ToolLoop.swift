internal import VoiceCore

/// Makes the calls of a session's replies. Runs as one task of the session, so that a call can outlive the reply that wanted it.
struct ToolLoop {
    /// A call that a reply wants.
    struct Request: Sendable {
        var epoch: Int
        var call: ToolCall
        /// The agent that wants it.
        var agent: String
        /// Its number among those made together.
        var number: Int
        /// Finished when it is to be cancelled.
        var stop: Mailbox<Never>
        /// Where the reply waits for it.
        var events: Mailbox<Event>
    }

    /// What a reply learns of its calls, by their numbers.
    enum Event: Sendable {
        /// It takes long: this may be said meanwhile.
        case slow(String)
        case ended(number: Int, ToolOutcome)
    }

    private let roster: Roster
    let requests: Mailbox<Request>
    private let clock: any SessionClock
    private let trace: SessionTrace
    private let report: @Sendable (SessionInput) -> Void

    /// - Parameter report: told when a call begins and how it ends, whether the reply still waits for it or not.
    init(
        _ roster: Roster,
        requests: Mailbox<Request>,
        clock: any SessionClock,
        trace: SessionTrace,
        report: @escaping @Sendable (SessionInput) -> Void
    ) {
        self.roster = roster
        self.requests = requests
        self.clock = clock
        self.trace = trace
        self.report = report
    }

    /// Makes calls until the mailbox ends; then those that run are cancelled.
    func run() async {
        await withDiscardingTaskGroup { group in
            while let request = await requests.next() {
                clock.workBegan()
                group.addTask {
                    await perform(request)
                    clock.workEnded()
                }
            }
            group.cancelAll()
        }
    }

    private func perform(_ request: Request) async {
        let (call, began) = (request.call, clock.now)
        report(.reply(epoch: request.epoch, .toolBegan(call)))
        let outcome = await roster[request.agent].tools.outcome(
            of: call,
            clock: clock,
            stop: request.stop,
            stopped: "It was cancelled: the person interrupted.",
            isSlow: { request.events.send(.slow($0)) }
        )
        trace.span(
            "tools",
            call.name,
            from: began,
            to: clock.now,
            ["id": call.id, "succeeded": "\(outcome.succeeded)"]
        )
        report(.reply(epoch: request.epoch, .toolEnded(call, outcome, agent: request.agent)))
        request.events.send(.ended(number: request.number, outcome))
    }
}
