internal import Audio
internal import NIOPosix
internal import NIOSSL
internal import ServerPool
internal import Synchronization
internal import VoiceCore
internal import WebSocketClient

/// A connection to a synthesis server that speaks one text after the other.
///
/// Does what ``RemoteSpeechMachine`` says, inside the calls of its one user: between them the event loop collects what the
/// server sends, and stops reading when that is much. The connection ends with the last reference.
final class SpeechLine: Sendable {
    fileprivate struct State: ~Copyable {
        var machine: RemoteSpeechMachine
        /// From the line's rate to the voice's, of the running text.
        var resampler: Resampler?
        var rate: SampleRate
        /// Samples of the running text, at the voice's rate, and words that end behind them.
        var samples = 0
        var words: [SpokenWord] = []
        var isFinished = false
        /// How long the server may be silent before somebody should look after it; nil for ever.
        var patience: Duration?
        /// When that is, if nothing is heard before; nil once it was done.
        var alarm: Duration?
        /// When the server that had no room may have some, if it said so.
        var refusal: Duration?
    }

    /// What has happened of late.
    private struct News {
        var isReady = false
        var chunk = SpeechChunk(samples: [])
        var failure: VoiceError?
    }

    private let state: Mutex<State>
    private let link: WebSocketLink
    private let clock: any SessionClock

    /// Makes a line without a connection.
    /// - Parameter rate: of the audio that comes out.
    init(
        machine: consuming sending RemoteSpeechMachine,
        rate: SampleRate,
        link: WebSocketLink,
        clock: any SessionClock
    ) {
        state = Mutex(State(machine: machine, rate: rate))
        self.link = link
        self.clock = clock
    }

    deinit { link.close() }

    /// Connects, and takes the rate of the server's voice. Called once, before anything else, or not at all.
    /// - Returns: that rate.
    /// - Throws: `unavailable` when the server is not ready in time, `usage` when it does not have the voice.
    func prepare() async throws(VoiceError) -> SampleRate {
        perform([.prepare])
        while true {
            let news = catchUp()
            if let failure = news.failure { throw failure }
            if news.isReady {
                return state.withLock { state in
                    state.rate = state.machine.rate
                    return state.rate
                }
            }
            guard !Task.isCancelled else {
                throw VoiceError(.cancelled, "connecting to the speech server was cancelled")
            }
            await wait(nil)
        }
    }

    /// Takes in what happened while nobody spoke.
    /// - Returns: false if the connection ended.
    func settle() -> Bool {
        _ = catchUp()
        return state.withLock { $0.machine.isUp }
    }

    /// Begins a text.
    /// - Parameter patience: how long the server may be silent before ``next(_:)`` calls it slow; nil for ever.
    func begin(_ text: String, patience: Duration? = nil) {
        let now = clock.now
        state.withLock { state in
            state.resampler = nil
            state.samples = 0
            state.words = []
            state.isFinished = false
            state.patience = patience
            state.alarm = patience.map { now + $0 }
        }
        perform([.speak(text)])
    }

    /// The next audio of the text; nil after the last, or when the task is cancelled.
    /// - Parameter lease: of the server, where it is one of several; it is told how the server does.
    func next(_ lease: ServerLease? = nil) async throws(VoiceError) -> SpeechChunk? {
        while !Task.isCancelled {
            let news = catchUp()
            if !news.chunk.samples.isEmpty || !news.chunk.words.isEmpty {
                lease?.note(.heard)
                let now = clock.now
                state.withLock { state in state.alarm = state.patience.map { now + $0 } }
                return news.chunk
            }
            if let failure = news.failure { throw failure }
            if state.withLock({ $0.isFinished }) { return nil }
            if let lease { try look(after: lease) }
            await wait(lease)
        }
        return nil
    }

    /// When the server that had no room may have some, if it said so.
    var refusal: Duration? { state.withLock { $0.refusal } }

    /// Finds a dead server, and a slow one.
    private func look(after lease: ServerLease) throws(VoiceError) {
        guard !lease.isLost else { throw VoiceError(.unavailable, "the speech server's checks fail") }
        let now = clock.now
        let isSlow = state.withLock { state -> Bool in
            guard let alarm = state.alarm, alarm <= now else { return false }
            state.alarm = nil
            return true
        }
        if isSlow { lease.note(.slow) }
    }

    /// Stops the text. Returns at once.
    func abandon() { perform([.abandon]) }

    private func wait(_ lease: ServerLease?) async {
        let deadline = state.withLock { state in
            [state.machine.deadline, lease == nil ? nil : state.alarm].compactMap(\.self).min()
        }
        await withTaskGroup(of: Void.self) { [link, clock] group in
            group.addTask { await link.signal.wait() }
            if let lease { group.addTask { await lease.alarm.wait() } }
            if let deadline { group.addTask { try? await clock.sleep(until: deadline) } }
            await group.next()
            group.cancelAll()
        }
    }

    /// Tells the machine what has happened meanwhile.
    private func catchUp() -> News {
        let now = clock.now
        let events = link.take()
        for case .refused(_, let pause) in events { state.withLock { $0.refusal = pause } }
        var news = perform(events.map { .link($0) })
        if let deadline = state.withLock({ $0.machine.deadline }), deadline <= now { perform([.time], &news) }
        return news
    }

    @discardableResult
    private func perform(_ events: [RemoteSpeechMachine.Event]) -> News {
        var news = News()
        perform(events, &news)
        return news
    }

    private func perform(_ events: [RemoteSpeechMachine.Event], _ news: inout News) {
        for event in events {
            for action in state.withLock({ $0.machine.handle(event, at: clock.now) }) {
                switch action {
                case .connect: link.connect()
                case .disconnect: link.disconnect()
                case .say(let text): link.say(text)
                case .ready: news.isReady = true
                case .sound(let samples): news.chunk.samples += state.withLock { $0.take(samples) }
                case .words(let words): state.withLock { $0.note(words) }
                case .finished: news.chunk.samples += state.withLock { $0.finish() }
                case .failed(let code, let message): news.failure = VoiceError(code, message)
                }
            }
        }
        news.chunk.words += state.withLock { $0.spokenWords() }
    }
}

extension SpeechLine.State {
    /// Audio at the voice's rate.
    mutating func take(_ samples: [Float]) -> [Float] {
        if resampler == nil { resampler = Resampler(from: machine.rate, to: rate) }
        return add(resampler?.feed(samples) ?? samples)
    }

    /// What the change of rate has kept.
    mutating func finish() -> [Float] {
        isFinished = true
        return add(resampler?.flush() ?? [])
    }

    /// Takes the words' ends, in milliseconds of the text.
    mutating func note(_ new: [RemoteSpeechMessage.Word]) {
        for word in new where word.textEnd >= 0 && (0...86_400_000).contains(word.end) {
            let sampleEnd = Int((word.end * Double(rate.hertz) / 1000).rounded())
            words.append(SpokenWord(textEnd: word.textEnd, sampleEnd: sampleEnd))
        }
    }

    /// The words that have been spoken, each once.
    mutating func spokenWords() -> [SpokenWord] {
        let count = isFinished ? words.count : words.prefix { $0.sampleEnd <= samples }.count
        defer { words.removeFirst(count) }
        return Array(words.prefix(count))
    }

    private mutating func add(_ new: [Float]) -> [Float] {
        samples += new.count
        return new
    }
}
