/// What the person's voice does to a reply that is being played.
package enum InterruptionPolicy: Sendable, Equatable {
    /// Nothing: the agent finishes. What was said meanwhile is answered afterwards.
    case never
    /// Speech ends the reply as soon as it is certain, whatever is said: Pipecat 1.14's way.
    case immediate
    /// The reply pauses at the first sign of speech and is ended by words, or by speech that goes on; after a cough or a
    /// "mhm" it goes on where it was.
    case considered(Consideration)

    /// How a considered interruption is told from a mere sound.
    package struct Consideration: Sendable, Equatable {
        /// What may be said without ending the reply.
        package var backChannel = BackChannel.english
        /// Speech that goes on for so long ends the reply even if no word was understood.
        package var longest: Duration = .milliseconds(700)
        /// A reply pauses so many times for nothing; after that it plays until an interruption is certain, so that noise
        /// does not tear it to pieces.
        package var pausesPerReply = 3
        /// In the last moments of a reply "yes" is an answer, not a "go on".
        package var answerWindow: Duration = .milliseconds(1500)

        /// Makes the default.
        package init() {}
    }
}
