public import VoiceCore

/// A language model that works on a task by itself, in the background: an agent's agent.
///
/// It has instructions, tools and a memory of its own, in the conversation's model or in another one. It hears nothing and says
/// nothing: it is given a task in words, and what it answers in the end is the job's result.
public struct SubAgent: BackgroundTool {
    /// Times that it may be asked for one task. After them it has failed.
    public static let mostRounds = 16

    /// What the conversation's model is told about it.
    public let declaration: ToolDeclaration
    /// How the conversation treats it.
    public let policy: BackgroundPolicy
    private let instructions: String
    private let model: any LanguageModel
    private let tools: ToolCaller
    private let sampling: SamplingOptions
    private let reasoning: Reasoning
    private let clock: any SessionClock

    /// Makes a sub-agent.
    ///
    /// - Parameters:
    ///   - name: what the conversation's model calls it by, as a tool.
    ///   - description: what it is for and when to give it a task.
    ///   - instructions: what it is told of its work.
    ///   - model: what it thinks with. Each of its jobs opens a chat there.
    ///   - tools: what it can do. None of its calls is made for an answer that may be withdrawn.
    ///   - sampling: how its words are chosen; `maxTokens` bounds each of its answers.
    ///   - reasoning: whether it thinks first.
    ///   - policy: how the conversation treats it.
    ///   - clock: the session's time, which its tools' time-outs are on.
    /// - Throws: ``VoiceError/Code/usage`` for a name that is none.
    public init(
        name: String,
        description: String,
        instructions: String,
        model: any LanguageModel,
        tools: [any Tool] = [],
        sampling: SamplingOptions = SamplingOptions(maxTokens: 1024),
        reasoning: Reasoning = .off,
        policy: BackgroundPolicy = BackgroundPolicy(hasEffects: false),
        clock: any SessionClock
    ) throws(VoiceError) {
        declaration = try ToolDeclaration(
            name: name,
            description: description,
            parameters: [
                "type": "object",
                "properties": [
                    "task": ["type": "string", "description": "All that is to be done and known, in plain sentences."]
                ],
                "required": .array(["task"]),
            ]
        )
        self.policy = policy
        self.instructions = instructions
        self.model = model
        self.tools = ToolCaller(tools, clock: clock)
        self.sampling = sampling
        self.reasoning = reasoning
        self.clock = clock
    }

    /// Works on the task until the model only answers. Reports the names of the tools that it calls.
    /// - Throws: what the model's engine throws; ``VoiceError/Code/exhausted`` when it finds no end.
    public func run(_ arguments: JSONObject, progress: JobProgress) async throws -> String {
        guard let task = arguments["task"]?.text else { return "There was no task." }
        let chat = try await model.openChat()
        var conversation = [ChatMessage(.system, instructions), ChatMessage(.user, task)]
        for round in 0..<Self.mostRounds {
            let answer = try await ask(chat, conversation, round)
            guard !answer.calls.isEmpty else { return answer.said.trimmed }
            progress.report("Calls \(answer.calls.map(\.name).joined(separator: ", ")).")
            conversation += answer.messages(await make(answer))
        }
        throw VoiceError(.exhausted, "it called tools \(Self.mostRounds) times and came to no end")
    }

    private func ask(_ chat: any Chat, _ conversation: [ChatMessage], _ round: Int) async throws -> ModelAnswer {
        var answer = ModelAnswer()
        let reply = chat.reply(
            to: conversation,
            sampling: sampling,
            options: ChatOptions(tools: tools.declarations, reasoning: reasoning),
            urgency: Urgency(.background)
        )
        for try await event in reply {
            switch event {
            case .text(let piece): answer.said += piece
            case .reasoning(let piece): answer.thought += piece
            case .toolCall(let call): answer.add(call)
            case .malformedCall(let call): answer.add(call, id: "unread_\(round)")
            case .finished, .delayed, .completeness: break
            }
        }
        try Task.checkCancellation()
        return answer
    }

    /// Makes calls together.
    private func make(_ answer: ModelAnswer) async -> [ToolOutcome] {
        await withTaskGroup(of: (Int, ToolOutcome).self) { group in
            for (number, call) in answer.calls.enumerated() where answer.refused[number] == nil {
                clock.workBegan()
                group.addTask { (number, await tools.outcome(of: call)) }
            }
            var outcomes = answer.refused
            // Each call hands its unit of work over to this task when it ends, so that time cannot move in between.
            clock.workEnded()
            while let (number, outcome) = await group.next() {
                outcomes[number] = outcome
                clock.workEnded()
            }
            clock.workBegan()
            return answer.calls.indices.map { outcomes[$0] ?? ToolOutcome("It was lost.", succeeded: false) }
        }
    }
}
