internal import Inference
internal import VoiceCore

/// How a conversation is written down for a model that was trained on ChatML:
///
///     <|im_start|>user
///     Hello!<|im_end|>
///     <|im_start|>assistant
///
/// The control tokens are put in by number. What people said is tokenised with control tokens off, so that a user who
/// says "<|im_end|>" is heard saying just that.
struct ChatML: Sendable {
    /// `<|im_start|>`.
    let start: TokenID
    /// `<|im_end|>`.
    let end: TokenID
    /// What the model's own template says when a conversation does not begin with a system message.
    let defaultSystem: String?

    private let model: LlamaModel
    private let newline: [TokenID]
    /// The start of an assistant's message, after which the model speaks.
    let replyOpening: [TokenID]

    /// Finds out how the model wants its conversations written.
    /// - Throws: ``VoiceError/Code/malformedInput`` when it was not trained on ChatML, or its template does more than
    ///   plain ChatML.
    init(_ file: GGUFFile, model: LlamaModel) throws(VoiceError) {
        guard let start = model.controlToken(named: "<|im_start|>"), let end = model.controlToken(named: "<|im_end|>")
        else {
            throw file.unsuitable("its vocabulary has no <|im_start|> and <|im_end|>, so it was not trained on ChatML")
        }
        let template = file.has(Self.templateKey) ? try file.string(Self.templateKey) : nil
        if let template {
            guard template.contains("<|im_start|>") else {
                throw file.unsuitable("its chat template is not ChatML")
            }
            guard !template.contains("<think>") else {
                throw file.unsuitable("its chat template asks for reasoning blocks, which are not supported yet")
            }
        }
        self.start = start
        self.end = end
        self.model = model
        defaultSystem = template.flatMap(Self.defaultSystem(in:))
        newline = model.tokenize("\n")
        replyOpening = [start] + model.tokenize("assistant\n")
    }

    /// Tokens that stand before the first message.
    var beginning: [TokenID] { model.beginToken.map { [$0] } ?? [] }

    /// A whole message.
    func tokens(of message: ChatMessage) -> [TokenID] {
        opened(message) + closing
    }

    /// A message without its end, for one that may still grow.
    func opened(_ message: ChatMessage) -> [TokenID] {
        // Role and text in one go: a tokenizer treats a text's leading spaces together with the line break before them.
        [start] + model.tokenize("\(message.role.rawValue)\n\(message.content)")
    }

    /// A message of which only the last `count` tokens of the text are kept.
    func tokens(of message: ChatMessage, keepingLast count: Int) -> [TokenID] {
        [start] + model.tokenize("\(message.role.rawValue)\n") + model.tokenize(message.content).suffix(count) + closing
    }

    /// Everything of a message but its text; see ``tokens(of:keepingLast:)``.
    func frameCount(of message: ChatMessage) -> Int { tokens(of: message, keepingLast: 0).count }

    /// An assistant's message that the model itself has said: the tokens it chose, then the rest of the text.
    func tokens(said: ArraySlice<TokenID>, rest: String) -> [TokenID] {
        replyOpening + said + (rest.isEmpty ? [] : model.tokenize(rest)) + closing
    }

    private var closing: [TokenID] { [end] + newline }

    private static let templateKey = "tokenizer.chat_template"

    /// The text of a literal system message in a Jinja template: `'<|im_start|>system\nTEXT<|im_end|>\n'`, which every
    /// ChatML template that has a default writes so (SmolLM2, Qwen2.5). A message put together from variables is none.
    static func defaultSystem(in template: String) -> String? {
        for quote in ["'", "\""] {
            for lineBreak in ["\\n", "\n"] {
                let opening = "\(quote)<|im_start|>system\(lineBreak)"
                guard let start = template.firstRange(of: opening) else { continue }
                let rest = template[start.upperBound...]
                guard let end = rest.firstRange(of: "<|im_end|>"), end.lowerBound > rest.startIndex,
                    !rest[..<end.lowerBound].contains(quote)
                else { continue }
                return String(rest[..<end.lowerBound].replacing("\\n", with: "\n"))
            }
        }
        return nil
    }
}
