internal import Audio
internal import VoiceCore
internal import WebSocketClient

/// One connection's side of the synthesis server's protocol: events and the time in, actions out.
///
/// The caller does the actions in their order, and comes back with ``Event/time`` at ``deadline`` if nothing happens before.
/// Every text is a stream of its own: it ends with `done`, and the connection serves the next. A text that was given up is
/// cancelled, and nothing is taken for the next one's audio before the server has answered a ping sent after that.
struct RemoteSpeechMachine: ~Copyable {
    /// What happens.
    enum Event: Sendable {
        /// The line is to be ready; asks what the server thinks of the voice.
        case prepare
        /// This is to be spoken.
        case speak(String)
        /// Nobody listens any more.
        case abandon
        /// The connection has to tell something.
        case link(WebSocketLink.Event)
        /// The deadline has come.
        case time
    }

    /// What is to be done.
    enum Action: Equatable {
        /// Make a connection.
        case connect
        /// End the connection. Nothing more is heard of it.
        case disconnect
        /// Send a text message.
        case say(String)
        /// The line is ready; its audio has this rate.
        case ready(SampleRate)
        /// Audio of the text, at the rate of the line; words as the server tells them.
        case sound([Float])
        case words([RemoteSpeechMessage.Word])
        /// The text is spoken.
        case finished
        /// The text, or the preparation, failed.
        case failed(VoiceError.Code, String)
    }

    private enum Line {
        case down
        case connecting(until: Duration)
        /// The first stream was asked for.
        case opening(until: Duration)
        /// A ping was sent; whatever is heard before its answer is about something older.
        case pinging(until: Duration)
        case up
    }

    private struct Wish {
        var text: String
        var deadline: Duration
        var isSent = false
        var hasSound = false
        var repeats = 0
    }

    /// The rate of a server that tells none: the codec's (`MODEL.md` of NanoCodec). The reference declares 22 000 Hz for it.
    static let referenceRate = SampleRate(22_050)

    private let place: String
    private let initial: String
    private let limits: RemoteSpeechLimits
    private var line = Line.down
    private var isPreparing = false
    private var complaint: String?
    private var wish: Wish?
    /// The first byte of a sample whose second one comes with the next message.
    private var halfSample: UInt8?
    /// The rate of the server's audio.
    private(set) var rate = referenceRate

    /// Makes a machine without a connection.
    /// - Parameters:
    ///   - place: the server's address, for errors.
    ///   - voice: the server's name for the voice; nil for its own choice.
    ///   - language: a tag like `en`; nil for the server's choice.
    init(place: String, voice: String?, language: String?, limits: RemoteSpeechLimits) {
        self.place = place
        initial = RemoteSpeechMessage.initial(voice: voice, language: language)
        self.limits = limits
    }

    /// When ``Event/time`` is due; nil when nothing is waited for.
    var deadline: Duration? {
        switch line {
        case .connecting(let until), .opening(let until), .pinging(let until): until
        case .down, .up: wish?.deadline
        }
    }

    /// Takes an event that happened at `now`.
    mutating func handle(_ event: Event, at now: Duration) -> [Action] {
        switch event {
        case .prepare:
            isPreparing = true
            return connect(now)
        case .speak(let text):
            wish = Wish(text: text, deadline: now + limits.silence)
            halfSample = nil
            return goOn(now)
        case .abandon: return abandon(now)
        case .time: return timePassed(now)
        case .link(.opened):
            guard case .connecting(let until) = line else { return [] }
            line = .opening(until: until)
            return [.say(initial)]
        case .link(.message(let text)): return receive(text, now)
        case .link(.binary(let bytes)): return receive(bytes, now)
        case .link(.writable): return []
        case .link(.closed(let why)): return lost(why, .unavailable, now)
        case .link(.refused(let why, _)): return lost(why, .exhausted, now)
        }
    }

    /// Whether there is a connection, as far as is known.
    var isUp: Bool { if case .down = line { false } else { true } }

    // MARK: - The line

    private mutating func connect(_ now: Duration) -> [Action] {
        line = .connecting(until: now + limits.connect)
        return [.connect]
    }

