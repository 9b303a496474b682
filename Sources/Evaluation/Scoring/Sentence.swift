internal import VoiceCore

/// A sentence of an answer.
struct Sentence: Sendable {
    var text: SpokenText
    /// Whether it wants an answer.
    var isQuestion: Bool

    /// The sentences of a text. The full stops of "a.m." and "Dr." end none.
    static func all(of text: String) -> [Sentence] {
        var text = text
        text.replace(/(?i)\b([ap])\.m\./) { "\($0.1)m" }
        text.replace(/\b(Dr|Mr|Mrs|Ms|Prof|St|No)\./) { String($0.1) }
        text.replace(/(?<end>[.!?])["”’)*]*(?=\s|$)/) { "\($0.end)\n" }
        return text.split(separator: "\n").compactMap { line in
            let spoken = SpokenText(String(line))
            guard !spoken.tokens.isEmpty else { return nil }
            return Sentence(text: spoken, isQuestion: line.trimmed.hasSuffix("?") || spoken.tokens.asks)
        }
    }
}

extension [String] {
    /// Whether the words ask for something without a question mark.
    fileprivate var asks: Bool {
        let text = " " + joined(separator: " ") + " "
        return Self.requests.contains { text.contains(" \($0) ") }
    }

    private static let requests = [
        "please tell", "let me know", "could you", "can you tell", "may i", "i will need", "i need", "please give",
        "please share", "just need",
    ]
}
