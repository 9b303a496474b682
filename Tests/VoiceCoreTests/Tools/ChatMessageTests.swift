internal import Foundation
internal import Testing
internal import VoiceCore

@Suite struct ChatMessageTests {
    @Test func `a message of role and text is read and written as such`() throws {
        let message = try JSONDecoder().decode(ChatMessage.self, from: Data(#"{"role":"user","content":"hi"}"#.utf8))
        #expect(message == ChatMessage(.user, "hi"))
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        #expect(String(decoding: try encoder.encode(message), as: UTF8.self) == #"{"content":"hi","role":"user"}"#)
    }

    @Test func `calls, results and thoughts are read as they were written`() throws {
        let call = ToolCall(id: "1", name: "f", arguments: ["a": .array([1, "b", .null])])
        let messages = [
            ChatMessage(.assistant, "One moment.", toolCalls: [call], reasoning: "Hm."),
            ChatMessage.result(of: call, "done"),
        ]
        let data = try JSONEncoder().encode(messages)
        #expect(try JSONDecoder().decode([ChatMessage].self, from: data) == messages)
        #expect(messages[1].toolCallID == "1" && messages[1].role == .tool)
    }
}
