package import Conversation
package import Logging
package import VoiceCore

/// One conversation through all turns of a scenario with a whole agent.
package struct ScenarioRun: Sendable {
    private let scenario: Scenario
    private let engines: Engines
    private let configuration: ConversationConfiguration
    private let voice: (any SpeechSynthesizer)?
    private let hasTools: Bool
    private let clock: any SessionClock
    private let logger: Logger
    private let timestamp: @Sendable () -> String

    /// Prepares a conversation.
    ///
    /// - Parameters:
    ///   - engines: the agent's; ``Conversation/Engines/writing(with:)`` where nothing is spoken.
    ///   - configuration: the agent's; instructions, greeting, apology and tools are the scenario's.
    ///   - voice: the person's, if questions are spoken; nil for typed ones.
    ///   - hasTools: false for a model that refuses tools: it is told of none.
    ///   - clock: the session's.
    ///   - logger: takes one line a turn; never words.
    ///   - timestamp: the time of day in ISO 8601.
    package init(
        _ scenario: Scenario,
        engines: Engines,
        configuration: ConversationConfiguration,
        voice: (any SpeechSynthesizer)? = nil,
        hasTools: Bool = true,
        clock: any SessionClock,
        logger: Logger,
        timestamp: @escaping @Sendable () -> String
    ) {
        self.scenario = scenario
        self.engines = engines
        self.configuration = configuration
        self.voice = voice
        self.hasTools = hasTools
        self.clock = clock
        self.logger = logger
        self.timestamp = timestamp
    }

    /// Has the conversation.
    ///
    /// - Parameter onTurn: is told every turn when it is over; must not block.
    /// - Returns: a record for each turn that was asked, with those in which the person insisted.
    /// - Throws: when the conversation cannot begin, ``VoiceError/Code/cancelled`` when the task is cancelled.
    package func run(
        onTurn: @escaping @Sendable (TurnRecord) -> Void = { _ in }
    ) async throws(VoiceError) -> [TurnRecord] {
        clock.workBegan()
        defer { clock.workEnded() }
        let book = CallBook(scenario)
        let inbox = Mailbox<LineEvent>(capacity: 65_536, overflow: .refuseNewest, clock: clock)
        let line: any QuestionLine =
            if let voice {
                SpokenLine(voice: voice, inbox: inbox, timeout: scenario.turnTimeout, clock: clock)
            } else {
                TypedLine(inbox: inbox, clock: clock)
            }
        let conversation = Conversation(
            engines: engines,
            configuration: agent(book),
            clock: clock,
            logger: logger
        )
        var person = Questioner(scenario, line: line, inbox: inbox, book: book, clock: clock, timestamp: timestamp)
        let outcome = await withTaskGroup(of: Void.self) { group -> Result<[TurnRecord], VoiceError> in
            // A conversation tells the clock of its own work.
            group.addTask {
                do throws(VoiceError) {
                    _ = try await conversation.run(over: line)
                    inbox.send(.ended(nil))
                } catch {
                    inbox.send(.ended(error))
                }
            }
            let outcome: Result<[TurnRecord], VoiceError>
            do throws(VoiceError) { outcome = .success(try await person.askAll(onTurn)) } catch {
                outcome = .failure(error)
            }
            await person.hangUp()
            return outcome
        }
        if Task.isCancelled { throw VoiceError(.cancelled, "the evaluation was stopped") }
        return try outcome.get()
    }

    private func agent(_ book: CallBook) -> ConversationConfiguration {
        var agent = configuration
        agent.systemPrompt = scenario.systemPrompt
        agent.greeting = ""
        // An apology would be an answer; a failure is to be seen as one.
        agent.apology = ""
        agent.sampling.maxTokens = max(agent.sampling.maxTokens, scenario.replyTokens)
        agent.tools = hasTools ? book.tools : []
        agent.backgroundTools = []
        agent.canHangUp = false
        agent.colleagues = []
        return agent
    }
}
