internal import Conversation
internal import LanguageModels
internal import ArgumentParser
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

    func run() async throws {
        var settings = try agent.settings()
        if let model { settings.languageModel = model }
        let engine = try await EngineRoom(store: global.store, settings: settings).languageModel(chats: 1)
        let chat = try await engine.openChat()
        StandardError.print("\(engine.name), \(engine.contextLength) tokens of context")
        var messages = [ChatMessage(.system, settings.conversation.systemPrompt)]
        prompt()
        // While the person types: the first answer then has less to wait for.
        try await chat.prefill(messages, options: ChatOptions(reasoning: settings.conversation.reasoning), urgency: nil)
        while let line = readLine(), !line.isEmpty {
            messages.append(ChatMessage(.user, line))
            var answer = ""
            for try await event in chat.reply(
                to: messages,
                sampling: settings.conversation.sampling,
                options: ChatOptions(reasoning: settings.conversation.reasoning),
                urgency: nil
            ) {
                switch event {
                case .text(let piece):
                    answer += piece
                    StandardOutput.write(piece)
                case .reasoning(let piece): StandardError.write(piece)
                case .toolCall, .malformedCall: break
                case .finished(let usage, let truncated):
                    StandardOutput.write("\n")
                    StandardError.print(
                        "[\(usage.promptTokens) tokens of prompt, \(usage.cachedTokens) of them cached, "
                            + "\(usage.generatedTokens) generated\(truncated ? ", cut at the limit" : "")]"
                    )
                }
            }
            messages.append(ChatMessage(.assistant, answer))
            prompt()
        }
    }

    private func prompt() { StandardOutput.write("> ") }
}
