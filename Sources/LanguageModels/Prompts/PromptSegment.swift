/// A piece of a prompt. Who wrote it decides what it can become.
enum PromptSegment: Sendable, Hashable {
    /// The name of a control token: becomes that token where the vocabulary has it, else text.
    case control(String)
    /// Words of the template's own.
    case text(String)
    /// What somebody wrote: people, recognisers, tools, models. Never becomes a control token, whatever it says.
    case content(String)

    /// The piece as a template writes it.
    var string: String {
        switch self {
        case .control(let string), .text(let string), .content(let string): string
        }
    }
}

extension [PromptSegment] {
    /// The whole as a template writes it.
    var string: String { map(\.string).joined() }

    /// Words of a template, in which the names of control tokens stand for those.
    static func markup(_ words: String, controls: [String]) -> [PromptSegment] {
        var segments: [PromptSegment] = []
        var rest = words[...]
        while let (range, name) = first(of: controls, in: rest) {
            if range.lowerBound > rest.startIndex { segments.append(.text(String(rest[..<range.lowerBound]))) }
            segments.append(.control(name))
            rest = rest[range.upperBound...]
        }
        return rest.isEmpty ? segments : segments + [.text(String(rest))]
    }

    private static func first(of names: [String], in text: Substring) -> (Range<String.Index>, String)? {
        names.compactMap { name in text.firstRange(of: name).map { ($0, name) } }
            .min { $0.0.lowerBound < $1.0.lowerBound }
    }
}

/// One message of a prompt.
struct RenderedMessage: Sendable, Equatable {
    /// What the template writes before it.
    var opening: [PromptSegment] = []
    /// What its author wrote. Of an assistant's message that is what the model itself says, its calls included.
    var body: [PromptSegment] = []
    /// What the template writes after it.
    var closing: [PromptSegment] = []
    /// Whether the body begins with what the assistant thought.
    var showsReasoning = false

    /// All of it.
    var segments: [PromptSegment] { opening + body + closing }
}

/// A conversation as a template writes it, up to where the next message begins.
struct RenderedPrompt: Sendable, Equatable {
    /// What stands before the first message: instructions and tools. Its body is the system message's text.
    var head: RenderedMessage
    /// One for each message but a leading system message.
    var messages: [RenderedMessage]

    /// All of it.
    var segments: [PromptSegment] { head.segments + messages.flatMap(\.segments) }
}
