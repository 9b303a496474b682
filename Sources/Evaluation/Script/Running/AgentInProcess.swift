package import Conversation
package import Logging
package import Transports
package import VoiceCore

/// An agent in this process: the real conversation and its engines.
package struct AgentInProcess: Sendable {
    private let engines: Engines
    private let configuration: ConversationConfiguration
    private let about: RTVIAbout
    private let clock: any SessionClock
    private let logger: Logger

    /// Makes an agent that can be called any number of times, also side by side.
    ///
    /// - Parameters:
    ///   - engines: its models.
    ///   - configuration: how it behaves.
    ///   - about: what it calls itself.
    package init(
        engines: Engines,
        configuration: ConversationConfiguration,
        about: RTVIAbout,
        clock: any SessionClock,
        logger: Logger
    ) {
        self.engines = engines
        self.configuration = configuration
        self.about = about
        self.clock = clock
        self.logger = logger
    }

    /// Makes a line for one call.
    package func line(
        _ scenario: ScriptScenario,
        _ deliver: @escaping @Sendable (LineArrival) -> Void
    ) throws(VoiceError) -> any ScriptLine {
        var configuration = configuration
        if let instructions = scenario.instructions { configuration.systemPrompt = instructions }
        let conversation = Conversation(
            engines: engines,
            configuration: configuration,
            clock: clock,
            logger: logger,
            name: scenario.name
        )
        let models = ModelNames(
            vad: engines.voiceActivity.name,
            turn: engines.turnDetector.name,
            asr: engines.recognizer.name,
            llm: engines.languageModel.name,
            tts: engines.synthesizer.name
        )
        return AgentLine(conversation, about: about, models: models, clock: clock, deliver: deliver)
    }
}
