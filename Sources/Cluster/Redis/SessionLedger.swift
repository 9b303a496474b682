internal import VoiceCore

/// The sessions that this worker holds, and what of them the store does not know yet. A value.
///
/// The store tells workers apart, not claims of one worker: those are told apart here. So a session has at most one entry, that of its latest
/// claim; a lease without an entry is fenced or was given up.
struct SessionLedger: Sendable {
    /// What becomes of a session that was given up.
    enum Ending: String, Sendable {
        /// Its log is kept for a while.
        case keep
        /// Nothing of it is kept.
        case forget
    }

    /// What the store is to be told of a session.
    struct Report: Sendable, Equatable {
        var session: String
        var claim: UInt64
        /// The log's own mark: what the answer says of numbers is said of this log only.
        var log: UInt64
        var epoch: Int
        /// The number of the oldest message that is kept here, and of the first one of `messages`.
        var oldest: Int
        var first: Int
        var messages: [String]
        var ending: Ending?
    }

    /// What the store says to a report.
    enum Answer: Sendable, Equatable {
        /// The session is this worker's, and its log has so many messages, all of the report among them.
        case held(epoch: Int, total: Int)
        /// The session is this worker's, but the log lacks earlier messages; none of the report was added.
        case behind(epoch: Int, total: Int)
        /// Somebody else has claimed the session.
        case lost(epoch: Int)
        /// There was none.
        case unanswered
    }

    fileprivate struct Entry {
        var claim: UInt64
        /// The number of the latest claim in the store, as far as is known; 0 for none.
        var epoch: Int
        var log: SessionLog
        var logMark: UInt64
        /// Set when it was given up and the store does not know yet, and since when.
        var ending: Ending?
        var ended = Duration.zero
        var isReporting = false
    }

    /// Bytes of logs, of all sessions together.
    static let mostBytes = 64 << 20

    private var entries: [String: Entry] = [:]
    /// Who waits for the loss of a claim.
    private var waiters = Waiters()
    /// Who waits for the store's answer to what it is told of a log.
    private var answerWaiters = Waiters()
    private let mostBytes: Int
    /// The size of all logs.
    private(set) var bytes = 0
    /// Messages that were given up before the store had them.
    private(set) var lost = 0

    init(mostBytes: Int = Self.mostBytes) { self.mostBytes = mostBytes }

    // MARK: - claims

    /// The number of the latest claim of a session that is known here; 0 for none.
    func epoch(of session: String) -> Int { entries[session]?.epoch ?? 0 }

    /// Notes a claim that the store agreed to.
    ///
    /// - Parameters:
    ///   - epoch: its number.
    ///   - stored: what the store has.
    ///   - isContinued: whether nobody else had the session since it was held here: then what was kept here is its log.
    /// - Returns: its log, and who has to hear that an earlier claim is no longer good.
    mutating func claimed(
        _ session: String,
        as claim: UInt64,
        epoch: Int,
        stored: SessionLog,
        isContinued: Bool
    ) -> (log: SessionLog, fenced: [Mailbox<Never>]) {
        guard var entry = entries[session] else {
            enter(session, Entry(claim: claim, epoch: epoch, log: stored, logMark: claim))
            return (stored, [])
        }
        // Two tasks claimed the session, and the later one heard first.
        guard epoch > entry.epoch else { return (stored, []) }
        let earlier = entry.claim
        if isContinued {
            entry.log.confirm(below: stored.next)
        } else {
            (entry.log, entry.logMark, entry.isReporting) = (stored, claim, false)
        }
        (entry.claim, entry.epoch, entry.ending) = (claim, epoch, nil)
        enter(session, entry)
        return (entry.log, waiters.take(earlier))
    }

    /// Notes a claim that the store knows nothing of.
    ///
    /// - Returns: its log, and who has to hear that an earlier claim is no longer good; nil if the session is not known here, and not new.
    mutating func claimed(
        _ session: String,
        as claim: UInt64,
        isNew: Bool
    ) -> (log: SessionLog, fenced: [Mailbox<Never>])? {
        guard var entry = entries[session] else {
            guard isNew else { return nil }
            enter(session, Entry(claim: claim, epoch: 0, log: SessionLog(), logMark: claim))
            return (SessionLog(), [])
        }
        let earlier = entry.claim
        // The store may have heard that it was given up: then this is one claim more.
        if entry.ending != nil { entry.epoch += 1 }
        (entry.claim, entry.ending) = (claim, nil)
        enter(session, entry)
        return (entry.log, waiters.take(earlier))
    }

    /// Whether a lease is good, as far as is known.
    func holds(_ lease: SessionLease) -> Bool {
        entries[lease.session].map { $0.claim == lease.claim && $0.ending == nil } ?? false
    }

    /// Has somebody wait for the loss of a lease.
    /// - Returns: false if it is lost already.
    mutating func wait(_ waiter: Mailbox<Never>, for lease: SessionLease) -> Bool {
        guard holds(lease) else { return false }
        waiters.add(waiter, for: lease.claim)
        return true
    }

