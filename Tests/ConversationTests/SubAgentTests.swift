internal import Conversation
internal import Synchronization
internal import Testing
internal import VoiceCore
internal import VoiceTesting

/// A sub-agent by itself, with a scripted model.
@Suite struct SubAgentTests {
    private func run(
        _ tools: [any Tool] = [],
        script: @escaping ScriptedLanguageModel.EventScript
    ) async throws -> (result: String, progress: [String], model: ScriptedLanguageModel) {
        let clock = ManualClock(isSelfDriving: true)
        clock.workBegan()
        defer { clock.workEnded() }
        let model = ScriptedLanguageModel(clock: clock, events: script)
        let agent = try SubAgent(
            name: "research",
            description: "Finds out.",
            instructions: "Be thorough.",
            model: model,
            tools: tools,
            clock: clock
        )
        let progress = Mutex<[String]>([])
        let result = try await agent.run(
            ["task": "What is new?"],
            progress: JobProgress { text, _ in progress.withLock { $0.append(text) } }
        )
        return (result, progress.withLock { $0 }, model)
    }

    private func tool(_ name: String, _ body: @escaping @Sendable () async throws -> String) throws -> ClosureTool {
        ClosureTool(try ToolDeclaration(name: name, description: "")) { _ in try await body() }
    }

    @Test func `it works with its own instructions and tools until it only answers`() async throws {
        let (result, progress, model) = try await run([
            tool("read") { "page one" }, tool("count") { throw VoiceError(.fault, "the counter broke") },
        ]) { messages, options in
            #expect(options.tools.map(\.name) == ["read", "count"])
            guard messages.last?.role != .tool else { return [.reasoning("So."), .text(" Nothing"), .text(" new. ")] }
            return [
                .text("I read."), .toolCall(ToolCall(id: "1", name: "read", arguments: [:])),
                .toolCall(ToolCall(id: "2", name: "count", arguments: [:])),
                .toolCall(ToolCall(id: "3", name: "missing", arguments: [:])),
                .malformedCall(MalformedToolCall(name: "read", text: "<", problem: "It has no end.")),
            ]
        }
        #expect(result == "Nothing new.")
        #expect(progress == ["Calls read, count, missing, read."])
        let asked = try #require(model.conversations.last)
        #expect(asked.map(\.role) == [.system, .user, .assistant, .tool, .tool, .tool, .tool])
        #expect(asked[0].content == "Be thorough." && asked[1].content == "What is new?")
        #expect(asked[3].content == "page one")
        #expect(asked[4].content == "It failed: the counter broke")
        #expect(asked[5].content.contains("There is no tool 'missing'"))
        #expect(asked[6].content.contains("It has no end."))
    }

    @Test func `one that never comes to an end has failed`() async throws {
        await #expect(throws: VoiceError.self) {
            _ = try await run([tool("read") { "more" }]) { messages, _ in
                [.toolCall(ToolCall(id: "\(messages.count)", name: "read", arguments: [:]))]
            }
        }
    }
}
