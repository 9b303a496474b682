internal import Foundation
internal import VoiceCore

/// The text of one utterance, grown token by token; what is written once is never changed.
///
/// A stream owns one: `append`, `next` after every step; `finish` at the end of the utterance; `beginUtterance` before
/// the next one. A copy is a fork: what is appended to it leaves the original alone. An append costs as much as its
/// tokens, a transcript one copy of text and words.
///
/// Words are divided by the pieces' spaces. In a script without spaces (Han, kana) each token that begins with such a
/// character is a word, so that it has a time.
///
/// Punctuation belongs to the word before it and changes neither its times nor its confidence: a transducer emits marks
/// late, and its doubt whether to write a comma is no doubt about the word. (NeMo 3.0.0 ends words before their
/// punctuation too: `nemo/collections/asr/inference/utils/bpe_decoder.py`, refine_text_segment_timestamp.) A space
/// before a closing mark is dropped, as NeMo's streaming pipeline does (`inference/streaming/text/text_processing.py`).
struct UtteranceText: Sendable {
    /// The language that the model named last, as a BCP 47 tag; nil when it named none.
    private(set) var language: String?

    private let vocabulary: TokenVocabulary
    private var bytes = UTF8Assembler()
    private var text = ""
    private var words: [RecognizedWord] = []
    /// Where the last word but one ends, in bytes.
    private var stableLength = 0
    /// The tokens whose text is still to come: a space, or the first bytes of a character.
    private var pending: TokenSpan?
    private var isAfterSpace = false
    private var previous = PreviousEnd.absent
    private var amendment = ""
    private var continuesWord = false
    private var isChanged = false

    init(vocabulary: TokenVocabulary) {
        self.vocabulary = vocabulary
    }

    /// Begins a new utterance.
    ///
    /// Punctuation that comes before its first word belongs to the previous one and is handed out as an amendment,
    /// unless that one has such a mark already (or the previous text is empty): then it is dropped.
    /// - Parameter previousFinal: the transcript that ended the previous utterance; nil for the first one and after a
    ///   reset.
    mutating func beginUtterance(after previousFinal: Transcript? = nil) {
        let language = language
        self = UtteranceText(vocabulary: vocabulary)
        if let previousFinal {
            self.language = language
            previous = PreviousEnd(of: previousFinal.text)
        }
    }

    /// Takes the tokens of a step, in the order in which they were emitted.
    mutating func append(_ tokens: [EmittedToken]) {
        for token in tokens { append(token) }
    }

    /// The partial transcript, if it has changed since the last one was handed out. An amendment is in the first one
    /// after it was found, and only there.
    mutating func next() -> Transcript? {
        guard isChanged else { return nil }
        return transcript(isFinal: false)
    }

    /// The final transcript. Call ``beginUtterance(after:)`` before the next token.
    mutating func finish() -> Transcript {
        endCharacter()
        return transcript(isFinal: true)
    }

    private mutating func transcript(isFinal: Bool) -> Transcript {
        defer { (amendment, isChanged) = ("", false) }
        let stable = isFinal ? text.utf8.count : stableLength
        return Transcript(
            text: text,
            isFinal: isFinal,
            words: words,
            stableLength: stable,
            amendment: amendment,
            continuesWord: continuesWord
        )
    }

    private mutating func append(_ token: EmittedToken) {
        guard let piece = vocabulary.piece(token.id) else { return }
        if case .byte(let byte) = piece.role {
            var completed = ""
            bytes.feed(byte, into: &completed)
            write(completed, TokenSpan(token))
            if !bytes.isEmpty, pending == nil { pending = TokenSpan(token) }
            return
        }
        endCharacter()
        switch piece.role {
        case .word, .space: write(piece.surface, TokenSpan(token))
        case .punctuation(let mark): close(with: mark, piece.surface.drop { $0 == " " })
        case .language(let tag): language = tag
        case .byte, .control: break
        }
    }

    /// A character that was begun in bytes and not completed is broken.
    private mutating func endCharacter() {
        var broken = ""
        bytes.flush(into: &broken)
        guard !broken.isEmpty, let span = pending else { return }
        pending = nil
        write(broken, span)
    }

    private mutating func write(_ surface: String, _ token: TokenSpan) {
        var span = pending?.joined(with: token) ?? token
        var isFirst = true
        for scalar in surface.unicodeScalars {
            if scalar.properties.isWhitespace {
                (span, isAfterSpace) = (token, true)
                continue
            }
            let beginsWord = words.isEmpty || isAfterSpace || (isFirst && TokenVocabulary.standsAlone(scalar))
            if beginsWord { beginWord(at: span) } else { words[words.count - 1].extend(to: span) }
            text.unicodeScalars.append(scalar)
            words[words.count - 1].text.unicodeScalars.append(scalar)
            isFirst = false
            isChanged = true
        }
        pending = isFirst ? span : nil
    }

    private mutating func beginWord(at span: TokenSpan) {
        stableLength = text.utf8.count
        if words.isEmpty { continuesWord = !isAfterSpace && previous.isThere }
        if isAfterSpace, !text.isEmpty { text += " " }
        isAfterSpace = false
        words.append(RecognizedWord(text: "", start: span.start, end: span.end, confidence: span.confidence))
    }

    private mutating func close(with mark: PunctuationMark, _ marks: Substring) {
        pending = nil
        isAfterSpace = false
        guard !words.isEmpty else {
            guard previous.takes(mark) else { return }
            amendment += marks
            previous = .closed(mark)
            isChanged = true
            return
        }
        text += marks
        words[words.count - 1].text += marks
        isChanged = true
    }
}

/// How the utterance before this one ended.
private enum PreviousEnd: Sendable {
    /// There was none, or nothing was understood.
    case absent
    case open
    case closed(PunctuationMark)

    init(of text: String) {
        if text.isEmpty { self = .absent } else { self = PunctuationMark(ending: text).map { .closed($0) } ?? .open }
    }

    /// Whether a mark that comes late is one that the text lacks.
    /// Whether the next word has one before it.
    var isThere: Bool {
        if case .absent = self { return false }
        return true
    }

    func takes(_ mark: PunctuationMark) -> Bool {
        switch self {
        case .absent: false
        case .open: true
        case .closed(let before): mark > before
        }
    }
}

/// When some tokens were emitted, and the least probability among them.
private struct TokenSpan: Sendable {
    let start: Duration
    private(set) var end: Duration
    private(set) var confidence: Float

    init(_ token: EmittedToken) {
        start = EmittedToken.frameDuration * token.frame
        end = start + EmittedToken.frameDuration
        confidence = min(1, exp(token.logProbability))
    }

    func joined(with other: TokenSpan) -> TokenSpan {
        var span = self
        span.end = max(end, other.end)
        span.confidence = min(confidence, other.confidence)
        return span
    }
}

extension RecognizedWord {
    fileprivate mutating func extend(to span: TokenSpan) {
        end = max(end, span.end)
        confidence = min(confidence, span.confidence)
    }
}
