internal import Audio
package import VoiceCore

/// Paces a session's replies to its loudspeaker and knows, to the sample, what was heard.
///
/// One reply at a time. The reply's task appends audio, `run()` sends it in frames of 20 ms, a short lead ahead of the
/// clock; `cut` ends a reply between two frames and answers with the text that was heard. Audio of any other reply than
/// the open one is dropped at the door.
package actor Playout {
    /// Something that happened at the loudspeaker.
    package enum Event: Sendable, Equatable {
        /// The first audible sample of this reply plays at `at` on the session's clock.
        case audible(epoch: Int, at: Duration)
        /// The far end began to play this reply later than it was sent: the first audible sample really played at `at`.
        case confirmed(epoch: Int, at: Duration)
        /// More of the reply was heard.
        case progress(epoch: Int, heard: String, pending: String)
        /// All of the reply was played.
        case finished(epoch: Int, heard: String)
        /// The loudspeaker had nothing to play for so long in the middle of the reply.
        case underrun(epoch: Int, lasted: Duration)
    }

    private struct Reply {
        var epoch: Int
        var ledger = Ledger()
        /// Audio at the playout rate; everything before `first` was sent.
        var audio: [Float] = []
        var first = 0
        var sent = 0
        /// When sample 0 plays, moved on by every underrun. Nil before the first frame.
        var start: Duration?
        var firstAudible: Int?
        var hasReportedAudible = false
        var isComplete = false
        /// True while nothing of it may be heard: its turn may not be over.
        var isHeld: Bool
        /// True while the person may be interrupting.
        var isPaused = false
        /// True from the end of a pause until the next frame.
        var isResuming = false
        /// What the far end says it has played, and when it said so; nil if it never did.
        var acknowledged: (samples: Int, at: Duration)?
        /// Whether the far end has ever said so.
        var isConfirmed = false
        var lastProgress = ""

        /// Samples that wait to be sent.
        var waiting: Int { audio.count - first }
        var isSilent: Bool { isHeld || isPaused }

        /// Marks samples as sent. The last `kept` of them stay, to be sent again after a pause. Memory is given back in large
        /// steps, so that a frame moves nothing.
        mutating func send(_ count: Int, keeping kept: Int) {
            first += count
            sent += count
            let surplus = first - kept
            guard surplus > audio.count / 2 else { return }
            audio.removeFirst(surplus)
            first = kept
        }

        /// Goes back to an earlier position, as far as the audio is still there.
        mutating func rewind(to position: Int) {
            let back = min(max(0, sent - position), first)
            first -= back
            sent -= back
        }
    }

    /// Audio longer than this is not taken in ahead of the loudspeaker: `append` waits.
    private static let capacity = Duration.seconds(20)
    private static let frame = Duration.milliseconds(20)
    /// Audio that stays after it was sent: a far end's buffer and a word.
    private static let kept = Duration.seconds(1)

    private let clock: any SessionClock
    private let lead: Duration
    private let rate: SampleRate
    private let audibleThreshold: Float
    private let loudspeaker: LoudspeakerSignal?
    private let send: @Sendable (TransportMessage) async -> Void
    private let report: @Sendable (Event) -> Void
    private let wake: Signal
    private let room: Signal
    private let gate: Signal
    /// For whoever else waits for a held reply.
    private let opening: Signal
    private var reply: Reply?

    /// Makes a playout for one session.
    ///
    /// - Parameters:
    ///   - rate: the transport's playout rate; appended audio must have it.
    ///   - lead: how far ahead of the clock audio is sent.
    ///   - audibleThreshold: a sample is audible from this amplitude on.
    ///   - loudspeaker: is told what plays when; nil if nobody wants to know.
    ///   - send: hands a message to the transport.
    ///   - report: takes events; must not block.
    init(
        clock: any SessionClock,
        rate: SampleRate,
        lead: Duration,
        audibleThreshold: Float,
        loudspeaker: LoudspeakerSignal? = nil,
        send: @escaping @Sendable (TransportMessage) async -> Void,
        report: @escaping @Sendable (Event) -> Void
    ) {
        self.clock = clock
        self.rate = rate
        self.lead = lead
        self.audibleThreshold = audibleThreshold
        self.loudspeaker = loudspeaker
        self.send = send
        self.report = report
        wake = Signal(clock: clock)
        room = Signal(clock: clock)
        gate = Signal(clock: clock)
        opening = Signal(clock: clock)
    }

    // MARK: - The reply's side

    /// Opens a reply; audio of every other epoch is refused from now on.
    /// - Parameter isHeld: whether nothing of it may be heard before ``release(epoch:)``.
    package func open(epoch: Int, isHeld: Bool = false) {
        reply = Reply(epoch: epoch, isHeld: isHeld)
    }

    /// Waits while the reply is held. False if it was cut meanwhile.
    package func waitForRelease(epoch: Int) async -> Bool {
        while let reply, reply.epoch == epoch, reply.isHeld {
            await gate.wait()
            if Task.isCancelled { return false }
        }
        return reply?.epoch == epoch
    }

    /// The same for somebody else than the reply's own task. One waiter.
    func waitForOpening(epoch: Int) async -> Bool {
        while let reply, reply.epoch == epoch, reply.isHeld {
            await opening.wait()
            if Task.isCancelled { return false }
        }
        return reply?.epoch == epoch
    }

    /// Begins a clause of a reply. False if the reply is not the open one.
    package func beginClause(_ text: String, epoch: Int) -> Bool {
        guard reply?.epoch == epoch else { return false }
        reply?.ledger.beginClause(text)
        return true
    }

    /// Takes audio of the clause begun last, and waits while too much is queued. False if the reply was cut meanwhile.
    package func append(_ samples: [Float], words: [SpokenWord], epoch: Int) async -> Bool {
        while reply?.epoch == epoch, let waiting = reply?.waiting, waiting > rate.samples(in: Self.capacity) {
            await room.wait()
            if Task.isCancelled { return false }
        }
        guard reply?.epoch == epoch else { return false }
        if reply?.firstAudible == nil, let index = samples.firstIndex(where: { abs($0) > audibleThreshold }) {
            let position = index + (reply?.ledger.sampleCount ?? 0)
            reply?.firstAudible = position
        }
        reply?.ledger.append(samples: samples.count, words: words)
        reply?.audio += samples
        wake.raise()
        return true
    }

    /// Ends the clause begun last.
    package func endClause(epoch: Int) {
        guard reply?.epoch == epoch else { return }
        reply?.ledger.endClause()
    }

    /// When the audio that a reply has now will have been played; nil if it is not the open one.
    package func runsDry(epoch: Int) -> Duration? {
        guard let reply, reply.epoch == epoch else { return nil }
        guard !reply.isPaused, let start = reply.start else {
            return clock.now + rate.duration(ofSamples: reply.waiting)
        }
        return start + rate.duration(ofSamples: reply.sent + reply.waiting)
    }

    /// Tells that no more audio of this reply will come.
    package func complete(epoch: Int) {
        guard reply?.epoch == epoch else { return }
        reply?.isComplete = true
        wake.raise()
    }

    // MARK: - The session's side

    /// Takes the far end's word for how much it has played.
    package func acknowledge(samples: Int, epoch: Int) {
        guard reply?.epoch == epoch, samples >= 0 else { return }
        let now = clock.now
        let isFirst = reply?.isConfirmed == false
        reply?.isConfirmed = true
        let played = max(reply?.acknowledged?.samples ?? 0, min(samples, reply?.sent ?? 0))
        reply?.acknowledged = (played, now)
        if reply?.isPaused == true { reply?.rewind(to: played) }
        // The page reports as soon as sound leaves, so its first word tells when playing began: its own buffer and the
        // way there belong to what the person waits for.
        guard isFirst, samples > 0, let start = reply?.start, let first = reply?.firstAudible else { return }
        let begun = now - rate.duration(ofSamples: played)
        if begun > start { report(.confirmed(epoch: epoch, at: begun + rate.duration(ofSamples: first))) }
    }

    /// Lets a held reply be heard, from now on.
    package func release(epoch: Int) {
        guard reply?.epoch == epoch else { return }
        reply?.isHeld = false
        gate.raise()
        opening.raise()
        wake.raise()
    }

    /// Throws a held reply away; the far end never knew of it.
    package func discard(epoch: Int) {
        guard let reply, reply.epoch == epoch, reply.isHeld else { return }
        self.reply = nil
        room.raise()
        gate.raise()
        opening.raise()
    }

    /// Silences a reply now, until ``resume(epoch:)`` or ``cut(epoch:)``.
    ///
    /// The far end forgets what it has not played; nothing of that counts as heard.
    /// - Returns: how much is still to be played; nil if the reply is not all made yet, or not the open one.
    package func pause(epoch: Int) async -> Duration? {
        guard let reply, reply.epoch == epoch, !reply.isSilent else { return nil }
        self.reply?.rewind(to: heardSamples(of: reply, at: clock.now))
        self.reply?.isPaused = true
        loudspeaker?.cut(at: clock.now)
        let remaining = self.reply.map { rate.duration(ofSamples: $0.waiting) }
        await send(.pause(epoch: epoch))
        return reply.isComplete ? remaining : nil
    }

    /// Ends a pause: the reply goes on with the word in which it stopped.
    package func resume(epoch: Int) {
        guard let paused = reply, paused.epoch == epoch, paused.isPaused else { return }
        reply?.rewind(to: paused.ledger.wordStart(atSample: paused.sent))
        reply?.isPaused = false
        reply?.isResuming = true
        // The far end counts on from where it is told to.
        reply?.acknowledged = nil
        wake.raise()
    }

    /// Silences a reply now. Returns the text that was heard, nil if the reply is not open any more.
    package func cut(epoch: Int) async -> String? {
        guard let reply, reply.epoch == epoch else { return nil }
        self.reply = nil
        room.raise()
        gate.raise()
        opening.raise()
        loudspeaker?.cut(at: clock.now)
        let heard = reply.ledger.heard(afterSamples: heardSamples(of: reply, at: clock.now))
        await send(.cut(epoch: epoch))
        return heard
    }

    /// Sends audio until cancelled.
    package func run() async {
        var nextFrame = clock.now
        while !Task.isCancelled {
            guard let frame = takeFrame() else {
                reportProgress()
                if let end = drainDeadline() {
                    guard await sleep(until: min(end, clock.now + Self.frame)) else { return }
                    finishIfDrained()
                } else {
                    await wake.wait()
                }
                continue
            }
            if let start = reply?.start, reply?.isResuming == false {
                nextFrame = start + rate.duration(ofSamples: frame.audio.position) - lead
                if nextFrame > clock.now {
                    guard await sleep(until: nextFrame) else { return }
                }
            }
            guard isNext(frame) else { continue }
            startClockIfNeeded(at: frame.audio.position)
            if let start = reply?.start {
                loudspeaker?.play(
                    frame.audio.samples,
                    rate: rate,
                    at: start + rate.duration(ofSamples: frame.audio.position)
                )
            }
            reply?.send(frame.audio.samples.count, keeping: rate.samples(in: Self.kept))
            room.raise()
            await send(.audio(frame))
            reportProgress()
        }
    }

    // MARK: - Pacing

    /// The next frame to send, without removing it: up to 20 ms of what waits, less only at the end of a reply.
    private func takeFrame() -> PlayoutFrame? {
        guard let reply, !reply.isSilent else { return nil }
        let length = rate.samples(in: Self.frame)
        guard reply.waiting >= length || (reply.isComplete && reply.waiting > 0) else { return nil }
        let end = min(reply.audio.count, reply.first + length)
        var samples = Array(reply.audio[reply.first..<end])
        if reply.isResuming { GainRamp.apply(to: &samples, in: 0..<rate.samples(in: GainRamp.usual), from: 0, to: 1) }
        let audio = AudioFrame(samples: samples, rate: rate, position: reply.sent)
        return PlayoutFrame(epoch: reply.epoch, audio: audio)
    }

    /// Whether a frame is still what comes next: the reply may have been cut or paused while it waited for its time.
    private func isNext(_ frame: PlayoutFrame) -> Bool {
        guard let reply, reply.epoch == frame.epoch, !reply.isSilent else { return false }
        return reply.sent == frame.audio.position
    }

    /// Fixes when sample 0 plays: now for the first frame; later again if the loudspeaker ran dry.
    private func startClockIfNeeded(at position: Int) {
        let now = clock.now
        let offset = rate.duration(ofSamples: position)
        guard let reply, let start = reply.start, !reply.isResuming else {
            reply?.start = now - offset
            reply?.isResuming = false
            return
        }
        guard start + offset < now else { return }
        report(.underrun(epoch: reply.epoch, lasted: now - start - offset))
        self.reply?.start = now - offset
    }

    /// When everything sent so far will have been played, if that is worth waiting for.
    private func drainDeadline() -> Duration? {
        guard let reply, !reply.isSilent else { return nil }
        guard let start = reply.start else { return reply.isComplete ? clock.now : nil }
        let end = start + rate.duration(ofSamples: reply.sent)
        return end <= clock.now && !reply.isComplete ? nil : end
    }

    private func finishIfDrained() {
        guard let reply, !reply.isSilent, reply.isComplete, reply.waiting == 0 else { return }
        let end = (reply.start ?? clock.now) + rate.duration(ofSamples: reply.sent)
        guard clock.now >= end else { return }
        self.reply = nil
        report(.finished(epoch: reply.epoch, heard: reply.ledger.text))
    }

    // MARK: - What was heard

    private func heardSamples(of reply: Reply, at now: Duration) -> Int {
        guard let start = reply.start, now > start else { return 0 }
        let scheduled = min(reply.sent, rate.samples(in: now - start))
        guard let acknowledged = reply.acknowledged else { return scheduled }
        return min(scheduled, acknowledged.samples + rate.samples(in: now - acknowledged.at))
    }

    private func reportProgress() {
        guard let reply, let start = reply.start else { return }
        if !reply.hasReportedAudible, let first = reply.firstAudible, first < reply.sent {
            self.reply?.hasReportedAudible = true
            report(.audible(epoch: reply.epoch, at: start + rate.duration(ofSamples: first)))
        }
        let text = reply.ledger.text
        let heard = reply.ledger.heard(afterSamples: heardSamples(of: reply, at: clock.now))
        let state = heard + "\u{0}" + text
        guard state != reply.lastProgress else { return }
        self.reply?.lastProgress = state
        report(.progress(epoch: reply.epoch, heard: heard, pending: String(text.dropFirst(heard.count))))
    }

    private func sleep(until deadline: Duration) async -> Bool {
        do {
            try await clock.sleep(until: deadline)
            return true
        } catch {
            return false
        }
    }
}
