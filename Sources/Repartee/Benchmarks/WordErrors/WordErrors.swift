internal import Evaluation

/// Counts of word errors: the fewest substitutions, deletions and insertions that turn what was said into what was
/// understood.
///
/// Words are those of ``SpokenForm``. Words written apart are the same word: "goodbye" is "good bye", "PM" is "p.m." and "p m".
struct WordErrors {
    private(set) var words = 0
    private(set) var substitutions = 0
    private(set) var deletions = 0
    private(set) var insertions = 0

    /// Errors per word that was said; 0 for nothing said.
    var rate: Double { words == 0 ? 0 : Double(substitutions + deletions + insertions) / Double(words) }

    /// Adds one recording.
    mutating func add(reference: String, hypothesis: String) {
        let (said, heard) = (SpokenForm.words(of: reference), SpokenForm.words(of: hypothesis))
        let best = Self.alignment(said, heard)
        words += said.count
        substitutions += best.substitutions
        deletions += best.deletions
        insertions += best.insertions
    }

    /// A way from the beginning to a place in both texts.
    private struct Path {
        var substitutions = 0
        var deletions = 0
        var insertions = 0

        var cost: Int { substitutions + deletions + insertions }

        func adding(substitutions: Int = 0, deletions: Int = 0, insertions: Int = 0) -> Path {
            Path(
                substitutions: self.substitutions + substitutions,
                deletions: self.deletions + deletions,
                insertions: self.insertions + insertions
            )
        }
    }

    /// The best way through both texts. Time and memory grow with the product of their lengths.
    private static func alignment(_ said: [String], _ heard: [String]) -> Path {
        /// `best[i][j]`: the first `i` words said against the first `j` words heard.
        var best = [[Path]](repeating: [Path](repeating: Path(), count: heard.count + 1), count: said.count + 1)
        for i in 0...said.count {
            for j in 0...heard.count where i + j > 0 {
                var ways: [Path] = []
                if i > 0, j > 0 {
                    ways.append(best[i - 1][j - 1].adding(substitutions: said[i - 1] == heard[j - 1] ? 0 : 1))
                    let apart = wordsThatMake(said[i - 1], endingAt: j, of: heard)
                    if apart > 1 { ways.append(best[i - 1][j - apart]) }
                    let together = wordsThatMake(heard[j - 1], endingAt: i, of: said)
                    if together > 1 { ways.append(best[i - together][j - 1]) }
                }
                if i > 0 { ways.append(best[i - 1][j].adding(deletions: 1)) }
                if j > 0 { ways.append(best[i][j - 1].adding(insertions: 1)) }
                best[i][j] = ways.min { $0.cost < $1.cost } ?? Path()
            }
        }
        return best[said.count][heard.count]
    }

    /// How many words before `end` make this one when written together; 0 if none do.
    private static func wordsThatMake(_ word: String, endingAt end: Int, of words: [String]) -> Int {
        var rest = Substring(word)
        var start = end
        while start > 0, !rest.isEmpty, rest.hasSuffix(words[start - 1]) {
            start -= 1
            rest = rest.dropLast(words[start].count)
        }
        return rest.isEmpty ? end - start : 0
    }
}
