/// What happened at the loudspeaker of a conversation.
public struct PlayoutCount: Sendable, Codable, Equatable {
    /// Times that it ran dry in the middle of a reply.
    public internal(set) var underruns = 0
    /// Replies that the person cut off while they were heard.
    public internal(set) var interruptions = 0
    /// Times that a reply paused because the person made a sound, and went on because it was no interruption.
    public internal(set) var falsePauses = 0

    init() {}

    private enum CodingKeys: String, CodingKey {
        case underruns, interruptions
        case falsePauses = "false_pauses"
    }
}
