internal import Conversation
internal import Foundation
internal import LanguageModels
internal import SpeechSynthesis
internal import Tools
internal import VoiceCore

/// What the settings let an agent do: its tools, its jobs, its colleagues. One for all conversations of a process.
struct Outfit: Sendable {
    /// The settings' conversation, with all of it.
    var configuration: ConversationConfiguration

    /// Everything that can be named in a list of tools.
    private struct Shelf {
        var tools: [String: any Tool] = [:]
        var jobs: [String: any BackgroundTool] = [:]
        /// In the order of the settings.
        var names: [String] = []

        mutating func add(_ tool: any Tool, _ policy: ToolPolicySettings) throws(VoiceError) {
            let name = tool.declaration.name
            try claim(name)
            if policy.isBackground == true {
                jobs[name] = BackgroundCall(tool, policy: policy.background)
            } else {
                tools[name] = tool
            }
        }

        mutating func add(_ tool: MCPTool, _ policy: ToolPolicySettings?) throws(VoiceError) {
            guard let policy, policy.isBackground == true else {
                try claim(tool.declaration.name)
                tools[tool.declaration.name] = tool
                return
            }
            try add(
                BackgroundCall(tool.declaration, policy: policy.background) { arguments, progress in
                    try await tool.call(arguments) { progress.report($0) }
                }
            )
        }

        mutating func add(_ job: any BackgroundTool) throws(VoiceError) {
            try claim(job.declaration.name)
            jobs[job.declaration.name] = job
        }

        private mutating func claim(_ name: String) throws(VoiceError) {
            guard !names.contains(name) else {
                throw VoiceError(.malformedInput, "two tools are called '\(name)'; give each a name of its own")
            }
            names.append(name)
        }

        /// The tools of these names; nil for all.
        func pick(
            _ wanted: [String]?,
            for place: String
        ) throws(VoiceError) -> (tools: [any Tool], jobs: [any BackgroundTool]) {
            let wanted = wanted ?? names
            for name in wanted where !names.contains(name) {
                let there = names.isEmpty ? "there are none" : "there are " + names.joined(separator: ", ")
                throw VoiceError(.malformedInput, "\(place): there is no tool '\(name)'; \(there)")
            }
            return (wanted.compactMap { tools[$0] }, wanted.compactMap { jobs[$0] })
        }
    }

    /// Makes everything that the settings name.
    ///
    /// - Parameters:
    ///   - engines: those of the conversation; sub-agents without a model of their own think with its.
    ///   - servers: those with tools, ready.
    ///   - clock: the conversations' time.
    /// - Throws: what is wrong with it, with its place in the settings file.
    init(
        _ room: EngineRoom,
        _ engines: Engines,
        servers: MCPRoom,
        clock: any SessionClock,
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) async throws(VoiceError) {
        let settings = room.settings
        var shelf = Shelf()
        for tool in settings.tools { try shelf.add(tool.tool(environment: environment), tool.policy) }
        for tool in await servers.tools(besides: Set(shelf.names)) { try shelf.add(tool, settings.policy(of: tool)) }
        for agent in settings.subAgents {
            let picked = try shelf.pick(agent.tools, for: agent.place)
            guard picked.jobs.isEmpty else {
                throw VoiceError(.malformedInput, "\(agent.place): a sub-agent cannot start jobs; name other tools")
            }
            do throws(VoiceError) {
                try shelf.add(
                    SubAgent(
                        name: agent.name,
                        description: agent.description,
                        instructions: agent.systemPrompt,
                        model: try await room.model(of: agent, else: engines.languageModel, environment: environment),
                        tools: picked.tools,
                        sampling: SamplingOptions(maxTokens: agent.maxTokens),
                        reasoning: agent.reasoning,
                        policy: agent.policy,
                        clock: clock
                    )
                )
            } catch {
                throw VoiceError(error.code, "\(agent.place): \(error.message)")
            }
        }
        configuration = try settings.conversation(environment: environment)
        let own = try shelf.pick(settings.agentTools, for: "agent.tools")
        configuration.tools += own.tools
        configuration.backgroundTools += own.jobs
        for agent in settings.agents {
            let picked = try shelf.pick(agent.tools, for: agent.place)
            configuration.colleagues.append(
                AgentProfile(
                    name: agent.name,
                    description: agent.description,
                    systemPrompt: agent.systemPrompt,
                    tools: picked.tools,
                    backgroundTools: picked.jobs,
                    synthesizer: try await room.synthesizer(
                        named: agent.voice,
                        beside: engines.synthesizer,
                        environment: environment
                    ),
                    successors: agent.successors
                )
            )
        }
        if let change = VoiceAgent.change {
            let parts = VoiceAgent.Parts(languageModel: engines.languageModel, clock: clock)
            do { try await change(&configuration, parts) } catch {
                throw VoiceError.wrapping(error, doing: "the agent could not be made")
            }
        }
        try await check(engines)
    }

    /// Refuses an agent that its model cannot be, before anybody talks to it.
    private func check(_ engines: Engines) async throws(VoiceError) {
        let model = engines.languageModel
        let options = try configuration.options(synthesizer: engines.synthesizer)
        guard options != ChatOptions() else { return }
        let chat = try await model.openChat()
        do {
            try await chat.prefill(
                [ChatMessage(.system, configuration.systemPrompt)],
                options: options,
                urgency: Urgency(.background)
            )
        } catch {
            guard error.code == .usage, !options.tools.isEmpty else { throw error }
            throw VoiceError(
                .usage,
                "the agent has tools, but \(model.name) cannot call any (\(error.message)) Set language_model.model to a GGUF "
                    + "file of Nemotron 3, Qwen 2.5 or later, or Llama 3.1 or later, or language_model.url to a server"
            )
        }
    }
}

extension EngineRoom {
    /// The model of a sub-agent.
    fileprivate func model(
        of agent: SubAgentSettings,
        else own: any LanguageModel,
        environment: [String: String]
    ) async throws(VoiceError) -> any LanguageModel {
        if let url = agent.url, !url.isEmpty {
            let key = try agent.key.map { text throws(VoiceError) in try EnvironmentText.filled(text, from: environment)
            }
            return try await RemoteLanguageModel(
                address: CompletionAddress(url, from: "\(agent.place).url"),
                configuration: RemoteLanguageModel.Configuration(model: agent.model, key: key)
            )
        }
        guard let model = agent.model, !model.isEmpty else { return own }
        return try await localLanguageModel(model, chats: settings.maxSessions)
    }

    /// A colleague's voice; nil for the conversation's own.
    fileprivate func synthesizer(
        named name: String?,
        beside own: any SpeechSynthesizer,
        environment: [String: String]
    ) async throws(VoiceError) -> (any SpeechSynthesizer)? {
        guard let name, !name.isEmpty else { return nil }
        if let voice = try await remoteSynthesizer(named: name, environment: environment) { return voice }
        // A second speaker of the same model costs nothing.
        if let magpie = own as? MagpieSynthesizer, case .magpie(let speaker) = try VoiceChoice(named: name) {
            return try magpie.speaking(as: speaker ?? VoiceChoice.magpieSpeaker)
        }
        var room = self
        room.settings.voice.name = name
        return try await room.localSynthesizer(streams: settings.maxSessions)
    }
}