    /// Has somebody wait no longer.
    mutating func stopWaiting(_ waiter: Mailbox<Never>, for lease: SessionLease) {
        waiters.remove(waiter, for: lease.claim)
    }

    // MARK: - what was said

    /// Adds messages.
    /// - Returns: false if the lease is lost.
    mutating func add(_ messages: [String], to lease: SessionLease) -> Bool {
        guard holds(lease), var entry = entries[lease.session] else { return false }
        for message in messages { lost += entry.log.add(message) }
        enter(lease.session, entry)
        while bytes > mostBytes, let largest = entries.max(by: { $0.value.log.bytes < $1.value.log.bytes }) {
            var entry = largest.value
            lost += entry.log.dropOldest()
            enter(largest.key, entry)
        }
        return true
    }

    /// Gives a lease up.
    /// - Returns: who waited for its loss; nil if it is lost already.
    mutating func end(_ lease: SessionLease, _ ending: Ending, at now: Duration) -> [Mailbox<Never>]? {
        guard holds(lease) else { return nil }
        entries[lease.session]?.ending = ending
        entries[lease.session]?.ended = now
        return waiters.take(lease.claim)
    }

    /// Forgets sessions that were given up longer ago than the store would keep them.
    mutating func forget(endedBefore time: Duration) {
        for (session, entry) in entries where entry.ending != nil && entry.ended < time && !entry.isReporting {
            lost += entry.log.unconfirmed.count
            remove(session)
        }
    }

    // MARK: - the store

    /// Sessions of which the store knows all, as far as is known here, with the number of their messages.
    var settled: [(session: String, total: Int)] {
        entries.filter { $0.value.isSettled }.map { ($0.key, $0.value.log.next) }
    }

    /// The other sessions.
    var unsettled: [String] { entries.filter { !$0.value.isSettled }.map(\.key) }

    /// Whether the store knows all of a session, or there is no such session.
    func isSettled(_ session: String) -> Bool { entries[session]?.isSettled ?? true }

    /// Has somebody wait for the store's answer.
    /// - Returns: the log that the store is being told of; nil if it is told nothing of the session now.
    mutating func waitForAnswer(_ waiter: Mailbox<Never>, of session: String) -> UInt64? {
        guard let entry = entries[session], entry.isReporting else { return nil }
        answerWaiters.add(waiter, for: entry.logMark)
        return entry.logMark
    }

    /// Has somebody wait for an answer no longer.
    mutating func stopWaitingForAnswer(_ waiter: Mailbox<Never>, to log: UInt64) {
        answerWaiters.remove(waiter, for: log)
    }

    /// Begins to tell the store of a session; ``take(_:to:)`` has to follow.
    /// - Returns: nil if it is being told, or there is no such session.
    mutating func report(_ session: String) -> Report? {
        guard let entry = entries[session], !entry.isReporting else { return nil }
        entries[session]?.isReporting = true
        return Report(
            session: session,
            claim: entry.claim,
            log: entry.logMark,
            epoch: entry.epoch,
            oldest: entry.log.first,
            first: entry.log.confirmed,
            messages: Array(entry.log.unconfirmed),
            ending: entry.ending
        )
    }

    /// Takes the store's answer.
    /// - Returns: whether there is more to be told now, who waited for the answer, and who has to hear that the session is lost.
    mutating func take(
        _ answer: Answer,
        to report: Report
    ) -> (isMore: Bool, answered: [Mailbox<Never>], fenced: [Mailbox<Never>]) {
        let answered = answerWaiters.take(report.log)
        let (isMore, fenced) = apply(answer, to: report)
        return (isMore, answered, fenced)
    }

    private mutating func apply(_ answer: Answer, to report: Report) -> (isMore: Bool, fenced: [Mailbox<Never>]) {
        guard var entry = entries[report.session], entry.logMark == report.log else { return (false, []) }
        entry.isReporting = false
        switch answer {
        case .unanswered:
            enter(report.session, entry)
            return (false, [])
        case .lost(let epoch):
            // A later claim of ours has come between.
            if entry.epoch > max(epoch, report.epoch) {
                enter(report.session, entry)
                return (true, [])
            }
            remove(report.session)
            return (false, waiters.take(entry.claim))
        case .held(let epoch, let total), .behind(let epoch, let total):
            entry.epoch = max(entry.epoch, epoch)
            entry.log.confirm(below: total)
            if case .held = answer, report.ending != nil, entry.ending == report.ending, entry.claim == report.claim {
                remove(report.session)
                return (false, [])
            }
            enter(report.session, entry)
            return (!entry.isSettled, [])
        }
    }

    // MARK: -

    private mutating func enter(_ session: String, _ entry: Entry) {
        bytes += entry.log.bytes - (entries[session]?.log.bytes ?? 0)
        entries[session] = entry
    }

    private mutating func remove(_ session: String) {
        bytes -= entries.removeValue(forKey: session)?.log.bytes ?? 0
    }
}

extension SessionLedger.Entry {
    fileprivate var isSettled: Bool {
        epoch > 0 && ending == nil && !isReporting && log.unconfirmed.isEmpty
    }
}
