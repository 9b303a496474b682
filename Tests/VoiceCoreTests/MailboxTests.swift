internal import Testing

@testable internal import VoiceCore

@Suite struct MailboxTests {
    let clock = ManualClock()

    @Test func `messages arrive in the order they were sent`() async {
        let mailbox = Mailbox<Int>(capacity: 8, overflow: .refuseNewest, clock: clock)
        for message in 1...3 { mailbox.send(message) }
        mailbox.finish()
        var received: [Int] = []
        while let message = await mailbox.next() { received.append(message) }
        #expect(received == [1, 2, 3])
    }

    @Test func `a full mailbox drops the oldest and counts it`() async {
        let mailbox = Mailbox<Int>(capacity: 2, overflow: .dropOldest, clock: clock)
        for message in 1...5 { #expect(mailbox.send(message)) }
        #expect(mailbox.dropped == 3)
        #expect(await mailbox.next() == 4)
        #expect(await mailbox.next() == 5)
    }

    @Test func `a full mailbox refuses the newest and says so`() async {
        let mailbox = Mailbox<Int>(capacity: 1, overflow: .refuseNewest, clock: clock)
        #expect(mailbox.send(1))
        #expect(!mailbox.send(2))
        #expect(mailbox.dropped == 1)
        #expect(await mailbox.next() == 1)
    }

    @Test func `a finished mailbox refuses messages and ends`() async {
        let mailbox = Mailbox<Int>(capacity: 1, overflow: .refuseNewest, clock: clock)
        mailbox.finish()
        #expect(!mailbox.send(1))
        #expect(await mailbox.next() == nil)
    }

    @Test func `cancelling the receiver ends its wait`() async {
        let mailbox = Mailbox<Int>(capacity: 1, overflow: .refuseNewest, clock: clock)
        let ended = await withTaskGroup(of: Bool.self) { group in
            group.addTask { await mailbox.next() == nil }
            group.cancelAll()
            return await group.next()
        }
        #expect(ended == true)
    }

    @Test func `a self-driving clock moves only when every mailbox is idle`() async throws {
        let clock = ManualClock(isSelfDriving: true)
        let mailbox = Mailbox<Duration>(capacity: 4, overflow: .refuseNewest, clock: clock)
        clock.workBegan()
        let seen = try await withThrowingTaskGroup(of: [Duration].self) { group in
            clock.workBegan()
            group.addTask {
                defer { mailbox.finish(); clock.workEnded() }
                for step in 1...3 {
                    try await clock.sleep(until: .seconds(step))
                    mailbox.send(clock.now)
                }
                return []
            }
            group.addTask {
                var seen: [Duration] = []
                while await mailbox.next() != nil {
                    // Were the clock to move during work, the yields would let it.
                    for _ in 0..<20 { await Task.yield() }
                    seen.append(clock.now)
                }
                return seen
            }
            var all: [Duration] = []
            for try await part in group { all += part }
            return all
        }
        #expect(seen == [.seconds(1), .seconds(2), .seconds(3)])
    }
}
