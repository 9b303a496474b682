/// Text to the bytes of its UTF-8, as ByT5 counts them: French, Italian and Vietnamese of Magpie.
///
/// Ids: 0 padding, 1 end, 2 unknown, then the bytes from 3 on, then 125 that are never used (`ByT5Tokenizer` of
/// transformers 5.23.0). The end is part of what is encoded.
package struct ByteTokenizer: Sendable {
    /// How many ids there are.
    package static let count: Int32 = 384

    /// Makes a tokeniser.
    package init() {}

    /// The ids of a text, the end included.
    package func encode(_ text: String) -> [Int32] { text.utf8.map { Int32($0) + 3 } + [1] }

    /// The ids of a spoken text, and for each id the word it belongs to; a space belongs to the word before it.
    package func encode(_ spoken: SpokenText) -> (ids: [Int32], words: [Int]) {
        var (ids, words): ([Int32], [Int]) = ([], [])
        for (index, word) in spoken.words.enumerated() {
            if index > 0 {
                ids.append(Int32(0x20) + 3)
                words.append(index - 1)
            }
            ids += word.text.utf8.map { Int32($0) + 3 }
            words += word.text.utf8.map { _ in index }
        }
        return (ids + [1], words + [max(0, spoken.words.count - 1)])
    }
}
