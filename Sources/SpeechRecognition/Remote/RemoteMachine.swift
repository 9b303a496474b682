internal import Audio
internal import ServerPool
internal import VoiceCore

/// One stream's side of the speech server's protocol: events and the time in, actions out.
///
/// The caller does the actions in their order, and comes back with ``Event/time`` at ``deadline`` if nothing happens before.
/// Audio never waits for the server: it is queued until the connection is there. An utterance whose audio was lost with a
/// connection is begun again on another server, if there are any; else it fails once, and the next one connects anew.
struct RemoteMachine: ~Copyable {
    /// What happens.
    enum Event: Sendable {
        /// The stream is opened.
        case open
        /// The next samples of the utterance, 16 kHz mono.
        case audio([Float])
        /// The utterance is over: its final transcript is wanted.
        case finish(RecognitionFlush)
        /// Nobody waits for the final transcript any more.
        case abandon
        /// The utterance is to be forgotten.
        case reset
        /// The server sent a text message.
        case message(String)
        /// The server sent what is no text.
        case binary
        /// Whether more can be sent now.
        case writable(Bool)
        /// The connection ended, or could not be made.
        case closed(why: String)
        /// The server has no room; when it may have some again, if it says so.
        case refused(why: String, retryAfter: Duration?)
        /// Those who look after the server found it dead.
        case lost
        /// There is no server to connect to.
        case alone(why: String)
        /// The deadline has come.
        case time
    }

    /// What is to be done.
    enum Action {
        /// Make a connection, to a server that has not failed in this utterance. The answer is a message, ``Event/closed(why:)`` or
        /// ``Event/alone(why:)``.
        case connect
        /// End the connection. Nothing more is heard of it.
        case disconnect
        /// Send a text message.
        case say(String)
        /// Send samples, 16 kHz mono in [-1, 1], as one message.
        case send([Float])
        /// Say this of the server, for the next choice.
        case note(PoolVerdict)
        /// Choose this server no more for such a stream.
        case leaveOut(why: String)
        /// The stream is open.
        case ready
        /// The newest transcript of the running utterance, and whether the server holds that for over.
        case partial(String, isEndpoint: Bool)
        /// The final transcript that is waited for.
        case final(String)
        /// The utterance, or the opening, failed.
        case failed(VoiceError)
    }

    private enum Line {
        case down(retryAt: Duration)
        case connecting(until: Duration)
        /// The server was told the options.
        case configuring(until: Duration)
        case up
    }

    private struct Wish {
        var flush: RecognitionFlush
        var deadline: Duration
        /// When the server is to be looked after; nil once that is done, or where there is no other.
        var alarm: Duration?
        var isSent = false

        var nextDeadline: Duration { min(deadline, alarm ?? deadline) }
    }

    /// The server's address, for errors. Set before each connection.
    var place: String
    private let configuration: String?
    private let limits: RemoteLimits
    private var line = Line.down(retryAt: .zero)
    private var isOpening = false
    private var isWritable = true
    /// Connections in a row that could not be made.
    private var failures = 0
    /// How often the running utterance, or the opening, went to another server.
    private var moves = 0
    /// Why the last connection ended.
    private var lastError: VoiceError?
    /// Samples that were not sent yet.
    private var queue: RemoteAudioQueue
    /// True from the first sample of an utterance on.
    private var isInUtterance = false
    /// True when samples of the utterance were sent.
    private var isPartlySent = false
    /// True when the server has heard something since its last hard reset.
    private var isServerUsed = false
    /// The final transcripts that the server owes, oldest first: whether somebody waits for it.
    private var owed: [Bool] = []
    private var wish: Wish?
    private var text = RemoteText()

    /// Makes a machine without a connection.
    /// - Parameters:
    ///   - place: the server's address, for errors.
    ///   - options: how the speaker shall be recognised. A server that does not take them is no use.
    init(place: String, options: RecognitionOptions = RecognitionOptions(), limits: RemoteLimits) {
        self.place = place
        configuration = RemoteMessage.configuration(options)
        self.limits = limits
        queue = RemoteAudioQueue(limits: limits)
    }

    /// Samples given up because the server could not take them.
    var dropped: Int { queue.dropped }

    /// When ``Event/time`` is due; nil when nothing is waited for.
    var deadline: Duration? {
        switch line {
        case .connecting(let until), .configuring(let until): min(until, wish?.deadline ?? until)
        case .down(let retryAt): wish.map { min(retryAt, $0.deadline) }
        case .up: wish?.nextDeadline
        }
    }

    /// True when the server takes audio more slowly than it comes and the caller should wait a little.
    var isCongested: Bool {
        guard case .up = line else { return false }
        return queue.isCongested
    }

