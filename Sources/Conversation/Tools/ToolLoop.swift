internal import VoiceCore

/// Makes the calls of a session's replies. Runs as one task of the session, so that a call can outlive the reply that wanted it.
struct ToolLoop {
    /// A call that a reply wants.
    struct Request: Sendable {
        var epoch: Int
        var call: ToolCall
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

    private enum Step: Sendable {
        case ended(ToolOutcome)
        case slow
        case tooLate
        case stopped
    }

    /// A longer result would fill the model's memory.
    static let longestResult = 16 << 10

    private let tools: [String: any Tool]
    let requests: Mailbox<Request>
    private let clock: any SessionClock
    private let trace: SessionTrace
    private let report: @Sendable (SessionInput) -> Void

    /// - Parameters:
    ///   - tools: of two with one name the first counts.
    ///   - report: told when a call begins and how it ends, whether the reply still waits for it or not.
    init(
        _ tools: [any Tool],
        requests: Mailbox<Request>,
        clock: any SessionClock,
        trace: SessionTrace,
        report: @escaping @Sendable (SessionInput) -> Void
    ) {
        self.tools = Dictionary(tools.map { ($0.declaration.name, $0) }) { first, _ in first }
        self.requests = requests
        self.clock = clock
        self.trace = trace
        self.report = report
    }

    /// Whether what is called changes anything in the world; a tool that does not exist does not.
    func hasEffects(_ call: ToolCall) -> Bool { tools[call.name]?.policy.hasEffects ?? false }

    /// Whether a call goes on when the reply that wanted it is interrupted.
    func isKept(_ call: ToolCall) -> Bool { tools[call.name]?.policy.interruption == .keep }

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
        let outcome = await outcome(of: request)
        trace.span(
            "tools",
            call.name,
            from: began,
            to: clock.now,
            ["id": call.id, "succeeded": "\(outcome.succeeded)"]
        )
        report(.reply(epoch: request.epoch, .toolEnded(call, outcome)))
        request.events.send(.ended(number: request.number, outcome))
    }

    private func outcome(of request: Request) async -> ToolOutcome {
        let call = request.call
        guard let tool = tools[call.name] else {
            let names = tools.keys.sorted().joined(separator: ", ")
            return ToolOutcome("There is no tool '\(call.name.prefix(80))'. There are: \(names).", succeeded: false)
        }
        let problems = tool.declaration.problems(with: call.arguments)
        guard problems.isEmpty else {
            return ToolOutcome("The arguments are wrong. \(problems.joined(separator: " "))", succeeded: false)
        }
        return await race(tool, request)
    }

    /// The call against time and interruption.
    private func race(_ tool: any Tool, _ request: Request) async -> ToolOutcome {
        let (policy, began) = (tool.policy, clock.now)
        return await withTaskGroup(of: Step.self) { group in
            // Each child hands its unit of work over to this task when it ends, so that time cannot move in between.
            var children = 0
            func add(_ body: @escaping @Sendable () async -> Step) {
                clock.workBegan()
                children += 1
                group.addTask { await body() }
            }
            add { .ended(await Self.call(tool, request.call.arguments)) }
            add {
                guard (try? await clock.sleep(until: began + policy.timeout)) != nil else { return .stopped }
                return .tooLate
            }
            add {
                _ = await request.stop.next()
                return .stopped
            }
            if policy.filler != nil {
                add {
                    guard (try? await clock.sleep(until: began + policy.fillerDelay)) != nil else { return .stopped }
                    return .slow
                }
            }
            var outcome: ToolOutcome?
            clock.workEnded()
            while children > 0, let step = await group.next() {
                children -= 1
                switch step {
                case _ where outcome != nil: break
                case .slow: if let filler = policy.filler { request.events.send(.slow(filler)) }
                case .ended(let ended): outcome = ended
                case .tooLate:
                    let limit = policy.timeout.components.seconds
                    outcome = ToolOutcome("It took longer than \(limit) seconds and was given up.", succeeded: false)
                case .stopped: outcome = ToolOutcome("It was cancelled: the person interrupted.", succeeded: false)
                }
                if outcome != nil { group.cancelAll() }
                if children > 0 { clock.workEnded() }
            }
            return outcome ?? ToolOutcome("It was cancelled.", succeeded: false)
        }
    }

    private static func call(_ tool: any Tool, _ arguments: JSONObject) async -> ToolOutcome {
        do {
            let text = try await tool.call(arguments)
            guard text.utf8.count > longestResult else { return ToolOutcome(text.isEmpty ? "Done." : text) }
            return ToolOutcome(String(decoding: text.utf8.prefix(longestResult), as: UTF8.self) + " … (cut off)")
        } catch let error as VoiceError {
            return ToolOutcome("It failed: \(error.message)", succeeded: false)
        } catch {
            return ToolOutcome("It failed: \(error)", succeeded: false)
        }
    }
}
