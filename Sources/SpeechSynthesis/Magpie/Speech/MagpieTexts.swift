/// Cuts a text into what Magpie says in one go.
///
/// NeMo says up to 45 English words at once, and longer texts sentence by sentence (`models/magpietts.py` of NeMo 3.0.0,
/// thresholds by language). Here a sentence that is itself longer is cut as well, so that no text meets the end of the
/// decoder's 500 frames.
enum MagpieTexts {
    /// Words that are said at once (`LANGUAGE_THRESHOLDS`, in words).
    static func limit(_ language: MagpieTokenizer.Language) -> Int {
        switch language {
        case .english: 45
        case .spanish: 73
        case .french: 69
        case .german, .vietnamese: 50
        case .italian: 53
        }
    }

    /// Places of the texts among the words: in order, without gaps, none of them empty or longer than `limit`.
    static func split(_ words: [SpokenText.Word], limit: Int) -> [Range<Int>] {
        guard words.count > limit else { return words.isEmpty ? [] : [0..<words.count] }
        var texts: [Range<Int>] = []
        var start = 0
        var comma: Int?
        for index in words.indices {
            let end = index + 1
            let mark = words[index].text.last { !"\"')]}".contains($0) }
            if end == words.count || mark.map({ ".!?…".contains($0) }) == true {
                texts.append(start..<end)
                (start, comma) = (end, nil)
            } else if end - start == limit {
                let end = comma ?? end
                texts.append(start..<end)
                (start, comma) = (end, nil)
            } else if mark.map({ ",;:".contains($0) }) == true {
                comma = end
            }
        }
        return texts
    }
}
