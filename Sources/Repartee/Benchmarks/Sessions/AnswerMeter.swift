internal import Conversation
internal import VoiceCore

/// Measures how evenly the pieces of an answer come, and when its first sound is played. A value; positions and times in.
///
/// The listener plays what comes at once and has no buffer of its own: the server sends ahead of the clock by a lead, after a first
/// burst as long as that. A piece is due when it would come if all came as evenly as the earliest of its answer. What comes after it
/// should have been played is an underrun, and the schedule begins anew.
struct AnswerMeter: Sendable {
    /// What was measured of a part of an answer that played without a gap.
    struct Segment: Sendable, Equatable {
        var lateness: [Float] = []
        var frames = 0
        var underruns = 0
    }

    /// How far ahead of the clock a page gets sound.
    private static let lead = ConversationConfiguration().playoutLead

    private let rate: SampleRate
    private var epoch: Int?
    /// When sample 0 of the answer is played.
    private var start: Duration?
    private var heardOnset = false
    private var end = 0
    /// Where the running part begins in the answer.
    private var partStart = Duration.zero
    /// When sample 0 would have come by each piece of the running part, in milliseconds.
    private var origins: [Double] = []
    private var segment = Segment()

    init(rate: SampleRate) { self.rate = rate }

    /// True while an answer plays.
    var isRunning: Bool { start != nil }

    func awaitsOnset(epoch: Int) -> Bool { self.epoch != epoch || !heardOnset }

    /// Takes a piece.
    /// - Returns: when the answer's first audible sample is played, if this piece has it.
    mutating func hear(epoch: Int, position: Int, count: Int, onset: Int?, at now: Duration) -> Duration? {
        if self.epoch != epoch {
            closePart()
            (self.epoch, start, heardOnset, end) = (epoch, nil, false, 0)
        }
        let offset = rate.duration(ofSamples: position)
        segment.frames += 1
        if let begun = start, now > begun + offset {
            segment.underruns += 1
            segment.lateness.append(Float((now - begun - offset + Self.lead).milliseconds))
            closePart()
            start = nil
        }
        if start == nil { partStart = offset }
        let begun = start ?? now - offset
        start = begun
        end = position + count
        // The first pieces come in one burst: they are early, and say nothing of the rest.
        if offset - partStart >= Self.lead { origins.append((now - offset).milliseconds) }
        guard let onset, !heardOnset else { return nil }
        heardOnset = true
        return begun + rate.duration(ofSamples: position + onset)
    }

    func played(at now: Duration) -> (epoch: Int, samples: Int)? {
        guard let epoch, let start, now > start else { return nil }
        return (epoch, min(end, rate.samples(in: now - start)))
    }

    /// Ends the running part: the agent fell silent.
    /// - Returns: what was measured since the last time.
    mutating func settle() -> Segment {
        closePart()
        start = nil
        defer { segment = Segment() }
        return segment
    }

    private mutating func closePart() {
        if let earliest = origins.min() { segment.lateness += origins.map { Float($0 - earliest) } }
        origins = []
    }
}
