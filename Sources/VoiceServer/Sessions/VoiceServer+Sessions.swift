internal import Cluster
internal import Conversation
internal import Logging
internal import NIOCore
internal import Transports
internal import VoiceCore

/// The life of one conversation.
extension VoiceServer {
    /// Messages of a conversation that wait to be written down; a conversation makes a few in each turn.
    private static let waitingMessages = 256

    /// Holds a conversation to its end.
    ///
    /// - Parameters:
    ///   - ticket: its place.
    ///   - pass: who is there.
    ///   - mint: makes the token that brings the visitor back.
    ///   - accept: tells the visitor that it begins.
    func hold(
        _ meeting: some Meeting,
        _ visitor: Visitor,
        _ ticket: Admission.Ticket,
        _ pass: Doorkeeper.Pass,
        _ mint: TokenMint,
        accept: (Welcome) -> any Transport
    ) async {
        let lease: SessionLease
        let token: String
        do {
            lease = try await directory.claim(ticket.session, isNew: !pass.returns)
            token = try await mint.make(.resume, session: ticket.session, key: ticket.key)
        } catch {
            logger.warning("session refused", metadata: ["error.code": "\(error.code)"])
            return meeting.close(.full(error.message))
        }
        let description = describe()
        let welcome = Welcome(
            session: ticket.session,
            token: token,
            models: description.models,
            advice: description.advice
        )
        let transport = MeasuredTransport(carrier: accept(welcome), metrics: metrics, quiet: quiet)
        let (messages, write) = AsyncStream.makeStream(
            of: [ChatMessage].self,
            bufferingPolicy: .bufferingNewest(Self.waitingMessages)
        )
        let info = SessionInfo(
            id: ticket.session,
            visitor,
            playout: transport.playoutRate,
            past: ConversationPast(messages: lease.history) { write.yield($0) },
            report: { metrics.note($0) },
            logger
        )
        let began = clock.now
        metrics.began(kind: info.kind, returns: !lease.history.isEmpty)
        info.logger.info(
            "session began",
            metadata: ["session.kind": "\(info.kind)", "session.epoch": "\(lease.epoch)"]
        )
        let (loss, lose) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingOldest(1))
        await withTaskGroup { group in
            group.addTask {
                for await batch in messages where await !directory.append(batch, to: lease) { return lose.finish() }
            }
            await live.with(ticket, deliver: meeting.deliver) {
                let mayComeBack = await follow(info, transport, meeting, lease, loss, visitor)
                // What was heard last is written down before somebody else may read it.
                write.finish()
                await group.waitForAll()
                await directory.release(lease, mayComeBack: mayComeBack)
            }
        }
        info.logger.info("session ended", metadata: ["session.seconds": "\((clock.now - began).components.seconds)"])
    }

    /// What ended a conversation.
    private enum End {
        case conversation(CloseReason)
        case connection
        /// Another connection has claimed it.
        case claim
    }

    /// Follows a conversation until something ends it.
    /// - Parameter loss: ends when it turns out that the conversation is another's.
    /// - Returns: whether the person may come back.
    private func follow(
        _ info: SessionInfo,
        _ transport: any Transport,
        _ meeting: some Meeting,
        _ lease: SessionLease,
        _ loss: AsyncStream<Void>,
        _ visitor: Visitor
    ) async -> Bool {
        await withTaskGroup(of: End?.self) { group in
            group.addTask { .conversation(await run(info, transport, meeting)) }
            group.addTask {
                try? await meeting.closed.get()
                // Cut short where the server stops: then the conversation's own end counts, after which a call is hung up.
                guard (try? await clock.sleep(until: clock.now + configuration.timing.sessionGrace)) != nil else {
                    return nil
                }
                return .connection
            }
            group.addTask {
                await directory.waitForLoss(of: lease)
                return Task.isCancelled ? nil : .claim
            }
            group.addTask {
                for await _ in loss {}
                return Task.isCancelled ? nil : .claim
            }
            var end: End?
            while end == nil, let next = await group.next() { end = next }
            let hasGone = meeting.isClosing
            defer { group.cancelAll() }
            switch end {
            case .conversation(let reason):
                if case .telephone(let call) = visitor { await hangUp(call, reason, meeting, info.logger) }
                meeting.close(reason)
            case .claim:
                metrics.wasContinuedElsewhere()
                meeting.close(.continuedElsewhere)
            case .connection, nil: break
            }
            // After a call, and after a conversation that the agent has ended, nobody does.
            if case .telephone = visitor { return false }
            if case .conversation(.ended) = end { return hasGone }
            return true
        }
    }

    /// Runs a session to its end and says how to close after it.
    private func run(
        _ info: SessionInfo,
        _ transport: any Transport,
        _ meeting: some Meeting
    ) async -> CloseReason {
        do {
            try await runSession(transport, info)
            if isOverdue { return .restarting }
            return Task.isCancelled ? .shuttingDown : .ended
        } catch {
            if Task.isCancelled { return isOverdue ? .restarting : .shuttingDown }
            // Most likely it wanted to say something to a page that has just gone.
            if meeting.isClosing { return .ended }
            let failure = VoiceError.wrapping(error, doing: "the conversation failed")
            // Errors of engines do not quote what people say, but their causes may.
            info.logger.warning("session failed", metadata: ["error.code": "\(failure.code)"])
            return .failure(failure)
        }
    }

    /// Hangs up, unless the caller did.
    private func hangUp(
        _ call: TelephonyCall,
        _ reason: CloseReason,
        _ meeting: some Meeting,
        _ logger: Logger
    ) async {
        guard reason != .ended || !meeting.isClosing, let hangUp = HangUp(call, configuration.telephony) else {
            return
        }
        guard let problem = await hangUp.run() else { return logger.info("call hung up") }
        logger.warning("call not hung up", metadata: ["problem": "\(problem)"])
    }
}
