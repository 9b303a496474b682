internal import Inference
internal import VoiceCore

extension LlamaEngine {
    /// How long each token of a reply takes from its number to what is said, thought and called: its bytes, characters, markup,
    /// and the notes that are taken of it. For benchmarks.
    func parsingTimes(ofReply text: String) -> [Duration] {
        let tools = (try? ToolDeclaration(name: "now", description: "The time.")).map { [$0] } ?? []
        let parser = ReplyParser(
            calls: tokenizer.format.calls,
            tools: tools,
            thinks: tokenizer.format.thinks,
            beginsInThought: false,
            callPrefix: "call"
        )
        var reply = ReplyInProgress(sampling: SamplingOptions(), budget: nil, parser: parser)
        let clock = ContinuousClock()
        return tokenizer.tokens([.content(text)]).map { token in
            clock.measure {
                if let bytes = tokenizer.bytes(of: token) { _ = reply.take(token, bytes) }
            }
        }
    }
}
