internal import Synchronization
internal import Testing
internal import VoiceCore

@testable internal import VoiceServer

/// What is done while no conversation needs the processor.
@Suite(.timeLimit(.minutes(5))) struct QuietMomentsTests {
    @Test func `it is done once after news, when no more has come for a while`() async {
        let clock = ManualClock()
        let moments = QuietMoments()
        let done = Count()
        func step() async -> Int {
            while clock.sleeperCount == 0 { await Task.yield() }
            clock.advance(by: QuietMoments.length)
            while clock.sleeperCount == 0 { await Task.yield() }
            return done.value
        }
        async let _: Void = moments.run(clock) { done.add() }
        var counts = [await step(), await step()]
        #expect(counts == [0, 0], "Nothing has happened yet.")
        moments.note()
        counts = [await step()]
        moments.note()
        counts += [await step(), await step(), await step(), await step()]
        #expect(counts == [0, 0, 1, 1, 1])
        moments.note()
        counts = [await step(), await step()]
        #expect(counts == [1, 2])
    }

    private final class Count: Sendable {
        private let count = Atomic(0)
        var value: Int { count.load(ordering: .relaxed) }
        func add() { count.add(1, ordering: .relaxed) }
    }

    @Test func `where nothing is to be done, nobody waits`() async {
        let clock = ManualClock()
        await QuietMoments().run(clock, nil)
        #expect(clock.sleeperCount == 0)
    }
}
