internal import Conversation

/// Cuts text into what a voice is given at a time: sentences where the whole text is there, clauses while it is coming.
///
/// A pure value. Pieces have at most 2000 characters, whatever the text: nothing waits for a border that never comes.
struct ClauseCutter: Sendable {
    /// A piece of text.
    struct Clause: Sendable, Equatable {
        var text: String
        /// Where it begins in all the text that was fed, in UTF-8 bytes.
        var start: Int
    }

    /// Characters that are looked through at a time.
    private static let portion = 1_000

    private var segmenter: ClauseSegmenter
    /// Characters that may wait for a border: more than its words have. All of them are looked through for every token.
    private let longest: Int
    private let configuration: ClauseSegmenter.Configuration
    /// What waits for the end of its clause.
    private var pending = ""
    private var position = 0

    /// Cuts clauses as an agent does: the first one short, because somebody waits for it.
    init() { self.init(ClauseSegmenter.Configuration(), longest: 300) }

    private init(_ configuration: ClauseSegmenter.Configuration, longest: Int) {
        self.longest = longest
        self.configuration = configuration
        segmenter = ClauseSegmenter(configuration: configuration)
    }

    /// The sentences of a whole text.
    ///
    /// - Parameter start: where the text begins, for the pieces' own starts.
    static func sentences(of text: String, start: Int) -> [Clause] {
        var configuration = ClauseSegmenter.Configuration()
        // NeMo speaks up to 45 English words at once (nemo_toolkit 3.0.0, `generate_speech`).
        configuration.firstClauseWords = 30
        configuration.firstClauseLimit = 45
        configuration.clauseWords = 30
        configuration.clauseLimit = 45
        var cutter = ClauseCutter(configuration, longest: portion)
        cutter.position = start
        let clauses = cutter.feed(text)
        return clauses + (cutter.flush().map { [$0] } ?? [])
    }

    /// Takes the next text.
    /// - Returns: the clauses that are complete.
    mutating func feed(_ text: String) -> [Clause] {
        var clauses: [Clause] = []
        var rest = text[...]
        while !rest.isEmpty {
            let portion = Self.portion(of: rest)
            rest = rest[portion.endIndex...]
            pending += portion
            for clause in segmenter.feed(String(portion)) {
                pending.removeSubrange(..<pending.utf8.index(pending.startIndex, offsetBy: clause.utf8.count))
                clauses += take(clause)
            }
            if pending.utf8.count > longest, pending.count > longest, let clause = flush() { clauses.append(clause) }
        }
        return clauses
    }

    /// Ends the clause that waits, if there is one.
    mutating func flush() -> Clause? {
        _ = segmenter.finish()
        segmenter = ClauseSegmenter(configuration: configuration)
        defer { pending = "" }
        return take(pending).first
    }

    /// A clause, unless it is blank.
    private mutating func take(_ text: String) -> [Clause] {
        defer { position += text.utf8.count }
        return text.allSatisfy(\.isWhitespace) ? [] : [Clause(text: text, start: position)]
    }

    /// The beginning of a text, up to white space if there is any.
    private static func portion(of text: Substring) -> Substring {
        let beginning = text.prefix(portion)
        guard beginning.endIndex < text.endIndex, let space = beginning.lastIndex(where: \.isWhitespace),
            space > beginning.startIndex
        else { return beginning }
        return text[..<space]
    }
}
