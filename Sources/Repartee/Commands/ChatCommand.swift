internal import ArgumentParser
internal import Conversation
internal import Foundation
internal import Logging
internal import Tools
internal import VoiceCore

/// The language engine alone, in the terminal.
struct ChatCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chat",
        abstract: "The language model alone, in the terminal; an empty line or end of input ends it."
    )

    @OptionGroup var global: GlobalOptions
    @OptionGroup var agent: AgentOptions

    @Option(help: "A model of the catalogue, or a GGUF file.")
    var model: String?

    /// A model that calls tools again and again is asked for words at last.
    private static let mostRounds = 5

    func run() async throws {
        var settings = try agent.settings()
        if let model { settings.languageModel = model }
        let room = EngineRoom(store: global.store, settings: settings, logger: global.logger())
        async let _ = room.pools.run()
        let engine = try await room.languageModel(chats: 1)
        let environment = ProcessInfo.processInfo.environment
        var webhooks: [any Tool] = []
        for tool in settings.tools { webhooks.append(try tool.tool(environment: environment)) }
        let servers = try settings.mcpRoom(environment: environment, logger: global.logger(standard: .warning))
        try await servers.withServers {
            let others = await servers.tools(besides: Set(webhooks.map(\.declaration.name)))
            let caller = ToolCaller(webhooks + others, clock: SystemClock())
            let chat = try await engine.openChat()
            StandardError.print("\(engine.name), \(engine.contextLength) tokens of context")
            if !caller.declarations.isEmpty {
                StandardError.print("tools: " + caller.declarations.map(\.name).joined(separator: ", "))
            }
            var messages = [ChatMessage(.system, settings.conversation.systemPrompt)]
            // A model that cannot do what is asked for says so now.
            let options = ChatOptions(tools: caller.declarations, reasoning: settings.conversation.reasoning)
            try await chat.prefill(messages, options: options, urgency: nil)
            prompt()
            while let line = readLine(), !line.isEmpty {
                messages.append(ChatMessage(.user, line))
                for round in 0...Self.mostRounds {
                    let tools = round == Self.mostRounds ? [] : caller.declarations
                    let answer = try await ask(chat, messages, tools, settings, round: messages.count)
                    messages += answer.messages(await outcomes(of: answer, caller))
                    if answer.calls.isEmpty || tools.isEmpty { break }
                }
                prompt()
            }
        }
    }

    /// Asks once and prints what comes.
    private func ask(
        _ chat: any Chat,
        _ messages: [ChatMessage],
        _ tools: [ToolDeclaration],
        _ settings: Settings,
        round: Int
    ) async throws -> ModelAnswer {
        var answer = ModelAnswer()
        for try await event in chat.reply(
            to: messages,
            sampling: settings.conversation.sampling,
            options: ChatOptions(tools: tools, reasoning: settings.conversation.reasoning),
            urgency: nil
        ) {
            switch event {
            case .text(let piece):
                answer.said += piece
                StandardOutput.write(piece)
            case .reasoning(let piece):
                answer.thought += piece
                StandardError.write(piece)
            case .toolCall(let call): if !tools.isEmpty { answer.add(call) }
            case .malformedCall(let call): if !tools.isEmpty { answer.add(call, id: "unread_\(round)") }
            case .delayed: StandardError.print("(another server goes on)")
            case .completeness: break
            case .finished(let usage, let truncated):
                StandardOutput.write("\n")
                StandardError.print(
                    "[\(usage.promptTokens) tokens of prompt, \(usage.cachedTokens) of them cached, "
                        + "\(usage.generatedTokens) generated\(truncated ? ", cut at the limit" : "")]"
                )
            }
        }
        return answer
    }

    /// Makes an answer's calls, one after the other, and shows them.
    private func outcomes(of answer: ModelAnswer, _ caller: ToolCaller) async -> [ToolOutcome] {
        var outcomes: [ToolOutcome] = []
        for (number, call) in answer.calls.enumerated() {
            StandardError.print("→ \(call.name) \(JSONValue.object(call.arguments).json)")
            let outcome =
                if let refused = answer.refused[number] { refused } else { await caller.outcome(of: call) }
            StandardError.print("← \(outcome.succeeded ? "" : "(failed) ")\(outcome.text)")
            outcomes.append(outcome)
        }
        return outcomes
    }

    private func prompt() { StandardOutput.write("> ") }
}
