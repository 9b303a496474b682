internal import VoiceCore

/// The SentencePiece BPE vocabulary of a model: token ids to text and back.
///
/// Built once per model from the pieces in its file. A copy shares the tables.
struct TokenVocabulary: Sendable {
    /// The largest vocabulary taken: 20 times that of the largest model known (nemotron-3.5, 13 087 pieces).
    static let maximumCount = 1 << 18
    /// The longest piece taken, in bytes; SentencePiece makes pieces of at most 16 characters unless told otherwise.
    static let maximumPieceLength = 128

    private let pieces: [TokenPiece]
    /// What ``encode(_:)`` needs.
    let merges: MergeTable

    /// - Parameter pieces: in the order of their ids, without the blank.
    /// - Throws: ``VoiceError/Code/malformedInput`` when there are none or too many, when one is empty or too long, or
    ///   when two that say something are the same.
    init(pieces: [String]) throws(VoiceError) {
        guard !pieces.isEmpty else { throw Self.malformed("it is empty") }
        guard pieces.count <= Self.maximumCount else {
            throw Self.malformed("it has \(pieces.count) pieces, at most \(Self.maximumCount) make sense")
        }
        for (id, piece) in pieces.enumerated() where !(1...Self.maximumPieceLength).contains(piece.utf8.count) {
            throw Self.malformed("piece \(id) has \(piece.utf8.count) bytes, not 1 to \(Self.maximumPieceLength)")
        }
        self.pieces = pieces.map { TokenPiece($0) }
        merges = try MergeTable(pieces: pieces, roles: self.pieces.map(\.role))
    }

    static func malformed(_ what: String) -> VoiceError {
        VoiceError(.malformedInput, "the model's vocabulary cannot be used: \(what); get the model's file again")
    }

    /// The number of pieces; the blank is not one.
    var count: Int { pieces.count }

    /// What a token does to a text; nil for the blank and other ids that have no piece.
    func piece(_ id: Int32) -> TokenPiece? {
        pieces.indices.contains(Int(id)) ? pieces[Int(id)] : nil
    }

    /// Whether a token begins with a space.
    func isWordStart(_ id: Int32) -> Bool { piece(id)?.isWordStart ?? false }

    /// Whether a token says nothing but closing marks (`.` `,` `?` `。` `؟` …), with or without a space before them. An
    /// apostrophe, a hyphen or an opening mark (`¿`) is part of a word.
    func isPunctuation(_ id: Int32) -> Bool {
        if case .punctuation = piece(id)?.role { true } else { false }
    }

    /// Whether a token is a word, a part of one, or a byte of one.
    func isSpoken(_ id: Int32) -> Bool {
        switch piece(id)?.role {
        case .word, .byte: true
        default: false
        }
    }

    /// The language that a token names: `en-US` for `<en-US>`.
    func languageTag(_ id: Int32) -> String? {
        if case .language(let tag) = piece(id)?.role { tag } else { nil }
    }

    /// Whether a character is of a script that has no spaces between words: Han, hiragana, katakana (Unicode's Blocks.txt).
    static func standsAlone(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.isIdeographic || (0x3041...0x30FF).contains(scalar.value)
    }

    /// The text of a sequence of tokens, as SentencePiece decodes it, without what is not said (controls, languages,
    /// `<unk>`), with single spaces and none at its ends.
    func text(of ids: some Sequence<Int32>) -> String {
        var raw = ""
        var bytes = UTF8Assembler()
        for id in ids {
            guard let piece = piece(id) else { continue }
            if case .byte(let byte) = piece.role {
                bytes.feed(byte, into: &raw)
            } else {
                bytes.flush(into: &raw)
                raw += piece.surface
            }
        }
        bytes.flush(into: &raw)
        let words = raw.unicodeScalars.split { $0.properties.isWhitespace }
        return words.map { String($0) }.joined(separator: " ")
    }
}
