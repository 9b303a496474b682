public import VoiceCore

/// How an agent behaves. Every value has a default that works.
public struct ConversationConfiguration: Sendable {
    /// The instructions to the language model.
    public var systemPrompt: String
    /// What the agent says first; empty for nothing.
    public var greeting: String
    /// What the agent says first in a conversation that goes on after the connection was lost; empty for nothing.
    public var returnGreeting = ConversationConfiguration.defaultReturnGreeting
    /// What the agent says when its language model fails; empty for nothing.
    public var apology: String
    /// What the agent says, once in an answer, when an engine on a server failed and the person waits for longer than 0.8 s, or nothing comes
    /// for 1.5 s; empty for nothing. Of use where engines have others to go on with: see `docs/engines.md`.
    public var filler = ""
    /// How the language model chooses words.
    public var sampling: SamplingOptions
    /// What the agent can do besides speaking.
    public var tools: [any Tool] = []
    /// What it can have done while it speaks.
    public var backgroundTools: [any BackgroundTool] = []
    /// Whether it can end the conversation, by the tool `hang_up`.
    public var canHangUp = false
    /// What other agents call it by.
    public var name = "main"
    /// What it is for, for the agents that may hand the conversation back to it.
    public var description = ""
    /// Agents that it may hand the conversation to; nil for all of ``colleagues``.
    public var successors: [String]?
    /// Other agents that the conversation can be handed to.
    public var colleagues: [AgentProfile] = []
    /// Whether the language model thinks before it speaks. While it does, the person hears nothing.
    public var reasoning = Reasoning.off
    /// How the person is recognised.
    public var recognition: RecognitionOptions
    /// The borders of speech.
    package var voiceActivity = VoiceActivityGate.Configuration()
    /// When and in what pieces answers are made.
    public var policy = ReplyPolicy.speculative
    /// Answers that `speculative` may draft in one turn; each but the last is thrown away.
    public var draftsPerTurn = 3
    /// Whether the language model, where it can, says how likely the person's words are complete while it reads them for a draft.
    public var readsWords = true
    /// The ends of turns.
    package var turnTaking = TurnMachine.Configuration()
    /// The lengths of clauses.
    package var clauses = ClauseSegmenter.Configuration()
    /// Whether the agent's own voice is taken out of the microphone.
    public var cancelsEcho = true
    /// How far ahead of the clock audio is sent to the loudspeaker.
    public var playoutLead: Duration
    /// A sample counts as audible from this amplitude on, in [0, 1]. The default is the 500/32768 of common
    /// voice-to-voice measurements.
    public var audibleThreshold: Float

    /// Makes a configuration.
    public init(
        systemPrompt: String = ConversationConfiguration.defaultSystemPrompt,
        greeting: String = ConversationConfiguration.defaultGreeting,
        apology: String = "Sorry, I lost my train of thought. Could you say that again?",
        sampling: SamplingOptions = SamplingOptions(),
        recognition: RecognitionOptions = RecognitionOptions(),
        playoutLead: Duration = .milliseconds(60),
        audibleThreshold: Float = 500 / 32_768
    ) {
        self.systemPrompt = systemPrompt
        self.greeting = greeting
        self.apology = apology
        self.sampling = sampling
        self.recognition = recognition
        self.playoutLead = playoutLead
        self.audibleThreshold = audibleThreshold
    }

    /// What the language model is offered when a conversation begins, so that a program can refuse at its start what no conversation
    /// could have.
    /// - Parameter synthesizer: the voice of agents that have none of their own.
    /// - Throws: ``VoiceError/Code/usage`` if agents cannot be told apart or found.
    package func options(synthesizer: any SpeechSynthesizer) throws(VoiceError) -> ChatOptions {
        let jobs = JobRunner(clock: SystemClock(), trace: SessionTrace(group: name, sink: nil)) {}
        let roster = try Roster(self, synthesizer: synthesizer, jobs: jobs)
        return ChatOptions(tools: roster.first.tools.declarations, reasoning: reasoning)
    }

    /// The agent that begins.
    var profile: AgentProfile {
        AgentProfile(
            name: name,
            description: description,
            systemPrompt: systemPrompt,
            tools: tools,
            backgroundTools: backgroundTools,
            successors: successors
        )
    }

    /// ``voiceActivity``, unless the policy has its own.
    var policyVoiceActivity: VoiceActivityGate.Configuration {
        guard policy == .reference else { return voiceActivity }
        // `stop_secs` of 0.2; the verdict is asked for after it.
        var reference = VoiceActivityGate.Configuration()
        reference.stop = .milliseconds(200)
        reference.hush = reference.stop
        reference.thresholdWhileSpeaking = reference.threshold
        reference.startWhileSpeaking = .milliseconds(192)
        return reference
    }

    /// ``turnTaking``, unless the policy has its own.
    /// - Parameter model: the one that answers.
    func policyTurnTaking(with model: any LanguageModel) -> TurnMachine.Configuration {
        var own = turnTaking
        if policy == .reference {
            own.endpointing = .verdict(complete: 0.5, timeout: .seconds(3))
            if own.interruption != .never { own.interruption = .immediate }
        }
        own.bridgesTranscripts = filler.isEmpty ? nil : Patience.afterSilence
        own.draftsPerTurn = policy == .speculative ? draftsPerTurn : 0
        // It reads the words for the draft.
        own.completenessTimeout = readsWords && model.judgesCompleteness ? .milliseconds(300) : nil
        return own
    }

    /// The default ``systemPrompt``.
    public static let defaultSystemPrompt = """
        You are Repartee, a friendly voice assistant. Your words are spoken aloud, so answer in one or two short, plain \
        sentences. Do not use lists, markdown, emoji or special characters.
        """
    /// The default ``returnGreeting``.
    public static let defaultReturnGreeting = "Sorry, we were cut off. Please go on."
    /// The default ``greeting``.
    public static let defaultGreeting = "Hello, I'm Repartee. What would you like to talk about?"
}
