internal import VoiceCore

/// How long the person must have been silent before their turn is over.
///
/// A pure value. Silence is counted from the person's last sound; how much of it is wanted depends on how likely the
/// turn detector, which hears the voice, and the language model, which reads the words, think the end is.
package enum EndpointPolicy: Sendable, Equatable {
    /// Silence alone decides.
    case silence(Duration)
    /// Over once silence is certain and the detector says so, else after `timeout`: Pipecat 1.14 with Smart Turn
    /// (`complete` 0.5, `timeout` 3 s).
    case verdict(complete: Float, timeout: Duration)
    /// The likelier the end, the shorter the wait.
    case adaptive(AdaptiveWait)

    /// The silence that ends the turn.
    /// - Parameters:
    ///   - probability: P(end) in [0, 1]; nil or not a number when the detector failed or took too long, and
    ///   silence must decide: a failing detector must not make the agent deaf.
    ///   - completeness: the probability that the language model gives the end of a sentence behind the last word; nil or not a
    ///   number where it does not tell.
    package func wait(probability: Float?, completeness: Float? = nil) -> Duration {
        let probability = probability.flatMap { $0.isNaN ? nil : $0 }
        return switch self {
        case .silence(let duration): duration
        case .verdict(let complete, let timeout): (probability ?? 1) >= complete ? .zero : timeout
        case .adaptive(let wait): wait.duration(probability: probability ?? 0.5, completeness: completeness)
        }
    }

    /// Whether the detector has a say at all.
    package var asksDetector: Bool {
        if case .silence = self { false } else { true }
    }

    /// Whether what the language model thinks of the words has a say.
    package var usesCompleteness: Bool {
        if case .adaptive = self { true } else { false }
    }

    /// Whether voice activity must be certain of the silence first. The adaptive wait needs no such floor: it asks for more
    /// silence itself wherever the end is not certain.
    package var needsCertainSilence: Bool {
        if case .adaptive = self { false } else { true }
    }
}

/// A wait that falls with the probability of the end: `normal` times the square root of the odds against it, between
/// `earliest` and `longest`.
///
/// The less likely the end, the longer it pays to wait: in proportion to the odds, if the detector's probabilities were right
/// and pauses as often from 0.2 to 0.4 s long as from 0.5 to 1 s. The detector exaggerates, hence the root. Where the language
/// model tells how likely the words are complete, its odds against that take the place of the detector's, whose root they
/// are multiplied by: on recordings with pauses the words tell far more than the voice. The roots, the waits and what counts as
/// even are what did best on those, as far as they tell (docs/performance.md, docs/log.md).
package struct AdaptiveWait: Sendable, Equatable {
    /// The silence after which a certain end is one: less than this is a plosive's closure or a comma.
    package var earliest = Duration.milliseconds(160)
    /// The silence for an even chance.
    package var normal = Duration.milliseconds(800)
    /// The silence that ends every turn.
    package var longest = Duration.milliseconds(2000)

    /// The completeness that says nothing. Small, since a sentence that could end mostly could go on as well: at four in five
    /// ends SmolLM2-135M gives it more than 0.14, in four of five pauses less than 0.09.
    private static let evenCompleteness: Float = 0.05

    /// Makes the default waits.
    package init() {}

    /// The wait.
    /// - Parameters:
    ///   - probability: the turn detector's P(end), in [0, 1].
    ///   - completeness: the language model's for the end of a sentence, in [0, 1]; nil where it does not tell.
    package func duration(probability: Float, completeness: Float? = nil) -> Duration {
        let heard = Self.oddsAgainst(probability)
        let share: Double
        if let completeness, !completeness.isNaN {
            let read = Self.oddsAgainst(completeness) / Self.oddsAgainst(Self.evenCompleteness)
            share = (heard.squareRoot() * read).squareRoot()
        } else {
            share = heard.squareRoot()
        }
        if share <= earliest / normal { return earliest }
        return share < longest / normal ? normal * share : longest
    }

    private static func oddsAgainst(_ probability: Float) -> Double {
        let probability = Double(min(max(probability, 0), 1))
        return (1 - probability) / probability
    }
}
