internal import Synchronization
internal import VoiceCore

/// Says that it takes a moment, when a reply's model fails or is silent: once, among the reply's clauses.
///
/// **Run it beside the thinking, tell it what that does, and ask it for the filler before the next words.**
final class ReplyBridge: Sendable {
    private struct State {
        var patience = Patience()
        /// What was said and not asked for yet.
        var said: String?
    }

    private let filler: String
    private let epoch: Int
    private let voice: any SpeechSynthesizer
    private let clauses: ClauseQueue
    private let playout: Playout
    private let clock: any SessionClock
    private let report: @Sendable (SessionInput) -> Void
    private let state = Mutex(State())
    /// When to look again.
    private let alarms: Mailbox<Duration>

    /// - Parameters:
    ///   - filler: what is said.
    ///   - voice: who says it.
    ///   - clauses: where it goes.
    init(
        _ filler: String,
        epoch: Int,
        voice: any SpeechSynthesizer,
        clauses: ClauseQueue,
        playout: Playout,
        clock: any SessionClock,
        report: @escaping @Sendable (SessionInput) -> Void
    ) {
        self.filler = filler
        self.epoch = epoch
        self.voice = voice
        self.clauses = clauses
        self.playout = playout
        self.clock = clock
        self.report = report
        alarms = Mailbox(capacity: 16, overflow: .dropOldest, clock: clock)
    }

    /// Watches the reply until cancelled.
    func run() async {
        guard await playout.waitForOpening(epoch: epoch) else { return }
        change { $0.open(at: clock.now) }
        await withDiscardingTaskGroup { group in
            while let alarm = await alarms.next() {
                clock.workBegan()
                group.addTask { [self] in
                    defer { clock.workEnded() }
                    guard (try? await clock.sleep(until: alarm)) != nil else { return }
                    await look()
                }
            }
            group.cancelAll()
        }
    }

    // MARK: - What the thinking does

    /// The model is asked.
    func ask() { change { $0.ask(at: clock.now) } }

    /// Its answer takes longer than usual.
    func delay() { change { $0.delay(at: clock.now) } }

    /// It has nothing more to say for now.
    func rest() { change { $0.rest() } }

    /// Words go to the voice.
    func speak() { change { $0.speak() } }

    /// Something else was said about waiting.
    func end() { change { $0.end() } }

    /// Whether enough was said about waiting.
    var isOver: Bool { state.withLock { $0.patience.isOver } }

    /// What was said since the last call; nil for nothing.
    func takeFiller() -> String? {
        state.withLock { state in
            defer { state.said = nil }
            return state.said
        }
    }

    private func change(_ body: (inout Patience) -> Void) {
        let due = state.withLock { state in
            body(&state.patience)
            return state.patience.due(dry: nil)
        }
        if let due { alarms.send(due) }
    }

    /// Says it if it is time.
    private func look() async {
        let dry = await playout.runsDry(epoch: epoch)
        let now = clock.now
        let due = state.withLock { state -> Duration? in
            guard let due = state.patience.due(dry: dry) else { return nil }
            guard due <= now else { return due }
            state.patience.end()
            let text = state.patience.hasSpoken ? " " + filler : filler
            state.said = text
            // Under the lock, so that no words come between.
            report(.reply(epoch: epoch, .clause(text)))
            clauses.send(ClauseQueue.Item(clause: text, voice: voice, tokens: 0))
            return nil
        }
        if let due { alarms.send(due) }
    }
}
