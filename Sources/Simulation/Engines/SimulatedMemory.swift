internal import VoiceCore

/// What a chat has read and written, token by token, as `ChatSeat` keeps it.
actor SimulatedMemory {
    /// Of a message in ChatML: its markers and its role.
    private static let markers = 5
    /// Of the beginning of an answer.
    private static let opening = 3

    private let habits: TalkerHabits
    private var random: SeededRandom
    private var log: [UInt64] = []
    private var prompt: [UInt64] = []
    /// The messages of the last prompt with their tokens, which need not be cut up again.
    private var rendered: [(message: ChatMessage, tokens: [UInt64])] = []

    init(habits: TalkerHabits, seed: UInt64, session: Int) {
        self.habits = habits
        random = SeededRandom(seed: seed, stream: 3 * session + 2)
    }

    /// Takes a conversation: what of it is in memory stays, everything else is forgotten.
    /// - Returns: the tokens of the whole prompt, and those that have to be read.
    func begin(_ messages: [ChatMessage], isReply: Bool) -> (all: Int, new: Int) {
        prompt = render(messages, isOpen: !isReply && messages.last?.role == .user)
        if isReply { prompt += Self.opening(of: .assistant) }
        let common = zip(log, prompt).prefix { $0 == $1 }.count
        if !isReply, common == prompt.count { return (prompt.count, 0) }
        // Of a reply's prompt the last token is read in any case.
        let kept = isReply ? min(common, prompt.count - 1) : common
        log.removeLast(log.count - kept)
        return (prompt.count, prompt.count - kept)
    }

    /// Notes that the next tokens of the prompt were read.
    func read(_ count: Int) { log += prompt[log.count..<min(prompt.count, log.count + count)] }

    /// Notes that a token was written.
    func write(_ token: String) { log.append(Self.identifier(of: token)) }

    /// What it will answer now.
    func answer() -> [String] { Vocabulary.tokens(of: Vocabulary.answer(habits, &random)).map(String.init) }

    private func render(_ messages: [ChatMessage], isOpen: Bool) -> [UInt64] {
        var tokens: [UInt64] = []
        for (index, message) in messages.enumerated() {
            if index >= rendered.count || rendered[index].message != message {
                rendered.removeSubrange(index...)
                let words = Vocabulary.tokens(of: message.content).map(Self.identifier)
                rendered.append((message, Self.opening(of: message.role) + words))
            }
            tokens += rendered[index].tokens
            let isUnfinished = isOpen && index == messages.count - 1
            if !isUnfinished { tokens += Self.closing }
        }
        return tokens
    }

    private static let closing: [UInt64] = [1, 2]

    private static func opening(of role: ChatMessage.Role) -> [UInt64] {
        [3, identifier(of: role.rawValue), 4]
    }

    /// FNV-1a (Fowler, Noll and Vo), 64 bits: the same in every run.
    private static func identifier(of token: some StringProtocol) -> UInt64 {
        token.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3 }
    }
}
