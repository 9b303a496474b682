internal import VoiceCore

/// How long the person must have been silent before their turn is over.
///
/// A pure value. Silence is counted from the person's last sound; how much of it is wanted depends on how likely the
/// turn detector thinks the end is. `repartee bench endpointing` draws the curve of false cuts against waiting time for
/// each rule; docs/performance.md has it.
package enum EndpointPolicy: Sendable, Equatable {
    /// Silence alone decides.
    case silence(Duration)
    /// Over once the detector says so, else after `timeout`: Pipecat 1.14 with Smart Turn (`complete` 0.5, `timeout`
    /// 3 s).
    case verdict(complete: Float, timeout: Duration)
    /// The likelier the end, the shorter the wait.
    case adaptive(AdaptiveWait)

    /// The silence that ends the turn.
    /// - Parameter probability: P(end) in [0, 1]; nil when the detector failed or took too long, and silence must decide.
    package func wait(probability: Float?) -> Duration {
        switch self {
        case .silence(let duration): duration
        case .verdict(let complete, let timeout): (probability ?? 1) >= complete ? .zero : timeout
        case .adaptive(let wait): probability.map(wait.wait) ?? wait.normal
        }
    }

    /// Whether the detector has a say at all.
    package var asksDetector: Bool {
        if case .silence = self { false } else { true }
    }

    /// After how much more silence the detector is asked again; nil for once per pause. What it heard the first time ended
    /// with the person's last sound, and silence itself tells much.
    package var rejudgement: Duration? {
        if case .adaptive(let wait) = self { wait.rejudgement } else { nil }
    }
}

/// A wait that falls with the probability of the end: `longest` at 0, `normal` at ½, `earliest` from `certain` on, and
/// geometrically in between.
package struct AdaptiveWait: Sendable, Equatable {
    /// The silence after which a certain end is one: less than this is a plosive's closure or a comma.
    package var earliest = Duration.milliseconds(160)
    /// The silence for an even chance.
    package var normal = Duration.milliseconds(400)
    /// The silence that ends every turn.
    package var longest = Duration.milliseconds(3000)
    /// P(end) from which on nothing is gained by waiting.
    package var certain: Float = 0.95
    /// How often the detector is asked again in one pause.
    package var rejudgement = Duration.milliseconds(320)

    /// Makes the default waits.
    package init() {}

    /// The wait for a P(end) in [0, 1].
    func wait(_ probability: Float) -> Duration {
        if probability >= certain { return earliest }
        let (from, to, share) =
            probability < 0.5
            ? (longest, normal, max(0, probability) / 0.5)
            : (normal, earliest, (probability - 0.5) / max(certain - 0.5, .leastNonzeroMagnitude))
        return from * pow(to / from, Double(share))
    }
}
