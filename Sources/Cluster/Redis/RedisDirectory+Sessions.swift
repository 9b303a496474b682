internal import Logging
internal import Redis
internal import Synchronization
package import VoiceCore

extension RedisDirectory {
    /// Redis is told of so many sessions at a time.
    private static let lanes = 32
    /// It is told of so many that are as it knows them in one command.
    private static let batch = 256

    /// See ``SessionDirectory/claim(_:isNew:)``.
    /// - Throws: `usage` for names that would be parts of other keys, too.
    package func claim(_ session: String, isNew: Bool) async throws(VoiceError) -> SessionLease {
        guard !session.contains(":"), (1...200).contains(session.utf8.count) else {
            throw VoiceError(.usage, "a session's name has 1 to 200 bytes and no ':'")
        }
        let claim = UInt64.random(in: .min ... .max)
        // Nobody waits for a store that is away, if it can be done without.
        if !client.isReady, let lease = claimHere(session, as: claim, isNew: isNew) { return lease }
        let failure: VoiceError
        do {
            return try await claimThere(session, as: claim)
        } catch {
            failure = error
        }
        if failure.code != .cancelled {
            note(failure)
            if let lease = claimHere(session, as: claim, isNew: isNew) { return lease }
        }
        throw failure
    }

    /// See ``SessionDirectory/append(_:to:)``.
    package func append(_ messages: [ChatMessage], to lease: SessionLease) async -> Bool {
        var texts: [String] = []
        for message in messages {
            do { texts.append(try SessionLog.text(of: message)) } catch {
                logger.warning("A message is not kept", metadata: ["reason": "\(error)"])
            }
        }
        guard state.withLock({ $0.ledger.add(texts, to: lease) }) else { return false }
        await settle(lease.session)
        return state.withLock { $0.ledger.holds(lease) }
    }

    /// See ``SessionDirectory/release(_:mayComeBack:)``.
    package func release(_ lease: SessionLease, mayComeBack: Bool) async {
        let now = clock.now
        guard let waiters = state.withLock({ $0.ledger.end(lease, mayComeBack ? .keep : .forget, at: now) }) else {
            return
        }
        for waiter in waiters { waiter.finish() }
        await settle(lease.session)
    }

    /// See ``SessionDirectory/waitForLoss(of:)``.
    package func waitForLoss(of lease: SessionLease) async {
        let waiter = Mailbox<Never>(capacity: 1, overflow: .dropOldest, clock: clock)
        guard state.withLock({ $0.ledger.wait(waiter, for: lease) }) else { return }
        _ = await waiter.next()
        state.withLock { $0.ledger.stopWaiting(waiter, for: lease) }
    }

    /// See ``SessionDirectory/spend(_:for:)``.
    package func spend(_ token: String, for lifetime: Duration) async throws(VoiceError) -> Bool {
        let milliseconds = max(1, Int(lifetime.milliseconds.rounded(.up)))
        let reply = try await client.send(["SET", "\(prefix):token:\(token)", "1", "NX", "PX", "\(milliseconds)"])
        switch reply {
        case .text("OK"): return true
        case .null: return false
        case .failure(let problem):
            throw VoiceError(.unavailable, "Redis cannot note that a one-time token was used: \(problem)")
        case .text, .number, .bytes, .list: throw Reply.malformed("SET")
        }
    }

    // MARK: - claims

    private func claimHere(_ session: String, as claim: UInt64, isNew: Bool) -> SessionLease? {
        guard let claimed = state.withLock({ $0.ledger.claimed(session, as: claim, isNew: isNew) }) else { return nil }
        for waiter in claimed.fenced { waiter.finish() }
        return lease(session, 0, claimed.log, claim)
    }

    private func claimThere(_ session: String, as claim: UInt64) async throws(VoiceError) -> SessionLease {
        let known = state.withLock { $0.ledger.epoch(of: session) }
        let arguments = [memory, owner, worker, "\(known)"]
        let reply = try await ask(DirectoryScripts.claim, keys: keys(of: session), arguments)
        let (epoch, before, total) = (try reply.number(0), try reply.number(1), try reply.number(3))
        let previous = try reply.string(2)
        let messages = try reply.elements(4).compactMap(\.string)
        let stored = SessionLog(messages, next: max(total, messages.count))
        let isContinued = previous == owner || before < known || (before == known && previous.isEmpty)
        let claimed = state.withLock {
            $0.ledger.claimed(session, as: claim, epoch: epoch, stored: stored, isContinued: isContinued)
        }
        for waiter in claimed.fenced { waiter.finish() }
        return lease(session, epoch, claimed.log, claim)
    }

