/// Cuts a reply as the stack does that we compare ourselves with: the model generates a fixed number of tokens, then what
/// is whole of them is spoken.
///
/// The rules are those of `llama_cpp_buffered_llm.py` and `sentence_buffer.py` in pipecat-ai/nemotron-january-2026: 24
/// tokens at first, 32 at a time later; complete sentences go; without one, 24 tokens at first and 96 later are cut at the
/// last comma, semicolon or new line, else at the last space, else anywhere.
struct ReferenceSegmenter: Segmenter {
    private static let first = 24
    private static let later = 32
    private static let most = 96

    private var text = ""
    private var tokens = 0
    private var due = Self.first
    private var limit = Self.first

    mutating func feed(_ piece: String) -> [String] {
        text += piece
        tokens += 1
        guard tokens >= due else { return [] }
        guard let end = sentenceEnd ?? (tokens >= limit ? forcedEnd : nil), end > text.startIndex else {
            due += Self.later
            return []
        }
        let segment = String(text[..<end])
        text.removeSubrange(..<end)
        (tokens, due, limit) = (0, Self.later, Self.most)
        return [segment]
    }

    mutating func finish() -> String? {
        defer { text = "" }
        return text.contains { !$0.isWhitespace } ? text : nil
    }

    /// Behind the white space that follows the last sentence.
    private var sentenceEnd: String.Index? {
        var end: String.Index?
        var isEnding = false
        for index in text.indices {
            let character = text[index]
            if isEnding, character.isWhitespace { end = text.index(after: index) }
            isEnding = ".!?".contains(character) || isEnding && "\"')".contains(character)
        }
        return end
    }

    private var forcedEnd: String.Index {
        let borders = zip(text.indices, text.indices.dropFirst()).filter { before, index in
            text[index].isNewline || text[index] == " " && ",;".contains(text[before])
        }
        let index = borders.last?.1 ?? text.lastIndex(of: " ")
        return index.map { text.index(after: $0) } ?? text.endIndex
    }
}
