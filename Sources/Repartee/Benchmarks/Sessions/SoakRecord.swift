internal import VoiceCore

/// What was seen of a server in a long time.
struct SoakRecord: Sendable {
    /// A look at it.
    struct Sample: Sendable {
        /// Since the first question.
        var at: Duration
        var usage: ProcessUsage
        /// What callers noticed since the look before.
        var voiceToVoice: [Double]
    }

    /// The beginning and the end that are compared are so long, or a third of the whole if that is less.
    private static let window = Duration.seconds(300)

    var duration: Duration
    /// Before the first caller, and after the last.
    var before: ProcessUsage
    var after: ProcessUsage
    var samples: [Sample]
    /// Of the whole time, without its single values.
    var notes: CallerNotes

    private var window: Duration { min(Self.window, duration / 3) }

    /// The looks of the beginning, and of the end.
    var first: [Sample] { samples.filter { $0.at <= window } }
    var last: [Sample] { samples.filter { $0.at > duration - window } }

    /// How memory grew after the beginning, in MB an hour, from the means of whole minutes, or of twentieths of the time if that is less.
    var memory: MemoryTrend? {
        let block = min(.seconds(60), duration / 20)
        let blocks = Dictionary(grouping: samples.filter { $0.at > window }) { Int($0.at / block) }
        return MemoryTrend(
            blocks.map { number, samples in
                let mean = samples.reduce(0) { $0 + $1.usage.megabytes } / Double(samples.count)
                return (hours: (block * number + block / 2) / .seconds(3600), value: mean)
            }
        )
    }
}
