internal import Testing
internal import VoiceCore
internal import VoiceTesting

@testable internal import VoiceServer

@Suite(.timeLimit(.minutes(5))) struct ChatPoolTests {
    private let clock = ManualClock()

    private func pool(_ chats: Int) async throws -> ChatPool {
        let model = ScriptedLanguageModel(clock: clock) { _ in [] }
        return try await ChatPool(model, chats: chats, patience: .seconds(30), clock: clock)
    }

    private func prompt(_ texts: String...) -> Prompt {
        let system = "You are an agent whose instructions are about as long as this, to make it worth to keep them."
        var messages = [ChatMessage(.system, system)]
        for (index, text) in texts.enumerated() {
            messages.append(ChatMessage(index % 2 == 0 ? .user : .assistant, text))
        }
        return Prompt(messages: messages)
    }

    /// Has a conversation's turn, and gives the number of the chat that it was had with.
    private func turn(_ pool: ChatPool, _ prompt: Prompt) async throws -> Int {
        let lease = try await pool.take(for: prompt)
        var memory = prompt
        memory.messages.append(ChatMessage(.assistant, "Well."))
        lease.giveBack(remembering: memory)
        return lease.seat
    }

    private func fail(_ pool: ChatPool, _ prompt: Prompt) async -> VoiceError? {
        do throws(VoiceError) {
            _ = try await pool.take(for: prompt)
            return nil
        } catch {
            return error
        }
    }

    private let long =
        "A long story, longer than the instructions are, about a person who went out one day to see the world."

    @Test func `a conversation's next turn gets the chat that it had`() async throws {
        let pool = try await pool(3)
        let first = try await turn(pool, prompt("One " + long))
        let second = try await turn(pool, prompt("Two " + long))
        #expect(first != second)
        #expect(try await turn(pool, prompt("One " + long, "Well.", "And then?")) == first)
        #expect(try await turn(pool, prompt("Two " + long, "Well.", "And then?")) == second)
        // An answer of which only the beginning was heard.
        #expect(try await turn(pool, prompt("One " + long, "We", "Wait.")) == first)
    }

    @Test func `another conversation gets the chat that was used longest ago`() async throws {
        let pool = try await pool(2)
        let first = try await turn(pool, prompt("One " + long))
        let second = try await turn(pool, prompt("Two " + long))
        #expect(try await turn(pool, prompt("One " + long, "Well.", "And then?")) == first)
        #expect(try await turn(pool, prompt("Three " + long)) == second)
        #expect(try await turn(pool, prompt("Four " + long)) == first)
    }

    @Test func `instructions are read once where little else is remembered`() async throws {
        let pool = try await pool(2)
        let first = try await turn(pool, prompt("Hi"))
        #expect(try await turn(pool, prompt("Hello")) == first)
    }

    @Test func `other tools are another conversation`() async throws {
        let pool = try await pool(2)
        let first = try await turn(pool, prompt("One " + long))
        var next = prompt("One " + long, "Well.", "And then?")
        next.tools = [try ToolDeclaration(name: "now", description: "")]
        #expect(try await turn(pool, next) != first)
    }

    @Test func `requests that find no chat wait in their order`() async throws {
        let pool = try await pool(1)
        let lease = try await pool.take(for: prompt("One"))
        let order = Mailbox<Int>(capacity: 2, overflow: .refuseNewest, clock: clock)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<2 {
                group.addTask { [prompt = prompt("Next")] in
                    let next = try await pool.take(for: prompt)
                    order.send(number)
                    next.giveBack(remembering: nil)
                }
                while clock.sleeperCount <= number { await Task.yield() }
                while pool.waitingCount <= number { await Task.yield() }
            }
            lease.giveBack(remembering: nil)
            try await group.waitForAll()
        }
        #expect(await order.next() == 0)
        #expect(await order.next() == 1)
    }

    @Test func `a request waits no longer than it has patience`() async throws {
        let pool = try await pool(1)
        let lease = try await pool.take(for: prompt("One"))
        async let failure = fail(pool, prompt("Two"))
        while clock.sleeperCount == 0 || pool.waitingCount == 0 { await Task.yield() }
        clock.advance(by: .seconds(30))
        #expect(await failure?.code == .exhausted)
        #expect(pool.waitingCount == 0)
        lease.giveBack(remembering: nil)
        #expect(try await turn(pool, prompt("Three")) == lease.seat)
    }

    @Test func `a cancelled request leaves the queue`() async throws {
        let pool = try await pool(1)
        let lease = try await pool.take(for: prompt("One"))
        let error = await withTaskGroup(of: VoiceError?.self) { group in
            group.addTask { await fail(pool, prompt("Two")) }
            while pool.waitingCount == 0 { await Task.yield() }
            group.cancelAll()
            return await group.next() ?? nil
        }
        #expect(error?.code == .cancelled)
        #expect(pool.waitingCount == 0)
        lease.giveBack(remembering: nil)
    }

    @Test func `a chat whose client has left is waited for by the same conversation, by no other`() async throws {
        let pool = try await pool(2)
        let left = try await pool.take(for: prompt("One " + long))
        left.expectEnd()
        async let same = pool.take(for: prompt("One " + long, "We", "Wait."))
        while pool.waitingCount == 0 { await Task.yield() }
        let other = try await pool.take(for: prompt("Two " + long))
        #expect(other.seat != left.seat)
        left.giveBack(remembering: prompt("One " + long, "Well, I"))
        #expect(try await same.seat == left.seat)
    }

    @Test func `a chat that nobody holds any more is back`() async throws {
        let pool = try await pool(1)
        do { _ = try await pool.take(for: prompt("One")) }
        #expect(try await turn(pool, prompt("Two")) == 0)
    }
}
