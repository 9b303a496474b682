package import VoiceCore

/// A call of an agent, seen from the person: messages of RTVI clients out, what the agent sends in.
package protocol ScriptLine: Sendable {
    /// Holds the call until the agent ends it, or ``hangUp()``. To be called once.
    /// - Throws: when the agent cannot be called, or fails.
    func run() async throws(VoiceError)
    /// Calls: the agent may begin.
    func call()
    /// Sends a message of an RTVI client.
    func tell(_ type: String, _ data: JSONValue)
    /// Says something into the microphone: the next samples, mono, which are due now.
    func say(_ samples: [Float], rate: SampleRate)
    /// Takes the time; to be called a few times a second.
    func tick()
    /// Ends the call.
    func hangUp()
}

/// Something that the agent sent.
package enum LineArrival: Sendable {
    /// An RTVI message.
    case message(String)
    /// The agent fell silent; this is what was heard of it.
    case speech([Float], SampleRate, began: Duration)
}

/// An agent that can be called. Makes a line for one call.
package typealias ScriptedAgent =
    @Sendable (
        _ scenario: ScriptScenario,
        _ deliver: @escaping @Sendable (LineArrival) -> Void
    ) throws(VoiceError) -> any ScriptLine
