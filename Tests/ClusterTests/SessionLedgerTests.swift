internal import Testing
internal import VoiceCore

@testable internal import Cluster

@Suite struct SessionLedgerTests {
    private func lease(_ session: String, _ claim: UInt64) -> SessionLease {
        SessionLease(session: session, epoch: 0, claim: claim)
    }

    /// A session that this worker began with the store, with messages that the store does not know.
    private func begun(_ messages: [String] = []) -> SessionLedger {
        var ledger = SessionLedger()
        _ = ledger.claimed("s", as: 1, epoch: 1, stored: SessionLog(), isContinued: true)
        _ = ledger.add(messages, to: lease("s", 1))
        return ledger
    }

    /// Tells the store of the session, which answers.
    private func tell(
        of ledger: inout SessionLedger,
        _ answer: SessionLedger.Answer
    ) throws -> (report: SessionLedger.Report, isMore: Bool, fenced: [Mailbox<Never>]) {
        let report = ledger.report("s")
        let told = try #require(report)
        let (isMore, _, fenced) = ledger.take(answer, to: told)
        return (told, isMore, fenced)
    }

    @Test func `a new session is told with all that was said since`() throws {
        var ledger = SessionLedger()
        let unknown = ledger.claimed("s", as: 1, isNew: false)
        #expect(unknown == nil)
        let claimed = ledger.claimed("s", as: 1, isNew: true)
        #expect(claimed?.log == SessionLog())
        _ = ledger.add(["a", "b"], to: lease("s", 1))
        #expect(ledger.unsettled == ["s"] && ledger.settled.isEmpty)
        let begun = ledger.report("s")
        let report = try #require(begun)
        #expect(report.epoch == 0 && report.oldest == 0 && report.first == 0 && report.messages == ["a", "b"])
        let second = ledger.report("s")
        #expect(second == nil)
        _ = ledger.add(["c"], to: lease("s", 1))
        let after = ledger.take(.held(epoch: 1, total: 2), to: report)
        #expect(after.isMore)
        let next = try tell(of: &ledger, .held(epoch: 1, total: 3))
        #expect(next.report.epoch == 1 && next.report.first == 2 && next.report.messages == ["c"] && !next.isMore)
        #expect(ledger.settled.map(\.total) == [3] && ledger.unsettled.isEmpty)
    }

    @Test func `what was not answered is told again`() throws {
        var ledger = begun(["a"])
        let first = try tell(of: &ledger, .unanswered)
        let second = try tell(of: &ledger, .unanswered)
        #expect(first.report == second.report && !first.isMore)
    }

    @Test func `a store that lost the log gets all that is kept`() throws {
        var ledger = begun(["a", "b"])
        let first = try tell(of: &ledger, .held(epoch: 1, total: 2))
        let second = try tell(of: &ledger, .behind(epoch: 1, total: 0))
        #expect(!first.isMore && second.isMore)
        let report = try tell(of: &ledger, .unanswered).report
        #expect(report.oldest == 0 && report.first == 0 && report.messages == ["a", "b"])
    }

    @Test func `whoever waits for the store's answer hears of it`() throws {
        var ledger = begun(["a"])
        let waiter = Mailbox<Never>(capacity: 1, overflow: .dropOldest, clock: ManualClock())
        let early = ledger.waitForAnswer(waiter, of: "s")
        let begun = ledger.report("s")
        let report = try #require(begun)
        let late = ledger.waitForAnswer(waiter, of: "s")
        #expect(early == nil && late != nil && !ledger.isSettled("s"))
        let after = ledger.take(.held(epoch: 1, total: 1), to: report)
        #expect(after.answered.count == 1 && after.answered.first === waiter && ledger.isSettled("s"))
    }

    @Test func `a lost session takes no more, and whoever waits hears of it`() throws {
        var ledger = begun()
        let waiter = Mailbox<Never>(capacity: 1, overflow: .dropOldest, clock: ManualClock())
        let waits = ledger.wait(waiter, for: lease("s", 1))
        #expect(waits)
        let (_, isMore, fenced) = try tell(of: &ledger, .lost(epoch: 2))
        #expect(!isMore && fenced.count == 1 && fenced.first === waiter)
        #expect(!ledger.holds(lease("s", 1)) && ledger.bytes == 0)
        let added = ledger.add(["a"], to: lease("s", 1))
        let ended = ledger.end(lease("s", 1), .keep, at: .zero)
        let stillWaits = ledger.wait(waiter, for: lease("s", 1))
        #expect(!added && ended == nil && !stillWaits)
    }

