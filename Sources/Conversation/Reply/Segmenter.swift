/// Cuts a reply into the pieces that are synthesised, while it is being generated.
///
/// A pure value. The pieces, joined, are the text; none is empty.
protocol Segmenter: Sendable {
    /// Takes the text of the next token and returns the pieces it completes.
    mutating func feed(_ piece: String) -> [String]
    /// Ends the reply and returns what is left, nil if nothing or only white space is.
    mutating func finish() -> String?
}

extension ClauseSegmenter: Segmenter {}
