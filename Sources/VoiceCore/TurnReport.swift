/// How the waiting time of one turn came about. All in milliseconds, on the critical path, disjoint.
///
/// The sum of the tiles is the turn's voice-to-voice time. Idea of tiling the whole interval so that it always sums:
/// Pipecat 1.14 `observers/user_bot_latency_observer.py`.
public struct LatencyTiles: Sendable, Equatable, Codable {
    /// From the last speech sample of the person until the silence was judged long enough to ask for the end of the turn.
    public var endpointWait: Double
    /// What the verdict on the end of the turn took beyond that.
    public var turnDetection: Double
    /// Until the final transcript was there.
    public var asrFinal: Double
    /// Until the language model's first token.
    public var llmFirstToken: Double
    /// Until the first clause was complete.
    public var llmFirstSegment: Double
    /// Until the first audio of the reply existed.
    public var ttsFirstAudio: Double
    /// Until its first audible sample was played.
    public var output: Double

    /// Makes tiles.
    public init(
        endpointWait: Double = 0,
        turnDetection: Double = 0,
        asrFinal: Double = 0,
        llmFirstToken: Double = 0,
        llmFirstSegment: Double = 0,
        ttsFirstAudio: Double = 0,
        output: Double = 0
    ) {
        self.endpointWait = endpointWait
        self.turnDetection = turnDetection
        self.asrFinal = asrFinal
        self.llmFirstToken = llmFirstToken
        self.llmFirstSegment = llmFirstSegment
        self.ttsFirstAudio = ttsFirstAudio
        self.output = output
    }

    /// The sum of all tiles.
    public var total: Double {
        endpointWait + turnDetection + asrFinal + llmFirstToken + llmFirstSegment + ttsFirstAudio + output
    }

    private enum CodingKeys: String, CodingKey {
        case endpointWait = "endpoint_wait"
        case turnDetection = "turn_detection"
        case asrFinal = "asr_final"
        case llmFirstToken = "llm_first_token"
        case llmFirstSegment = "llm_first_segment"
        case ttsFirstAudio = "tts_first_audio"
        case output
    }
}

/// One turn of a conversation, as it is reported. The keys are part of the command line's stable contract.
public struct TurnReport: Sendable, Equatable, Codable {
    /// How a draft made before the end of the turn fared.
    public enum Speculation: String, Sendable, Codable {
        /// The draft was spoken.
        case hit
        /// The draft was thrown away.
        case miss
        /// There was no draft.
        case none
    }

    /// The turn's number; the first answered user turn is 1. A greeting is turn 0.
    public var turn: Int
    /// The final transcript of what the person said; empty for a greeting.
    public var user: String
    /// The part of the reply that was heard.
    public var agent: String
    /// True when the person interrupted the reply.
    public var interrupted: Bool
    /// First audible agent sample minus last speech sample of the person, on the audio clock. Nil when one is missing.
    public var voiceToVoice: Double?
    /// Where the time went. Nil when ``voiceToVoice`` is.
    public var tiles: LatencyTiles?
    /// How a draft fared.
    public var speculation: Speculation
    /// What the language model computed.
    public var llm: ReplyUsage?

    /// Makes a report.
    public init(
        turn: Int,
        user: String,
        agent: String,
        interrupted: Bool,
        voiceToVoice: Double?,
        tiles: LatencyTiles?,
        speculation: Speculation,
        llm: ReplyUsage?
    ) {
        self.turn = turn
        self.user = user
        self.agent = agent
        self.interrupted = interrupted
        self.voiceToVoice = voiceToVoice
        self.tiles = tiles
        self.speculation = speculation
        self.llm = llm
    }

    private enum CodingKeys: String, CodingKey {
        case turn, user, agent, interrupted
        case voiceToVoice = "v2v_ms"
        case tiles = "tiles_ms"
        case speculation, llm
    }
}