    @Test func `a later claim of the same worker fences the earlier one and keeps what was not told`() throws {
        var ledger = begun(["a", "b"])
        let waiter = Mailbox<Never>(capacity: 1, overflow: .dropOldest, clock: ManualClock())
        _ = ledger.wait(waiter, for: lease("s", 1))
        let stored = SessionLog(["a"], next: 1)
        let (log, fenced) = ledger.claimed("s", as: 2, epoch: 2, stored: stored, isContinued: true)
        #expect(log.messages == ["a", "b"] && Array(log.unconfirmed) == ["b"] && fenced.count == 1)
        let (old, new) = (ledger.add(["x"], to: lease("s", 1)), ledger.add(["c"], to: lease("s", 2)))
        #expect(!old && new)
        let report = try tell(of: &ledger, .unanswered).report
        #expect(report.messages == ["b", "c"])
    }

    @Test func `a claim after somebody else's takes the store's log`() throws {
        var ledger = begun(["mine"])
        let begun = ledger.report("s")
        let old = try #require(begun)
        let stored = SessionLog(["theirs"], next: 1)
        let claimed = ledger.claimed("s", as: 2, epoch: 3, stored: stored, isContinued: false)
        #expect(claimed.log == stored)
        // The answer to what was told before says nothing of this log, nor of this claim.
        let after = ledger.take(.lost(epoch: 2), to: old)
        #expect(!after.isMore && ledger.holds(lease("s", 2)))
        let report = try tell(of: &ledger, .unanswered).report
        #expect(report.messages == [])
    }

    @Test func `of two claims at once the later one stands, whoever hears first`() {
        var ledger = SessionLedger()
        _ = ledger.claimed("s", as: 2, epoch: 2, stored: SessionLog(), isContinued: true)
        _ = ledger.claimed("s", as: 1, epoch: 1, stored: SessionLog(), isContinued: true)
        #expect(ledger.holds(lease("s", 2)) && !ledger.holds(lease("s", 1)))
    }

    @Test func `a session that was given up is told until the store has heard`() throws {
        var ledger = begun(["a"])
        let ended = ledger.end(lease("s", 1), .keep, at: .seconds(5))
        let added = ledger.add(["b"], to: lease("s", 1))
        #expect(ended != nil && !added && !ledger.holds(lease("s", 1)))
        let first = try tell(of: &ledger, .unanswered)
        #expect(first.report.ending == .keep && first.report.messages == ["a"])
        ledger.forget(endedBefore: .seconds(5))
        _ = try tell(of: &ledger, .held(epoch: 1, total: 1))
        #expect(ledger.unsettled.isEmpty && ledger.settled.isEmpty && ledger.bytes == 0 && ledger.lost == 0)
    }

    @Test func `a session that the store never heard of any more is forgotten after a while`() {
        var ledger = begun(["a"])
        _ = ledger.end(lease("s", 1), .keep, at: .seconds(5))
        ledger.forget(endedBefore: .seconds(6))
        #expect(ledger.unsettled.isEmpty && ledger.bytes == 0 && ledger.lost == 1)
    }

    @Test func `a session comes back to its worker while the store is away, and is told as one claim more`() throws {
        var ledger = begun(["a"])
        _ = ledger.end(lease("s", 1), .keep, at: .zero)
        let begun = ledger.report("s")
        let release = try #require(begun)
        let claimed = ledger.claimed("s", as: 2, isNew: false)
        #expect(claimed?.log.messages == ["a"])
        // Whatever became of the release: the session is held again.
        _ = ledger.take(.held(epoch: 1, total: 1), to: release)
        #expect(ledger.holds(lease("s", 2)))
        let report = try tell(of: &ledger, .unanswered).report
        #expect(report.epoch == 2 && report.ending == nil)
    }

    @Test func `a release that the store heard of, of a session that came back meanwhile, loses nothing`() throws {
        var ledger = begun()
        _ = ledger.end(lease("s", 1), .keep, at: .zero)
        let begun = ledger.report("s")
        let release = try #require(begun)
        _ = ledger.claimed("s", as: 2, isNew: false)
        // It was told twice: the store says that the session is nobody's.
        let after = ledger.take(.lost(epoch: 1), to: release)
        #expect(after.isMore && ledger.holds(lease("s", 2)))
        // But if another worker claimed it, it is that one's.
        _ = try tell(of: &ledger, .lost(epoch: 2))
        #expect(!ledger.holds(lease("s", 2)))
    }

    @Test func `all sessions together are bounded, the longest gives first`() throws {
        var ledger = SessionLedger(mostBytes: 100)
        for claim in 1...3 { _ = ledger.claimed("s\(claim)", as: UInt64(claim), isNew: true) }
        for _ in 0..<9 { _ = ledger.add(["0123456789"], to: lease("s1", 1)) }
        _ = ledger.add(["x"], to: lease("s2", 2))
        #expect(ledger.bytes == 91 && ledger.lost == 0)
        _ = ledger.add(["0123456789"], to: lease("s3", 3))
        #expect(ledger.bytes == 91 && ledger.lost == 1)
        let (first, second) = (ledger.report("s1"), ledger.report("s2"))
        #expect(first?.oldest == 1 && second?.messages == ["x"])
        _ = ledger.add([String(repeating: "y", count: 200)], to: lease("s2", 2))
        #expect(ledger.bytes <= 100)
    }
}
