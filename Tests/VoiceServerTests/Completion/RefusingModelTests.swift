internal import Testing
internal import VoiceCore

@testable internal import VoiceServer

/// A model that has neither tools nor thoughts, as one whose template knows none.
private struct RefusingModel: LanguageModel {
    let name = "plain"
    let contextLength = 256

    func openChat() async throws(VoiceError) -> any Chat { RefusingChat() }
}

private struct RefusingChat: Chat {
    func prefill(
        _ messages: [ChatMessage],
        options: ChatOptions,
        urgency: Urgency?
    ) async throws(VoiceError) -> ReplyUsage {
        throw VoiceError(.usage, "nobody reads ahead here")
    }

    func reply(
        to messages: [ChatMessage],
        sampling: SamplingOptions,
        options: ChatOptions,
        urgency: Urgency?
    ) -> AsyncThrowingStream<ReplyEvent, any Error> {
        AsyncThrowingStream {
            try options.requireNothing()
            return nil
        }
    }
}

@Suite(.timeLimit(.minutes(5))) struct RefusingModelTests {
    @Test(arguments: [
        #","stream":true,"tools":[{"type":"function","function":{"name":"weather"}}]"#,
        #","chat_template_kwargs":{"enable_thinking":true}"#, #","reasoning_effort":"low""#,
    ])
    func `what a model cannot do is the client's mistake, in the model's words`(more: String) async throws {
        try await CompletionTestServer.run(RefusingModel()) { port in
            try await RawClient.connect(to: port) { client in
                let (reply, json) = try await client.completion(more)
                #expect(reply.status == 400)
                #expect(json?["error"]?["type"] == "invalid_request_error")
                #expect(json?["error"]?["message"]?.text?.contains("neither tools nor reasoning") == true)
            }
        }
    }
}
