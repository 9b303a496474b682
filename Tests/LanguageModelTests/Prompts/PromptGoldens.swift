internal import Foundation
internal import Testing
internal import VoiceCore

@testable internal import LanguageModels

/// Conversations as the models' own templates render them; see make_prompt_goldens.py.
struct PromptGoldens {
    struct Case {
        var template: String
        var name: String
        var messages: [ChatMessage]
        var tools: [ToolDeclaration]
        /// The conversation up to where the next message begins, and what begins the answer without and with thoughts.
        var history: String
        var off: String
        var on: String?
    }

    private let content: JSONValue

    init() throws {
        let path = URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
            .appendingPathComponent("Reference/LanguageModels/prompts.json")
        content = try #require(JSONValue(json: try String(contentsOf: path, encoding: .utf8)))
    }

    /// A template's name, and what stands in it of that which it is recognised by.
    func templates() throws -> [(name: String, template: ChatTemplate)] {
        try #require(content["templates"]?.elements).map { value in
            var source = try #require(value["markers"]?.elements).compactMap(\.text).joined(separator: "\n")
            if let system = value["default"]?.text { source += "{{ '<|im_start|>system\\n\(system)<|im_end|>\\n' }}" }
            return (try #require(value["name"]?.text), ChatTemplate(source: source))
        }
    }

    /// The format that a template is recognised as.
    func format(_ name: String) throws -> any PromptFormat {
        try #require(try templates().first { $0.name == name }?.template.format)
    }

    func cases() throws -> [Case] {
        try #require(content["cases"]?.elements).map { value in
            Case(
                template: try #require(value["template"]?.text),
                name: try #require(value["case"]?.text),
                messages: try #require(value["messages"]?.elements).map(Self.message),
                tools: try (value["tools"]?.elements ?? []).map(Self.tool),
                history: try #require(value["history"]?.text),
                off: try #require(value["off"]?.text),
                on: value["on"]?.text
            )
        }
    }

    private static func message(_ value: JSONValue) throws -> ChatMessage {
        let calls = try (value["tool_calls"]?.elements ?? []).map { call in
            ToolCall(
                id: "",
                name: try #require(call["name"]?.text),
                arguments: try #require(call["arguments"]?.members)
            )
        }
        let role = try #require(value["role"]?.text.flatMap(ChatMessage.Role.init(rawValue:)))
        let content = try #require(value["content"]?.text)
        return ChatMessage(role, content, toolCalls: calls, reasoning: value["reasoning"]?.text)
    }

    private static func tool(_ value: JSONValue) throws -> ToolDeclaration {
        try ToolDeclaration(
            name: try #require(value["name"]?.text),
            description: value["description"]?.text ?? "",
            parameters: try #require(value["parameters"])
        )
    }
}
