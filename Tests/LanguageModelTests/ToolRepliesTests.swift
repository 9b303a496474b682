internal import Inference
internal import Testing
internal import VoiceCore

@testable internal import LanguageModels

/// Replies that think and call, token by token without a model that would: what is kept of them when they come back.
@Suite struct ToolRepliesTests {
    private let vocabulary: Vocabulary
    private let options: ChatOptions
    private let question = [ChatMessage(.system, "Be brief."), ChatMessage(.user, "What time is it?")]

    init() throws {
        vocabulary = try Vocabulary(Models.thinking)
        options = ChatOptions(tools: [try ToolDeclaration(name: "now", description: "The time.")])
    }

    /// A chat whose model has said `words` to `messages`, and what came of it.
    private func said(
        _ words: String,
        to messages: [ChatMessage],
        _ options: ChatOptions,
        in seat: inout ChatSeat
    ) -> [ReplyEvent] {
        let tokenizer = vocabulary.tokenizer
        let plan = seat.plan(messages, options: options, sampling: .greedy(), tokenizer: tokenizer, capacity: 4096)
        seat.start(keeping: plan.kept)
        seat.log += seat.run?.unread ?? []
        seat.run?.unread = []
        var events: [ReplyEvent] = []
        // Letter by letter where there is no mark: not as the tokenizer would cut it.
        for segment in tokenizer.format.markup(words) {
            let tokens: [TokenID]
            if case .control = segment {
                tokens = tokenizer.tokens([segment])
            } else {
                tokens = segment.string.flatMap { vocabulary.model.tokenize(String($0)) }
            }
            for token in tokens {
                events += seat.run?.reply?.take(token, tokenizer.bytes(of: token) ?? []) ?? []
                seat.log.append(token)
            }
        }
        return events + (seat.run?.reply?.finish() ?? [])
    }

    /// How many tokens of the next prompt are in memory, and how many it has.
    private func reuse(
        _ messages: [ChatMessage],
        _ options: ChatOptions,
        in seat: inout ChatSeat
    ) -> (kept: Int, of: Int) {
        let plan = seat.plan(
            messages,
            options: options,
            sampling: .greedy(),
            tokenizer: vocabulary.tokenizer,
            capacity: 4096
        )
        return (plan.kept, seat.run?.usage.promptTokens ?? 0)
    }

    private func joined(_ events: [ReplyEvent]) -> (text: String, reasoning: String, calls: [ToolCall]) {
        events.reduce(into: ("", "", [])) { joined, event in
            switch event {
            case .text(let piece): joined.0 += piece
            case .reasoning(let piece): joined.1 += piece
            case .toolCall(let call): joined.2.append(call)
            case .malformedCall, .delayed, .completeness, .finished: break
            }
        }
    }

    private static let call =
        "<tool_call>\n<function=now>\n<parameter=zone>\nUTC\n</parameter>\n</function>\n</tool_call>\n"

    @Test func `after a call everything that was read and said stays in memory`() throws {
        var seat = ChatSeat()
        let said = joined(said("One moment.\n" + Self.call, to: question, options, in: &seat))
        #expect(said.text == "One moment." && said.calls.map(\.name) == ["now"])
        #expect(said.calls.first?.arguments == ["zone": "UTC"])
        let memory = seat.log.count
        let answer = ChatMessage(.assistant, said.text, toolCalls: said.calls)
        let (kept, _) = reuse(question + [answer, .result(of: answer.toolCalls[0], "ten")], options, in: &seat)
        #expect(kept == memory)
    }

    @Test func `an interrupted call leaves what was heard of the words before it`() throws {
        var seat = ChatSeat()
        let prompt = vocabulary.prompt(question, options).count
        _ = said("One moment.\n" + Self.call, to: question, options, in: &seat)
        let (kept, _) = reuse(
            question + [ChatMessage(.assistant, "One mom"), ChatMessage(.user, "Stop")],
            options,
            in: &seat
        )
        #expect(kept == prompt + "One mom".count)
    }

