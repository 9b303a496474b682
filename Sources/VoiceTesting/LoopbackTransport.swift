internal import Synchronization
public import VoiceCore

/// A transport without a network: a scripted person on one side, a record of everything the agent did on the other.
public final class LoopbackTransport: Transport {
    /// What the person does next.
    public enum Step: Sendable {
        /// Speaks (a loud tone) for so long.
        case speech(Duration)
        /// Is silent for so long.
        case silence(Duration)
        /// Types a message.
        case text(String)
        /// Types a message that wants something else than an ordinary one.
        case typed(TypedMessage)
        /// Presses "stop".
        case interrupt
        /// Wants a job to be stopped.
        case cancelJob(String)
        /// Not the person but the server: wants the conversation to end with these words.
        case farewell(String)
    }

    /// Something the agent sent, with its time.
    public struct Sent: Sendable {
        /// When it was sent.
        public var at: Duration
        /// What was sent.
        public var message: TransportMessage
    }

    /// A rest that began or ended, with its time.
    public struct Rest: Sendable, Equatable {
        /// When.
        public var at: Duration
        /// Whether it began.
        public var isResting: Bool

        /// Makes one.
        public init(at: Duration, isResting: Bool) {
            self.at = at
            self.isResting = isResting
        }
    }

    /// See the protocol.
    public let playoutRate = SampleRate.speech
    /// See the protocol.
    public let events: AsyncStream<TransportEvent>
    private let clock: any SessionClock
    private let record = Mutex<[Sent]>([])
    private let restRecord = Mutex<[Rest]>([])

    /// Makes a transport whose person goes through `steps`, 20 ms of microphone audio at a time, and leaves.
    public init(clock: any SessionClock, steps: [Step]) {
        self.clock = clock
        var script: [TransportEvent] = []
        var position = 0
        for step in steps {
            switch step {
            case .speech(let duration): script += Self.frames(duration, amplitude: 0.5, &position)
            case .silence(let duration): script += Self.frames(duration, amplitude: 0, &position)
            case .text(let text): script.append(.text(text))
            case .typed(let message): script.append(.typed(message))
            case .interrupt: script.append(.interrupt)
            case .cancelJob(let id): script.append(.cancelJob(id))
            case .farewell(let text): script.append(.farewell(text))
            }
        }
        let next = Counter()
        let all = script
        events = AsyncStream {
            let index = next.take()
            guard index < all.count else { return nil }
            if case .audio(let frame) = all[index] {
                let end = frame.rate.duration(ofSamples: frame.position + frame.samples.count)
                do { try await clock.sleep(until: end) } catch { return nil }
            }
            return all[index]
        }
    }

    /// See the protocol.
    public func send(_ message: TransportMessage) async throws(VoiceError) {
        record.withLock { $0.append(Sent(at: clock.now, message: message)) }
    }

    /// See the protocol.
    public func rest(_ isResting: Bool) {
        restRecord.withLock { $0.append(Rest(at: clock.now, isResting: isResting)) }
    }

    /// The rests so far.
    public var rests: [Rest] { restRecord.withLock { $0 } }

    /// Everything sent so far.
    public var sent: [Sent] { record.withLock { $0 } }

    /// The news sent so far.
    public var news: [SessionEvent] {
        sent.compactMap { if case .event(let event) = $0.message { event } else { nil } }
    }

    private static func frames(_ duration: Duration, amplitude: Float, _ position: inout Int) -> [TransportEvent] {
        let count = SampleRate.speech.samples(in: duration) / 320
        return (0..<count).map { _ in
            defer { position += 320 }
            let samples = (0..<320).map { $0.isMultiple(of: 2) ? amplitude : -amplitude }
            return .audio(AudioFrame(samples: samples, rate: .speech, position: position))
        }
    }
}
