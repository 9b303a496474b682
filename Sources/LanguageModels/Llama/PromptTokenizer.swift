internal import Inference
internal import VoiceCore

/// Makes a model's tokens of prompts.
///
/// Control tokens are put in by number. What people, recognisers and tools said is tokenised with control tokens off, so that a
/// user who says "<|im_end|>" is heard saying just that.
struct PromptTokenizer: Sendable {
    /// How conversations are written.
    let format: any PromptFormat

    private let model: LlamaModel
    private let controls: [String: TokenID]
    /// Names of the format that the tokenizer would find in any text: tokens that were added to the vocabulary for them
    /// without being control tokens.
    private let found: [String]

    /// Finds out how the model wants its conversations written.
    /// - Throws: ``VoiceError/Code/malformedInput`` when its template is of no family that is known, or its vocabulary lacks
    ///   the family's control tokens.
    init(_ file: GGUFFile, model: LlamaModel) throws(VoiceError) {
        let template = file.has(Self.templateKey) ? ChatTemplate(source: try file.string(Self.templateKey)) : nil
        // A model without a template that has ChatML's tokens was trained on ChatML.
        guard let format = (template ?? ChatTemplate(source: "<|im_start|>")).format else {
            throw file.unsuitable("its chat template is none of those that are known: \(ChatTemplate.known)")
        }
        self.format = format
        self.model = model
        var controls: [String: TokenID] = [:]
        for name in format.controls { controls[name] = model.addedToken(named: name) }
        // What looks so is a control token in every vocabulary; the others are text where they are missing.
        let frame =
            (format.render([ChatMessage(.user, "")], tools: []).segments + format.replyOpening(isThinking: false))
        for case .control(let name) in frame where name.hasPrefix("<|") && controls[name] == nil {
            throw file.unsuitable("its vocabulary has no \(name), so it was not trained on \(format.name)")
        }
        self.controls = controls
        found = controls.filter { !model.isControl($0.value) }.map(\.key)
    }

    private static let templateKey = "tokenizer.chat_template"

    /// Tokens that stand before everything.
    var beginning: [TokenID] { format.writesBeginning ? [] : model.beginToken.map { [$0] } ?? [] }

    /// Any token of the model's.
    var someToken: TokenID { controls.values.min() ?? 0 }

    /// The control token of a name of the format; nil where it is text.
    func control(_ name: String) -> TokenID? { controls[name] }

    /// What a token that the model chose stands for: its text, or of markup its name; nil for a control token that is no part
    /// of a reply.
    func bytes(of token: TokenID) -> [UInt8]? {
        guard model.isControl(token) else { return model.bytes(of: token) }
        return controls.first { $0.value == token && Self.replyMarkup.contains($0.key) }.map { Array($0.key.utf8) }
    }

    /// The control tokens that a reply may hold; ``ReplyParser`` knows them by name.
    private static let replyMarkup = ["<think>", "</think>", "<tool_call>", "</tool_call>", "<|python_tag|>"]

    /// The tokens of a piece of a prompt.
    ///
    /// Neighbouring texts become tokens in one go: a tokenizer treats a text's leading spaces together with the line break
    /// before them.
    func tokens(_ segments: [PromptSegment]) -> [TokenID] {
        var tokens: [TokenID] = []
        var text = ""
        for segment in segments {
            guard case .control(let name) = segment, let token = controls[name] else {
                text += segment.string
                continue
            }
            tokens += plain(text) + [token]
            text = ""
        }
        return tokens + plain(text)
    }

    /// A message of which only the last `count` tokens of what its author wrote are kept.
    func tokens(of message: RenderedMessage, keepingLast count: Int) -> [TokenID] {
        tokens(message.opening) + tokens(message.body).suffix(count) + tokens(message.closing)
    }

    /// Where the last word of a message ends.
    /// - Parameter tokens: the message's.
    /// - Returns: how many tokens that takes; nil where the message has no word, was cut, or its last word shares a token with
    ///   what follows.
    func lastWordEnd(of message: RenderedMessage, in tokens: [TokenID]) -> Int? {
        let text = message.body.string
        let words = SentenceEnds.removed(from: text)
        guard !words.isEmpty else { return nil }
        let beginning = self.tokens(message.opening + [.content(words)])
        return beginning.count < tokens.count && tokens.starts(with: beginning) ? beginning.count : nil
    }

    /// The tokens that end a sentence or a message.
    func sentenceEnds() -> SentenceEnds {
        SentenceEnds(
            (0..<TokenID(model.vocabularyCount)).filter { token in
                model.isEndOfGeneration(token) || !model.isControl(token) && SentenceEnds.isEnd(model.bytes(of: token))
            }
        )
    }

    /// Text as tokens, none of which has a meaning of its own.
    private func plain(_ text: String) -> [TokenID] {
        guard !text.isEmpty else { return [] }
        return PlainText.pieces(of: text, avoiding: found).flatMap { model.tokenize($0) }
    }
}

/// Text of strangers, for tokenizers that find more in texts than they are told to.
enum PlainText {
    /// The text in pieces none of which contains one of the names: each name is cut after its first sign.
    static func pieces(of text: String, avoiding names: [String]) -> [String] {
        var pieces: [String] = []
        var rest = text[...]
        while let start = names.compactMap({ rest.firstRange(of: $0)?.lowerBound }).min() {
            let cut = rest.index(after: start)
            pieces.append(String(rest[..<cut]))
            rest = rest[cut...]
        }
        return rest.isEmpty ? pieces : pieces + [String(rest)]
    }
}
