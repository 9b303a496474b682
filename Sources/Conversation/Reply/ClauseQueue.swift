internal import Synchronization
internal import VoiceCore

/// Clauses on their way from the language model to the voice, and how far the model may be ahead of it.
///
/// One task sends, one receives. The credit bounds what a cut reply has computed for nothing, and what waits here: a second
/// of speech takes some five tokens, so that 64 are a dozen seconds.
final class ClauseQueue: Sendable {
    /// Tokens that the model may be ahead of the voice.
    static let credit = 64

    /// A clause, who speaks it, and the tokens of the reply up to its end.
    struct Item: Sendable {
        var clause: String
        var voice: any SpeechSynthesizer
        var tokens: Int
    }

    private struct Count {
        var sent = 0
        var spoken = 0
    }

    private let credit: Int
    private let mailbox: Mailbox<Item>
    private let count = Mutex(Count())
    private let progress: Signal

    /// Makes a queue. With a credit of 0 the model waits until all that it has said was synthesised.
    init(credit: Int, clock: any SessionClock) {
        self.credit = credit
        mailbox = Mailbox(capacity: 256, overflow: .refuseNewest, clock: clock)
        progress = Signal(clock: clock)
    }

    /// Hands a clause over.
    func send(_ item: Item) {
        count.withLock { $0.sent = max($0.sent, item.tokens) }
        mailbox.send(item)
    }

    /// Tells that no more clauses will come.
    func finish() { mailbox.finish() }

    /// Waits while the clauses that were not spoken yet are worth more than the credit; not when the task is cancelled.
    func waitForCredit() async {
        while !Task.isCancelled, count.withLock({ $0.sent - $0.spoken > credit }) { await progress.wait() }
    }

    /// The next clause; nil after the last one, or when the task is cancelled.
    func next() async -> Item? { await mailbox.next() }

    /// Notes that all audio of the reply's first `tokens` tokens was made.
    func spoke(tokens: Int) {
        count.withLock { $0.spoken = max($0.spoken, tokens) }
        progress.raise()
    }
}
