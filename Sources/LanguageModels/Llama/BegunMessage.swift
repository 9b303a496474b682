internal import Inference
internal import VoiceCore

/// The beginning of an assistant's message, which the model goes on with as if it had just said it.
///
/// White space at its end belongs to the tokens of the next word in most vocabularies: the model does not read it, and what it says next
/// begins behind it.
struct BegunMessage: Equatable {
    /// What was said, without white space before it.
    let text: String
    /// What the model reads of it.
    let tokens: [TokenID]
    /// UTF-8 bytes of `text` that `tokens` stand for.
    let length: Int

    /// Whether white space that the model says first is in `text` already.
    var endsInSpace: Bool { length < text.utf8.count }

    /// - Parameters:
    ///   - text: see above.
    ///   - tokens: writes words down as the model reads them.
    init(_ text: String, tokens: (String) -> [TokenID]) {
        self.text = String(text.drop(while: \.isWhitespace))
        let words = PythonText.stripEnd(self.text)
        self.tokens = tokens(words)
        length = words.utf8.count
    }
}