    @Test func `another call than the one that was made is read anew`() throws {
        var seat = ChatSeat()
        let prompt = vocabulary.prompt(question, options).count
        let calls = joined(said(Self.call, to: question, options, in: &seat)).calls
        var other = try #require(calls.first)
        other.arguments["zone"] = "CET"
        let answer = ChatMessage(.assistant, "", toolCalls: [other])
        let (kept, _) = reuse(question + [answer, .result(of: other, "ten")], options, in: &seat)
        #expect(kept >= prompt && kept < seat.log.count)
    }

    @Test func `each call of a chat has an identifier of its own`() throws {
        var seat = ChatSeat()
        let first = joined(said(Self.call + Self.call, to: question, options, in: &seat)).calls
        let second = joined(said(Self.call, to: question, options, in: &seat)).calls
        #expect(Set((first + second).map(\.id)).count == 3)
    }

    @Test func `thoughts stay in memory until the person speaks again`() throws {
        var seat = ChatSeat()
        var options = options
        options.reasoning = .on
        let asked = vocabulary.prompt(question, options).count
        let said = joined(said("Which zone?\n</think>\nOne moment.\n" + Self.call, to: question, options, in: &seat))
        #expect(said.reasoning == "Which zone?" && said.text == "One moment.")
        let memory = seat.log.count
        let answer = ChatMessage(.assistant, said.text, toolCalls: said.calls, reasoning: said.reasoning)
        let result = ChatMessage.result(of: said.calls[0], "ten")
        var loop = seat
        #expect(reuse(question + [answer, result], options, in: &loop).kept == memory)
        // Nobody kept the thoughts: the prompt has none, and is the same up to where they began.
        let thoughtless = ChatMessage(.assistant, said.text, toolCalls: said.calls)
        var other = seat
        #expect(reuse(question + [thoughtless, result], options, in: &other).kept == asked - 1)
        // The person speaks: the template leaves the thoughts out.
        #expect(reuse(question + [answer, result, ChatMessage(.user, "So?")], options, in: &seat).kept == asked - 1)
    }

    @Test func `the words after thoughts are read again in the tokens that the model chose`() throws {
        var seat = ChatSeat()
        var options = options
        options.reasoning = .on
        _ = said("Hm.\n</think>\nIt is the time.", to: question, options, in: &seat)
        let next = question + [ChatMessage(.assistant, "It is the time."), ChatMessage(.user, "So?")]
        var plain = ChatSeat()
        _ = plain.plan(next, options: options, sampling: .greedy(), tokenizer: vocabulary.tokenizer, capacity: 4096)
        _ = seat.plan(next, options: options, sampling: .greedy(), tokenizer: vocabulary.tokenizer, capacity: 4096)
        // "the" is one token to the tokenizer, and was three to the model.
        let (chosen, cut) = (seat.run?.usage.promptTokens ?? 0, plain.run?.usage.promptTokens ?? 0)
        #expect(chosen > cut)
    }

    @Test(arguments: [(Reasoning.budget(5), 5), (.budget(1), 1)])
    func `thoughts end when their budget is spent`(reasoning: Reasoning, most: Int) throws {
        var seat = ChatSeat()
        let options = ChatOptions(reasoning: reasoning)
        _ = seat.plan(question, options: options, sampling: .greedy(2), tokenizer: vocabulary.tokenizer, capacity: 4096)
        var reply = try #require(seat.run?.reply)
        let letter = try #require(vocabulary.model.tokenize("x").first)
        for _ in 0..<most {
            #expect(!reply.mustStopThinking)
            #expect(reply.take(letter, Array("x".utf8)) == [.reasoning("x")])
        }
        #expect(reply.mustStopThinking)
        for token in vocabulary.tokenizer.tokens(vocabulary.tokenizer.format.reasoningEnd) {
            #expect(reply.take(token, vocabulary.tokenizer.bytes(of: token) ?? [], isForced: true) == [])
        }
        #expect(!reply.mustStopThinking && !reply.isSpent)
        #expect(reply.take(letter, Array("x".utf8)) == [.text("x")])
        // Thoughts do not count as words.
        #expect(!reply.isSpent)
        _ = reply.take(letter, Array("x".utf8))
        #expect(reply.isSpent)
    }
}
