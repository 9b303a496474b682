/// One token that the transducer emitted.
struct EmittedToken: Sendable, Equatable {
    /// How long an encoder frame is: 8 mel frames of 10 ms.
    static let frameDuration = Duration.milliseconds(80)

    /// Its number in the vocabulary; never the blank.
    var id: Int32
    /// The encoder frame at which it was emitted, counted since the stream was opened.
    var frame: Int
    /// The natural logarithm of its probability, before any phrase boosting; at most 0.
    var logProbability: Float
}