    /// Takes an event that happened at `now`.
    mutating func handle(_ event: Event, at now: Duration) -> [Action] {
        switch event {
        case .open:
            isOpening = true
            return connect(now)
        case .audio(let samples):
            isInUtterance = isInUtterance || !samples.isEmpty
            queue.append(samples)
            let actions = goOn(now)
            queue.trim()
            return actions
        case .finish(let flush):
            guard isInUtterance else { return [.final("")] }
            if case .down(let retryAt) = line, retryAt >= now + limits.final, let lastError { return fail(lastError) }
            wish = Wish(flush: flush, deadline: now + limits.final)
            if case .up = line { expectFinal(now) }
            return goOn(now)
        case .abandon:
            return abandon()
        case .reset:
            return forget()
        case .message(let text):
            return receive(text, now)
        case .binary:
            return breach("a binary message", now)
        case .writable(let isWritable):
            self.isWritable = isWritable
            return goOn(now)
        case .closed(let why):
            return lost(VoiceError(.unavailable, trouble(why)), isAtWork ? .failed : nil, now)
        case .refused(let why, let pause):
            return lost(VoiceError(.unavailable, trouble(why)), .refused(pause), now)
        case .lost:
            return [.disconnect] + lost(VoiceError(.unavailable, trouble("its checks fail")), nil, now)
        case .alone(let why):
            moves = limits.moves
            return lost(VoiceError(.unavailable, why), nil, now)
        case .time:
            return timePassed(now)
        }
    }

    // MARK: - the line

    private mutating func connect(_ now: Duration) -> [Action] {
        line = .connecting(until: now + limits.connect)
        isWritable = true
        return [.connect]
    }

    private mutating func opened(_ now: Duration) -> [Action] {
        line = .up
        failures = 0
        let news: [Action] = isOpening ? [.ready] : []
        isOpening = false
        if !isInUtterance { moves = 0 }
        return news + goOn(now)
    }

    /// Does what can be done now: connects, sends audio, asks for the final transcript.
    private mutating func goOn(_ now: Duration) -> [Action] {
        switch line {
        case .connecting, .configuring:
            return []
        case .down(let retryAt):
            return retryAt <= now ? connect(now) : []
        case .up:
            guard isWritable else { return [] }
            return send(now) + ask(now)
        }
    }

    private mutating func send(_ now: Duration) -> [Action] {
        guard !queue.isEmpty else { return [] }
        isPartlySent = true
        isServerUsed = true
        return queue.take(at: now).map { .send($0) }
    }

    private mutating func ask(_ now: Duration) -> [Action] {
        guard let wish, !wish.isSent else { return [] }
        expectFinal(now)
        self.wish?.isSent = true
        owed.append(true)
        if wish.flush == .lookahead { isServerUsed = false }
        return [.say(RemoteMessage.reset(isHard: wish.flush == .lookahead))]
    }

    /// From when on the final transcript is late: audio that was sent faster than it was spoken takes as long again.
    private mutating func expectFinal(_ now: Duration) {
        guard let wish else { return }
        let understood = queue.understood(at: now)
        self.wish?.deadline = max(wish.deadline, understood + limits.final)
        self.wish?.alarm = limits.moves > 0 ? understood + limits.patience : nil
    }

    /// Whether the end of the connection is the server's fault: between utterances it may close.
    private var isAtWork: Bool {
        if case .up = line { isInUtterance } else { true }
    }

    /// The connection is gone.
    /// - Parameter verdict: on the server; nil for none.
    private mutating func lost(_ error: VoiceError, _ verdict: PoolVerdict?, _ now: Duration) -> [Action] {
        var wasUp = false
        if case .up = line { wasUp = true }
        failures = wasUp ? 0 : failures + 1
        let pause = wasUp ? .zero : min(limits.longestPause, limits.firstPause * (1 << min(failures - 1, 16)))
        line = .down(retryAt: now + pause)
        lastError = error
        owed = []
        isServerUsed = false
        wish?.isSent = false
        wish?.alarm = nil
        let notes: [Action] = verdict.map { [.note($0)] } ?? []
        if moves < limits.moves, isOpening || isInUtterance { return notes + move(now) }
        text.forget()
        if isOpening || isPartlySent { return notes + fail(error) }
        // Nothing was lost yet: the audio waits for the next connection, if that can come in time.
        guard let wish else { return notes }
        return notes + (now + pause < wish.deadline ? goOn(now) : fail(error))
    }

    /// Begins the utterance, or the opening, again on another server, at once.
    private mutating func move(_ now: Duration) -> [Action] {
        moves += 1
        queue.rewind()
        text.beginAgain()
        isPartlySent = false
        if let wish { self.wish?.deadline = max(wish.deadline, now + limits.final) }
        return connect(now)
    }

