internal import LanguageModels
internal import Testing
internal import VoiceCore

/// Whatever a chat was put through, it goes on as one that has just read the conversation.
@Suite(.timeLimit(.minutes(5))) struct MemoryEqualityTests {
    private static let words = ["tell", "me", "the", "and", "then", "what", "is", "an", "answer", "in", "here", "stop"]

    /// A conversation under way, put through what sessions do.
    private struct Life {
        let chat: any Chat
        var random: SplitMix64
        var messages = [ChatMessage(.system, "Be brief.")]

        mutating func sentence() -> String {
            (0..<Int.random(in: 1...8, using: &random)).map { _ in words.randomElement(using: &random) ?? "" }
                .joined(separator: " ")
        }

        func asked(_ text: String) -> [ChatMessage] { messages + [ChatMessage(.user, text)] }

        /// What the model says until its consumer goes away, after at most `count` pieces.
        func reply(to messages: [ChatMessage], pieces count: Int, urgency: Urgency.Level) async throws -> String {
            var said = ""
            var taken = 0
            for try await event in chat.reply(to: messages, sampling: .greedy(20), urgency: Urgency(urgency)) {
                if case .text(let piece) = event { said += piece }
                taken += 1
                if taken >= count { break }
            }
            return said
        }

        /// One turn: read ahead while the person speaks, drafts thrown away, an answer of which a part is heard.
        mutating func turn() async throws {
            let text = sentence()
            if Bool.random(using: &random) {
                let known = text.split(separator: " ").prefix(2).joined(separator: " ")
                try await chat.prefill(asked(known), urgency: Urgency(.speculation))
            }
            for _ in 0..<Int.random(in: 0...2, using: &random) {
                let other = Bool.random(using: &random) ? text : sentence()
                let pieces = Int.random(in: 1...10, using: &random)
                _ = try await reply(to: asked(other), pieces: pieces, urgency: .speculation)
            }
            let pieces = Bool.random(using: &random) ? 100 : Int.random(in: 1...12, using: &random)
            let said = try await reply(to: asked(text), pieces: pieces, urgency: .firstAudio)
            // Heard to the end, to a place in the middle, or not at all.
            let heard = String(said.prefix(Int.random(in: 0...said.count, using: &random)))
            messages.append(ChatMessage(.user, text))
            if heard.contains(where: { !$0.isWhitespace }) { messages.append(ChatMessage(.assistant, heard)) }
            if Bool.random(using: &random) { try await chat.prefill(messages, urgency: Urgency(.background)) }
        }
    }

    /// Near-ties of random weights may fall the other way where batches are cut differently: one in twenty is allowed. A
    /// wrong memory changes about half of the tokens.
    @Test(arguments: [Models.attention, Models.hybrid])
    func `after drafts, roll-backs and interruptions the next answer is that of a fresh chat`(path: String) async throws
    {
        let model = try await Models.load(path, chats: 2)
        var same = 0
        let lives = 40
        for seed in 0..<lives {
            var life = Life(chat: try await model.openChat(), random: SplitMix64(seed: UInt64(seed)))
            for _ in 0..<4 { try await life.turn() }
            let question = life.asked("what now")
            let used = try await life.chat.say(question)
            let fresh = try await model.openChat().say(question)
            #expect(used.usage.promptTokens > 20)
            if used.text == fresh.text { same += 1 }
        }
        #expect(same >= lives - lives / 20, "\(same) of \(lives)")
    }
}
