internal import VoiceCore

/// Samples that the server was not given yet, 16 kHz mono, and where there are other servers, those of the utterance that it was given.
/// Bounded: the oldest go first.
struct RemoteAudioQueue {
    private let limit: Int
    private let message: Int
    private let keepsSent: Bool
    private var samples: [Float] = []
    /// What was given to the server of the running utterance.
    private var sent: [Float] = []
    /// Samples given up because the server could not take them.
    private(set) var dropped = 0
    /// When a server that needs as long as the audio lasts will have understood all that it was given.
    private var busyUntil = Duration.zero

    init(limits: RemoteLimits) {
        limit = limits.queue
        message = limits.message
        keepsSent = limits.moves > 0
    }

    /// True when nothing waits.
    var isEmpty: Bool { samples.isEmpty }

    /// True when half of the room is taken.
    var isCongested: Bool { samples.count > limit / 2 }

    /// When a server that takes what waits, and needs as long as the audio lasts, will have understood all of it.
    func understood(at now: Duration) -> Duration {
        max(busyUntil, now) + SampleRate.speech.duration(ofSamples: samples.count)
    }

    /// Adds samples, whatever the bound: they may be taken at once.
    mutating func append(_ new: [Float]) { samples += new }

    /// Gives up what is over the bound.
    mutating func trim() {
        let surplus = samples.count - limit
        guard surplus > 0 else { return }
        samples.removeFirst(surplus)
        dropped += surplus
    }

    /// Takes everything, in messages of their longest length at most.
    mutating func take(at now: Duration) -> [[Float]] {
        busyUntil = understood(at: now)
        if keepsSent { sent += samples }
        if sent.count > limit { sent.removeFirst(sent.count - limit) }
        defer { samples = [] }
        return stride(from: 0, to: samples.count, by: message).map { start in
            Array(samples[start..<min(samples.count, start + message)])
        }
    }

    /// Begins the utterance again, for another server.
    mutating func rewind() {
        samples = sent + samples
        sent = []
        busyUntil = .zero
        trim()
    }

    /// The utterance is over: it is not begun again.
    mutating func endUtterance() { sent = [] }

    /// Forgets everything.
    mutating func clear() {
        samples = []
        sent = []
    }
}
