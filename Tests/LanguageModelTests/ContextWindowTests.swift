internal import Foundation
internal import Inference
internal import Testing
internal import VoiceCore

@testable internal import LanguageModels

@Suite struct ContextWindowTests {
    private let vocabulary: Vocabulary
    private var start: TokenID? { vocabulary.tokenizer.control("<|im_start|>") }
    private var end: TokenID? { vocabulary.tokenizer.control("<|im_end|>") }

    init() throws { vocabulary = try Vocabulary(Models.attention) }

    private func fit(_ messages: [ChatMessage], _ window: inout ContextWindow, limit: Int, room: Int = 0) -> [TokenID] {
        let tokenizer = vocabulary.tokenizer
        return window.fit(messages, limit: limit, leaving: room, tokenizer) { messages in
            let prompt = tokenizer.format.render(messages, tools: [])
            func part(_ rendered: RenderedMessage) -> ContextWindow.Part {
                ContextWindow.Part(rendered: rendered, tokens: tokenizer.tokens(rendered.segments))
            }
            return ContextWindow.Parts(head: part(prompt.head), body: prompt.messages.map(part))
        }.tokens
    }

    private func tokens(_ messages: some Sequence<ChatMessage>) -> [TokenID] { messages.flatMap(vocabulary.tokens) }

    private func conversation(turns: Int) -> [ChatMessage] {
        [ChatMessage(.system, "S")]
            + (0..<turns).flatMap { [ChatMessage(.user, "question \($0)"), ChatMessage(.assistant, "answer \($0)")] }
            + [ChatMessage(.user, "last question")]
    }

    @Test func `what fits is not touched`() {
        var window = ContextWindow()
        let messages = conversation(turns: 3)
        #expect(fit(messages, &window, limit: 1000) == tokens(messages))
    }

    @Test func `the oldest turns go first, the system message and the last question stay`() {
        var window = ContextWindow()
        let messages = conversation(turns: 20)
        let limit = 300
        let fitted = fit(messages, &window, limit: limit)
        let system = vocabulary.tokens(messages[0])
        #expect(fitted.count <= limit / 2)
        #expect(fitted.starts(with: system))
        #expect(fitted.count > limit / 4)
        let kept = fitted.dropFirst(system.count)
        #expect(tokens(messages).suffix(kept.count) == kept)
        #expect(messages.contains { $0.role == .user && kept.starts(with: vocabulary.tokens($0)) })
        let question = vocabulary.tokens(messages[41])
        #expect(fitted.suffix(question.count) == question[...])
    }

    @Test func `what was left out stays out, so that the prefix stays the same`() {
        var window = ContextWindow()
        var messages = conversation(turns: 20)
        var last = fit(messages, &window, limit: 300)
        var changes = 0
        for turn in 0..<12 {
            messages += [ChatMessage(.assistant, "answer"), ChatMessage(.user, "question \(turn)")]
            let next = fit(messages, &window, limit: 300)
            if !next.starts(with: last) { changes += 1 }
            #expect(next.count <= 300)
            last = next
        }
        #expect((1...4).contains(changes))
    }

    @Test func `another conversation is not cut where the last one was`() {
        var window = ContextWindow()
        _ = fit(conversation(turns: 20), &window, limit: 300)
        let other = [ChatMessage(.system, "S"), ChatMessage(.user, "hello"), ChatMessage(.assistant, "hi")]
        #expect(fit(other, &window, limit: 300) == tokens(other))
    }

    @Test(arguments: [40, 100, 300])
    func `messages that are too long themselves are cut to their last words`(limit: Int) {
        var window = ContextWindow()
        let long = String(repeating: "abc ", count: 2000)
        let messages = [ChatMessage(.system, long), ChatMessage(.user, long + "the end")]
        let fitted = fit(messages, &window, limit: limit)
        #expect(fitted.count <= limit && fitted.count > limit - 4)
        #expect(fitted.first == start)
        #expect(fitted.filter { $0 == start }.count == 2 && fitted.filter { $0 == end }.count == 2)
    }

    @Test func `a result is never left without its call`() {
        var window = ContextWindow()
        let call = ToolCall(id: "1", name: "now", arguments: [:])
        var messages = [ChatMessage(.system, "S")]
        for turn in 0..<12 {
            messages += [
                ChatMessage(.user, "question \(turn)"), ChatMessage(.assistant, "", toolCalls: [call]),
                .result(of: call, "ten"), ChatMessage(.assistant, "It is ten."),
            ]
        }
        messages.append(ChatMessage(.user, "last question"))
        let fitted = fit(messages, &window, limit: 500)
        let kept = fitted.dropFirst(vocabulary.tokens(messages[0]).count)
        #expect(fitted.count <= 250 && !kept.isEmpty)
        #expect(messages.contains { $0.role == .user && kept.starts(with: vocabulary.tokens($0)) })
    }
}
