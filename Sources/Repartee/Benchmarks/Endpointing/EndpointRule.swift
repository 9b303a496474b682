internal import Conversation
internal import VoiceCore

/// A point of the curve that a family of rules draws when its parameter is varied.
struct EndpointRule {
    var family: String
    var parameter: String
    var value: Double
    var policy: EndpointPolicy
    /// Whether it is one that people use, and marked in the plot.
    var isMarked = false
    /// Whether the language model reads the words.
    var readsWords = false

    /// Every family with its parameter's range.
    static var all: [EndpointRule] { silence + verdict + timeout + adaptive }

    /// The adaptive wait where the language model reads the words.
    static var reading: [EndpointRule] {
        adaptive.map { rule in
            var rule = rule
            rule.family = "adaptive, with words"
            rule.readsWords = true
            return rule
        }
    }

    /// Silence alone. 200, 500 and 800 ms are common settings of voice activity detectors.
    private static var silence: [EndpointRule] {
        [200, 250, 300, 350, 400, 500, 600, 700, 800, 900, 1000, 1200, 1400, 1600].map { milliseconds in
            EndpointRule(
                family: "silence",
                parameter: "ms",
                value: Double(milliseconds),
                policy: .silence(.milliseconds(milliseconds)),
                isMarked: [200, 500, 800].contains(milliseconds)
            )
        }
    }

    /// Smart Turn asked once per pause, with the threshold varied.
    private static var verdict: [EndpointRule] {
        [0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98].map { threshold in
            EndpointRule(
                family: "verdict, else 3 s",
                parameter: "complete_probability",
                value: threshold,
                policy: .verdict(complete: Float(threshold), timeout: .seconds(3)),
                isMarked: threshold == 0.5
            )
        }
    }

    /// Smart Turn asked once per pause, with the time-out varied.
    private static var timeout: [EndpointRule] {
        [400, 600, 800, 1000, 1250, 1500, 2000, 2500, 3000].map { milliseconds in
            EndpointRule(
                family: "verdict at 0.5, else sooner",
                parameter: "incomplete_timeout_ms",
                value: Double(milliseconds),
                policy: .verdict(complete: 0.5, timeout: .milliseconds(milliseconds))
            )
        }
    }

    /// The adaptive wait, shortened and lengthened as a whole.
    private static var adaptive: [EndpointRule] {
        [0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.7, 0.8, 0.9, 1, 1.15, 1.3, 1.5].map { (factor: Double) in
            var wait = AdaptiveWait()
            wait.normal = wait.normal * factor
            wait.longest = wait.longest * factor
            return EndpointRule(
                family: "adaptive",
                parameter: "normal_ms and longest_ms, times",
                value: factor,
                policy: .adaptive(wait),
                isMarked: factor == 1
            )
        }
    }
}