    private func lease(_ session: String, _ epoch: Int, _ log: SessionLog, _ claim: UInt64) -> SessionLease {
        let (history, malformed) = log.history
        if malformed > 0 {
            logger.warning("Some of what was said in a session cannot be read", metadata: ["messages": "\(malformed)"])
        }
        return SessionLease(session: session, epoch: epoch, history: history, claim: claim)
    }

    // MARK: - telling

    /// Says that this worker still holds its sessions, and what Redis does not know of them.
    func tellOfSessions() async {
        var sessions = state.withLock { $0.ledger.unsettled }
        let settled = state.withLock { $0.ledger.settled }
        for start in stride(from: 0, to: settled.count, by: Self.batch) {
            let part = settled[start..<min(start + Self.batch, settled.count)]
            do throws(VoiceError) {
                let keys = part.flatMap { self.keys(of: $0.session) }
                let arguments = [memory, owner] + part.map { "\($0.total)" }
                let answers = try await ask(DirectoryScripts.renew, keys: keys, arguments).elements(0)
                guard answers.count == part.count else { throw Reply.malformed("renewed") }
                sessions += zip(part, answers).filter { $1.whole != 1 }.map(\.0.session)
            } catch {
                return note(error)
            }
        }
        await withDiscardingTaskGroup { group in
            for lane in 0..<min(Self.lanes, sessions.count) {
                group.addTask { [sessions] in
                    for index in stride(from: lane, to: sessions.count, by: Self.lanes) where self.client.isReady {
                        await self.tell(of: sessions[index])
                    }
                }
            }
        }
    }

    /// Has Redis know all of a session, if it answers.
    private func settle(_ session: String) async {
        // Somebody may be telling it already, but not of what came since.
        for _ in 0..<3 where client.isReady {
            let waiter = Mailbox<Never>(capacity: 1, overflow: .dropOldest, clock: clock)
            guard let log = state.withLock({ $0.ledger.waitForAnswer(waiter, of: session) }) else { break }
            _ = await waiter.next()
            state.withLock { $0.ledger.stopWaitingForAnswer(waiter, to: log) }
        }
        if client.isReady, !state.withLock({ $0.ledger.isSettled(session) }) { await tell(of: session) }
    }

    /// Tells Redis all that it does not know of a session, unless that is being done.
    private func tell(of session: String) async {
        // Redis may lack what it had, once; more often only while it loses it again and again.
        for _ in 0..<3 {
            guard let report = state.withLock({ $0.ledger.report(session) }) else { return }
            let answer = await send(report)
            let (isMore, answered, fenced) = state.withLock { $0.ledger.take(answer, to: report) }
            for waiter in answered + fenced { waiter.finish() }
            if !fenced.isEmpty { logger.info("A session is held by another worker now") }
            if !isMore { return }
        }
    }

    private func send(_ report: SessionLedger.Report) async -> SessionLedger.Answer {
        let arguments =
            [
                memory, owner, worker, "\(report.epoch)", "\(report.oldest)", "\(report.first)",
                report.ending?.rawValue ?? "", "\(SessionLog.mostMessages)", "\(SessionLog.mostBytes)",
            ] + report.messages
        do throws(VoiceError) {
            let reply = try await ask(DirectoryScripts.hold, keys: keys(of: report.session), arguments)
            let epoch = try reply.number(0)
            switch reply.word {
            case "held": return .held(epoch: epoch, total: try reply.number(1))
            case "behind": return .behind(epoch: epoch, total: try reply.number(1))
            case "lost": return .lost(epoch: epoch)
            default: throw Reply.malformed(reply.word)
            }
        } catch {
            note(error)
            return .unanswered
        }
    }

    private func keys(of session: String) -> [String] {
        ["\(prefix):session:\(session)", "\(prefix):session:\(session):log"]
    }

    private var memory: String { "\(Int(timing.memory.milliseconds))" }
}
