internal import Audio
internal import ServerPool
internal import VoiceCore
internal import WebSocketClient

/// One speaker's recognition on a server, or on one of a pool.
///
/// Does what ``RemoteMachine`` says, inside the calls of its one user: between them the event loop collects what the
/// server sends, and nothing else runs. The connection ends with the last reference.
actor RemoteStream: RecognizerStream {
    private var machine: RemoteMachine
    private let servers: SpeechServers
    private let link: WebSocketLink
    private let limits: RemoteLimits
    private let clock: any SessionClock
    private let warn: @Sendable (String) -> Void
    /// The server of the pool that the stream is on.
    private var lease: ServerLease?
    /// Servers that failed in the running utterance.
    private var failed: Set<Int> = []

    /// What the machine has said of late; nil where it was silent.
    private struct News {
        var isReady = false
        var partial: Transcript?
        var final: String?
        var failure: VoiceError?
    }

    init(
        _ servers: SpeechServers,
        options: RecognitionOptions,
        link: WebSocketLink,
        limits: RemoteLimits,
        clock: any SessionClock,
        warn: @escaping @Sendable (String) -> Void
    ) {
        machine = RemoteMachine(place: servers.name, options: options, limits: limits)
        self.servers = servers
        self.link = link
        self.limits = limits
        self.clock = clock
        self.warn = warn
    }

    deinit { link.close() }

    /// Samples given up because the server could not take them.
    var dropped: Int { machine.dropped }

    /// Connects. Called once, before anything else.
    /// - Throws: `unavailable` when the server is not ready in time, `usage` when it does not take the options, `cancelled`
    ///   when the task is.
    func open() async throws(VoiceError) {
        var news = News()
        perform(.open, &news)
        while !news.isReady {
            try await wait(for: &news, doing: "connecting to the speech server")
        }
    }

    func feed(_ samples: [Float]) async throws(VoiceError) -> Transcript? {
        var news = News()
        catchUp(&news)
        if let failure = news.failure { throw failure }
        perform(.audio(samples), &news)
        let patience = clock.now + limits.final
        while machine.isCongested, news.failure == nil, !Task.isCancelled, clock.now < patience {
            await wait(until: patience)
            catchUp(&news)
        }
        if let failure = news.failure { throw failure }
        return news.partial
    }

    func finish(flushing flush: RecognitionFlush) async throws(VoiceError) -> Transcript {
        var news = News()
        catchUp(&news)
        if let failure = news.failure { throw failure }
        perform(.finish(flush), &news)
        while true {
            if let final = news.final { return Transcript(text: final, isFinal: true) }
            do { try await wait(for: &news, doing: "recognition") } catch {
                if error.code == .cancelled { perform(.abandon, &news) }
                throw error
            }
        }
    }

    func reset() async throws(VoiceError) {
        var news = News()
        catchUp(&news)
        perform(.reset, &news)
    }

    /// Waits for the next event, or the machine's deadline, and takes it in.
    private func wait(for news: inout News, doing what: String) async throws(VoiceError) {
        if let failure = news.failure { throw failure }
        guard !Task.isCancelled else { throw VoiceError(.cancelled, "\(what) was cancelled") }
        await wait(until: machine.deadline ?? clock.now + limits.final)
        catchUp(&news)
        if let failure = news.failure { throw failure }
    }

    private func wait(until deadline: Duration) async {
        await withTaskGroup(of: Void.self) { [link, clock, lease] group in
            group.addTask { await link.signal.wait() }
            group.addTask { try? await clock.sleep(until: deadline) }
            if let lease { group.addTask { await lease.alarm.wait() } }
            await group.next()
            group.cancelAll()
        }
    }

    /// Tells the machine what has happened meanwhile.
    private func catchUp(_ news: inout News) {
        for event in link.take() {
            switch event {
            case .opened: break
            case .message(let text):
                lease?.note(.heard)
                perform(.message(text), &news)
            case .binary: perform(.binary, &news)
            case .writable(let isWritable): perform(.writable(isWritable), &news)
            case .closed(let why): end(.closed(why: why), &news)
            case .refused(let why, let pause): end(.refused(why: why, retryAfter: pause), &news)
            }
        }
        if let lease, lease.isLost {
            leave()
            perform(.lost, &news)
        }
        if let deadline = machine.deadline, deadline <= clock.now { perform(.time, &news) }
    }

    private func perform(_ event: RemoteMachine.Event, _ news: inout News) {
        for action in machine.handle(event, at: clock.now) {
            switch action {
            case .connect: connect(&news)
            case .disconnect: link.disconnect()
            case .note(let verdict): note(verdict)
            case .leaveOut(let why): leaveOut(why)
            case .say(let text): link.say(text)
            case .send(let samples): link.send(PCM16.bytes(samples))
            case .ready:
                failed = []
                news.isReady = true
            case .partial(let text, let isEndpoint):
                news.partial = Transcript(text: text, isFinal: false, isEndpoint: isEndpoint)
            case .final(let text): news.final = text
            case .failed(let error):
                failed = []
                news.failure = error
            }
        }
    }

    // MARK: - The pool

    private func connect(_ news: inout News) {
        guard let pool = servers.pool else { return link.connect() }
        let wasElsewhere = !failed.isEmpty
        // The old lease ends first: its place is free.
        lease = nil
        guard let next = pool.lease(except: failed.union(servers.unfit.all(at: clock.now))) else {
            // After a pause one that failed may be back.
            failed = []
            return perform(.alone(why: "no speech server is there: \(pool.trouble)"), &news)
        }
        if wasElsewhere { pool.failedOver() }
        lease = next
        machine.place = "\(servers.addresses[next.server])"
        link.connect(to: servers.addresses[next.server])
    }

    /// The connection is gone, and with it the server's place, unless there is another one already.
    private func end(_ event: RemoteMachine.Event, _ news: inout News) {
        let old = lease
        perform(event, &news)
        if let old, old === lease { lease = nil }
    }

    private func note(_ verdict: PoolVerdict) {
        lease?.note(verdict)
        switch verdict {
        case .served: failed = []
        case .failed, .refused: leave()
        case .heard, .slow: break
        }
    }

    /// The server is not to be chosen again for this utterance.
    private func leave() {
        if let lease { failed.insert(lease.server) }
        lease = nil
    }

    private func leaveOut(_ why: String) {
        guard let lease, servers.unfit.add(lease.server, at: clock.now) else { return }
        warn("\(why) It is left out.")
    }
}
