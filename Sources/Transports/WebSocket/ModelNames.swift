/// The names of the models of a conversation, for pages and reports.
public struct ModelNames: Sendable, Equatable, Codable {
    /// The voice activity detector.
    public var vad: String
    /// The end-of-turn detector.
    public var turn: String
    /// The recogniser.
    public var asr: String
    /// The language model.
    public var llm: String
    /// The voice.
    public var tts: String

    /// Makes a list.
    public init(vad: String, turn: String, asr: String, llm: String, tts: String) {
        self.vad = vad
        self.turn = turn
        self.asr = asr
        self.llm = llm
        self.tts = tts
    }
}
