internal import VoiceCore

/// How long the person must have been silent before their turn is over.
///
/// A pure value. Silence is counted from the person's last sound; how much of it is wanted depends on how likely the
/// turn detector thinks the end is.
package enum EndpointPolicy: Sendable, Equatable {
    /// Silence alone decides.
    case silence(Duration)
    /// Over once silence is certain and the detector says so, else after `timeout`: Pipecat 1.14 with Smart Turn
    /// (`complete` 0.5, `timeout` 3 s).
    case verdict(complete: Float, timeout: Duration)
    /// The likelier the end, the shorter the wait.
    case adaptive(AdaptiveWait)

    /// The silence that ends the turn.
    /// - Parameter probability: P(end) in [0, 1]; nil or not a number when the detector failed or took too long, and
    ///   silence must decide: a failing detector must not make the agent deaf.
    package func wait(probability: Float?) -> Duration {
        let probability = probability.flatMap { $0.isNaN ? nil : $0 }
        return switch self {
        case .silence(let duration): duration
        case .verdict(let complete, let timeout): (probability ?? 1) >= complete ? .zero : timeout
        case .adaptive(let wait): probability.map(wait.duration(probability:)) ?? wait.normal
        }
    }

    /// Whether the detector has a say at all.
    package var asksDetector: Bool {
        if case .silence = self { false } else { true }
    }

    /// Whether voice activity must be certain of the silence first. The adaptive wait needs no such floor: it asks for more
    /// silence itself wherever the end is not certain.
    package var needsCertainSilence: Bool {
        if case .adaptive = self { false } else { true }
    }

    /// After how much more silence the detector is asked again; nil for once per pause. What it heard the first time ended
    /// with the person's last sound, and silence itself tells much.
    package var rejudgement: Duration? {
        if case .adaptive(let wait) = self { wait.rejudgement } else { nil }
    }
}

/// A wait that falls with the probability of the end: `longest` at 0, `normal` at ½, `earliest` from `certain` on, and
/// harmonically in between.
package struct AdaptiveWait: Sendable, Equatable {
    /// The silence after which a certain end is one: less than this is a plosive's closure or a comma.
    package var earliest = Duration.milliseconds(160)
    /// The silence for an even chance.
    package var normal = Duration.milliseconds(400)
    /// The silence that ends every turn.
    package var longest = Duration.milliseconds(3000)
    /// P(end) from which on nothing is gained by waiting, above ½.
    package var certain: Float = 0.95
    /// How often the detector is asked again in one pause.
    package var rejudgement = Duration.milliseconds(320)

    /// Makes the default waits.
    package init() {}

    /// The wait for a P(end) in [0, 1].
    package func duration(probability: Float) -> Duration {
        if probability >= certain { return earliest }
        return probability < 0.5
            ? Self.between(longest, normal, at: Double(max(0, probability) / 0.5))
            : Self.between(normal, earliest, at: Double((probability - 0.5) / (certain - 0.5)))
    }

    /// The harmonic mean with weight `share`: `first` at 0, `last` at 1.
    private static func between(_ first: Duration, _ last: Duration, at share: Double) -> Duration {
        last / (share + (1 - share) * (last / first))
    }
}