    private func trouble(_ why: String) -> String {
        if case .up = line { return "the connection to the speech server \(place) was lost: \(why)" }
        return "the speech server \(place) cannot be reached: \(why); start it, or check the address"
    }

    private mutating func hangUp(_ error: VoiceError, _ now: Duration) -> [Action] {
        // Another server may know the options.
        guard error.code != .usage else {
            return [.disconnect, .leaveOut(why: error.message)] + lost(error, nil, now)
        }
        return [.disconnect] + lost(error, .failed, now)
    }

    private mutating func timePassed(_ now: Duration) -> [Action] {
        if case .connecting(let until) = line, until <= now {
            let why =
                "the speech server \(place) was not ready within \(limits.connect): start it, or check the address"
            return hangUp(VoiceError(.unavailable, why), now)
        }
        if case .configuring(let until) = line, until <= now {
            let why =
                "the speech server \(place) does not know lookahead, language, phrases or endpointer: leave them out"
            return hangUp(VoiceError(.usage, why), now)
        }
        if case .up = line, let alarm = wish?.alarm, alarm <= now {
            wish?.alarm = nil
            return [.note(.slow)] + goOn(now)
        }
        guard let wish, wish.deadline <= now else { return goOn(now) }
        let error = VoiceError(.unavailable, "the speech server \(place) gave no final transcript in time")
        guard case .up = line else { return fail(error) }
        // Whatever it still says is about an utterance that is over: begin anew.
        isPartlySent = true
        return hangUp(error, now)
    }

    // MARK: - the utterance

    private mutating func endUtterance() {
        isInUtterance = false
        isPartlySent = false
        moves = 0
        wish = nil
        queue.endUtterance()
        text.endUtterance()
    }

    private mutating func fail(_ error: VoiceError) -> [Action] {
        isOpening = false
        queue.clear()
        endUtterance()
        return [.failed(error)]
    }

    private mutating func forget() -> [Action] {
        queue.clear()
        endUtterance()
        guard case .up = line, isServerUsed else { return [] }
        isServerUsed = false
        text.forget()
        owed.append(false)
        guard owed.count <= limits.unwanted else {
            owed = []
            line = .down(retryAt: .zero)
            return [.disconnect, .note(.failed)]
        }
        return [.say(RemoteMessage.reset(isHard: true))]
    }

    private mutating func abandon() -> [Action] {
        guard let wish else { return [] }
        guard wish.isSent, !owed.isEmpty else { return forget() }
        owed[owed.count - 1] = false
        text.forget()
        endUtterance()
        // A soft reset has left its text with the server.
        return isServerUsed ? forget() : []
    }

    // MARK: - the server's words

    private mutating func receive(_ json: String, _ now: Duration) -> [Action] {
        guard let message = RemoteMessage(json) else { return breach("'\(json.prefix(80))'", now) }
        switch message {
        case .ready:
            guard case .connecting = line else { return [] }
            guard let configuration else { return opened(now) }
            line = .configuring(until: now + limits.final)
            return [.say(configuration)]
        case .configured:
            guard case .configuring = line else { return [] }
            return opened(now)
        case .endpoint:
            guard isInUtterance, owed.isEmpty else { return [] }
            return [.partial(text.newest, isEndpoint: true)]
        case .transcript(let said, let isFinal):
            return isFinal ? receiveFinal(said) : receivePartial(said)
        case .error(let reason):
            if case .configuring = line {
                let why = "the speech server \(place) refuses the options: \(reason.prefix(200))"
                return hangUp(VoiceError(.usage, why), now)
            }
            return hangUp(VoiceError(.unavailable, "the speech server \(place) reports: \(reason.prefix(200))"), now)
        case .unknown:
            return []
        }
    }

    private mutating func receivePartial(_ said: String) -> [Action] {
        // What comes before an owed final is about the utterance before.
        guard isInUtterance, owed.isEmpty else { return [] }
        return text.partial(said).map { [.partial($0, isEndpoint: false)] } ?? []
    }

    private mutating func receiveFinal(_ said: String) -> [Action] {
        guard !owed.isEmpty, owed.removeFirst() else { return [] }
        let final = text.final(said, isRepeated: wish?.flush == RecognitionFlush.none)
        endUtterance()
        return [.note(.served), .final(final)]
    }

    private mutating func breach(_ what: String, _ now: Duration) -> [Action] {
        let why = "the speech server \(place) sent \(what), which is not its protocol: is it a speech server?"
        return hangUp(VoiceError(.malformedInput, why), now)
    }
}