    private mutating func goOn(_ now: Duration) -> [Action] {
        guard let wish, !wish.isSent else { return [] }
        switch line {
        case .connecting, .opening, .pinging: return []
        case .down: return connect(now)
        case .up:
            self.wish?.isSent = true
            self.wish?.deadline = now + limits.silence
            return [.say(RemoteSpeechMessage.text(wish.text)), .say(RemoteSpeechMessage.close)]
        }
    }

    private mutating func abandon(_ now: Duration) -> [Action] {
        guard let wish else { return [] }
        self.wish = nil
        guard wish.isSent else { return [] }
        line = .pinging(until: now + limits.connect)
        return [.say(RemoteSpeechMessage.cancel), .say(RemoteSpeechMessage.ping)]
    }

    private mutating func lost(_ why: String, _ code: VoiceError.Code, _ now: Duration) -> [Action] {
        let wasUp = if case .up = line { true } else { false }
        line = .down
        // A connection that ended between two texts is found out by the next one.
        if let wish, !wish.hasSound, wish.repeats < limits.repeats, wasUp || wish.isSent {
            self.wish?.isSent = false
            self.wish?.repeats += 1
            return connect(now)
        }
        let trouble =
            wasUp
            ? "the connection to the speech server \(place) was lost: \(why)"
            : "the speech server \(place) cannot be reached: \(why); start it, or check the address"
        return fail(VoiceError(code, trouble))
    }

    private mutating func fail(_ error: VoiceError) -> [Action] {
        guard wish != nil || isPreparing else { return [] }
        wish = nil
        isPreparing = false
        return [.failed(error.code, error.message)]
    }

    private mutating func timePassed(_ now: Duration) -> [Action] {
        guard let deadline, deadline <= now else { return [] }
        var trouble =
            "the speech server \(place) was not ready within \(limits.connect): start it, or check the address"
        if case .up = line {
            trouble = "the speech server \(place) sent nothing of a text for \(limits.silence): is it overloaded?"
        }
        line = .down
        return [.disconnect] + fail(VoiceError(.unavailable, trouble))
    }

    // MARK: - The server's words

    private mutating func receive(_ json: String, _ now: Duration) -> [Action] {
        guard let message = RemoteSpeechMessage(json) else {
            let why =
                "the speech server \(place) sent '\(json.prefix(80))', which is not its protocol: is it a speech server?"
            line = .down
            return [.disconnect] + fail(VoiceError(.malformedInput, why))
        }
        wish?.deadline = now + limits.silence
        switch message {
        case .created(let rate): return created(rate ?? Self.referenceRate, now)
        case .words(let words): return isSpoken ? [.words(words)] : []
        case .done:
            guard isSpoken else { return [] }
            wish = nil
            return [.finished]
        case .error(let reason, let isFatal): return failed(reason, isFatal, now)
        case .pong:
            guard case .pinging = line else { return [] }
            line = .up
            guard isPreparing else { return goOn(now) }
            isPreparing = false
            if let complaint {
                return [.failed(.usage, "the speech server \(place) reports: \(complaint)")]
            }
            return [.ready(rate)]
        case .segmentComplete, .unknown: return []
        }
    }

    /// Whether what is heard belongs to the text.
    private var isSpoken: Bool {
        guard case .up = line else { return false }
        return wish?.isSent == true
    }

    private mutating func created(_ rate: SampleRate, _ now: Duration) -> [Action] {
        self.rate = rate
        guard case .opening(let until) = line else { return [] }
        guard isPreparing else {
            line = .up
            return goOn(now)
        }
        line = .pinging(until: until)
        return [.say(RemoteSpeechMessage.ping)]
    }

    private mutating func failed(_ reason: String, _ isFatal: Bool, _ now: Duration) -> [Action] {
        if isPreparing { complaint = complaint ?? String(reason.prefix(200)) }
        guard isFatal, isSpoken else { return [] }
        // Whatever it still sends is of no use.
        line = .down
        let why = "the speech server \(place) reports: \(reason.prefix(200))"
        return [.disconnect] + fail(VoiceError(.unavailable, why))
    }

    private mutating func receive(_ audio: [UInt8], _ now: Duration) -> [Action] {
        guard isSpoken else { return [] }
        wish?.deadline = now + limits.silence
        wish?.hasSound = true
        var bytes = halfSample.map { [$0] } ?? []
        bytes += audio
        halfSample = bytes.count.isMultiple(of: 2) ? nil : bytes.removeLast()
        return [.sound(PCM16.samples(bytes))]
    }
}
