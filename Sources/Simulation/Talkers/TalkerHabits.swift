/// How people talk in a simulation. Assumptions, not measurements, except where a source is named.
package struct TalkerHabits: Sendable, Equatable {
    /// Words a second, of people and of the agent's voice: 150 a minute, an unhurried pace.
    var wordsPerSecond = 2.5
    /// Half of all utterances are short, half long, as in `bench v2v` and in the published test.
    var shortUtterance = 3...8
    var longUtterance = 12...22
    /// From the end of an answer to the next utterance on average; exponentially distributed, so that many people's utterances
    /// are a Poisson process.
    var thinking = Duration.seconds(2)
    /// The share of long utterances with a pause in the middle, and the pause on average, exponentially distributed.
    var hesitationShare = 0.3
    var hesitation = Duration.milliseconds(400)
    /// The share of ends of turns that the detector calls complete: 18 of 20 in the published test
    /// (docs/v2v-latency-testing.md in pipecat-ai/nemotron-january-2026).
    var completeShare = 0.9
    /// The share of pauses in the middle that it calls complete.
    var mistakenShare = 0.15
    /// The share of answers that are interrupted, within the first seconds of them.
    var interruptionShare = 0.05
    var interruptedWithin = Duration.seconds(3)
    /// An answer's sentences, and the words of each.
    var sentences = 1...3
    var wordsPerSentence = 5...12
    /// Who has not been answered for so long says something else.
    var patience = Duration.seconds(10)

    /// Makes the default habits.
    package init() {}

    /// People whose turns end clearly in 95 of 100 cases: with one unclear end in ten the 90th percentile of waiting is chance.
    package static let clear = {
        var habits = TalkerHabits()
        habits.completeShare = 0.95
        return habits
    }()
}
