internal import Foundation
internal import LanguageModels
internal import Testing
internal import VoiceCore
internal import VoiceTesting

/// The models that tests run on.
enum Models {
    private static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Reference/LanguageModels")

    /// Random weights, pure attention: its memory can be cut anywhere.
    static let attention = folder.appendingPathComponent("tiny-attention.gguf").path
    /// Random weights with Mamba layers: its memory can only be copied and dropped whole.
    static let hybrid = folder.appendingPathComponent("tiny-hybrid.gguf").path
    /// Random weights as in `hybrid`, with a template that is recognised as Nemotron's.
    static let thinking = folder.appendingPathComponent("tiny-thinking.gguf").path
    /// Conversations and their tokens by the model's own template.
    static let goldens = folder.appendingPathComponent("smollm2_chatml.json")

    /// The real model, where bootstrap has put it.
    static let smolLM2 = modelsFolder + "/SmolLM2-135M-Instruct.Q4_1.gguf"

    /// Tests of the real model are left out where it is not, except in CI, where they then fail.
    static let hasSmolLM2 =
        FileManager.default.fileExists(atPath: smolLM2) || ProcessInfo.processInfo.environment["CI"] == "true"

    static func load(_ path: String, chats: Int = 4, contextLength: Int = 1024) async throws -> LlamaLanguageModel {
        let configuration = LlamaLanguageModel.Configuration(chats: chats, contextLength: contextLength, threads: 1)
        return try await LlamaLanguageModel(path: path, configuration: configuration)
    }
}

extension SamplingOptions {
    /// The most probable token each time.
    static func greedy(_ maxTokens: Int = 24) -> SamplingOptions {
        SamplingOptions(temperature: 0, repeatPenalty: 1, maxTokens: maxTokens)
    }
}

/// A whole reply.
struct Said: Equatable {
    var text = ""
    var usage = ReplyUsage(promptTokens: 0, cachedTokens: 0, generatedTokens: 0)
    var truncated = false
    var reasoning = ""
    var calls: [ToolCall] = []
    var completeness: Float?
}

extension Chat {
    func say(
        _ messages: [ChatMessage],
        _ sampling: SamplingOptions = .greedy(),
        _ options: ChatOptions = ChatOptions()
    ) async throws -> Said {
        var said = Said()
        var isFinished = false
        for try await event in reply(to: messages, sampling: sampling, options: options, urgency: nil) {
            #expect(!isFinished)
            switch event {
            case .text(let piece):
                #expect(!piece.isEmpty)
                said.text += piece
            case .reasoning(let piece):
                #expect(!piece.isEmpty)
                said.reasoning += piece
            case .toolCall(let call): said.calls.append(call)
            case .completeness(let probability):
                #expect(said == Said(), "It is told before anything else.")
                said.completeness = probability
            case .malformedCall, .delayed: Issue.record("\(event)")
            case .finished(let usage, let truncated):
                isFinished = true
                said.usage = usage
                said.truncated = truncated
            }
        }
        #expect(isFinished)
        return said
    }
}
