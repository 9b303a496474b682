internal import VoiceCore

/// The marks that a provider has not sent back yet, and what each says was played.
///
/// A value. After a `clear` the provider sends back the marks of sound that it threw away: these mean nothing.
struct PlayoutMarks: Sendable {
    /// Samples between two marks, at 8 kHz: the conversation knows by itself how fast sound is played in between.
    private static let spacing = SampleRate.telephone.samples(in: .milliseconds(100))
    /// The most marks that are waited for; more would be minutes of sound.
    private static let capacity = 1_024

    private struct Mark {
        var name: Int
        var epoch: Int
        var samples: Int
    }

    private var waiting = FIFO<Mark>()
    private var nextName = 1
    /// The reply and the position of the last mark.
    private var last: (epoch: Int, samples: Int)?

    /// The name of the mark to send after this frame; nil if none is due.
    mutating func mark(after frame: PlayoutFrame) -> String? {
        let end = frame.audio.position + frame.audio.samples.count
        if let last, last.epoch == frame.epoch, (0..<Self.spacing).contains(end - last.samples) { return nil }
        last = (frame.epoch, end)
        defer { nextName += 1 }
        waiting.append(Mark(name: nextName, epoch: frame.epoch, samples: end))
        if waiting.count > Self.capacity { _ = waiting.removeFirst() }
        return "\(nextName)"
    }

    /// What a mark that came back says; nil if it is none of ours, or of sound that was thrown away.
    mutating func played(_ name: String) -> TransportEvent? {
        guard let number = Int(name), let first = waiting.first, number >= first.name, number < nextName else {
            return nil
        }
        while let mark = waiting.removeFirst() {
            if mark.name == number { return .played(epoch: mark.epoch, samples: mark.samples) }
        }
        return nil
    }

    /// Learns that the sound that waits is thrown away.
    mutating func clear() {
        waiting.removeAll()
        last = nil
    }
}
