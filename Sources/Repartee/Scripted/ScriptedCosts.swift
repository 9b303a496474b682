/// How long the steps of engines take that compute nothing.
///
/// The defaults are about what our engines take on a GPU, each with its source. They are the same however many sessions there are: what
/// is measured with them is everything else.
struct ScriptedCosts: Sendable {
    /// A verdict of the turn detector: 75 ms with two threads (docs/performance.md, "Voice to voice, by policy").
    var verdict = Duration.milliseconds(75)
    /// A final transcript, or what it would be: 5 ms on an H100, 18 on an RTX 5090 by estimate (`DeviceModel+Known.swift`).
    var finalTranscript = Duration.milliseconds(10)
    /// From a prompt to the first token: 24 ms of a hybrid model on an H100 with 47 new tokens.
    var firstToken = Duration.milliseconds(25)
    /// One token: 4.4 ms was published for Nemotron 3 Nano on an RTX 5090.
    var token = Duration.milliseconds(5)
    /// From a clause to its first sound: 80 ms on an RTX 5090 by estimate.
    var firstSound = Duration.milliseconds(80)
    /// Time that a second of sound takes: 0.25 on an RTX 5090 by estimate.
    var soundShare = 0.25
}
