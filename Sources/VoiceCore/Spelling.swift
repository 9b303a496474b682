/// Finds what somebody probably meant to write.
package enum Spelling {
    /// Longer words are compared by their beginning: what comes from outside must not cost much.
    private static let longest = 64

    /// The candidate nearest to `word` by Levenshtein distance; nil without any candidate.
    package static func nearest(to word: String, among candidates: [String]) -> String? {
        candidates.min { distance($0, word) < distance($1, word) }
    }

    private static func distance(_ a: String, _ b: String) -> Int {
        let (a, b) = (Array(a.prefix(longest)), Array(b.prefix(longest)))
        var row = Array(0...b.count)
        for (i, character) in a.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for j in b.indices {
                let substitution = diagonal + (character == b[j] ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(substitution, row[j] + 1, diagonal + 1)
            }
        }
        return row[b.count]
    }
}
