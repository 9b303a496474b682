/// A text as it is to be spoken: words, each with the place in the original text that it speaks.
package struct SpokenText: Sendable, Equatable {
    /// One spoken word.
    package struct Word: Sendable, Equatable {
        /// The word without white space; punctuation may stand before and after it.
        package var text: String
        /// The original text that the word speaks, in UTF-8 bytes, punctuation included. Several words may speak the same
        /// text ("$5": five dollars); the ends never decrease.
        package var source: Range<Int>
    }

    /// The words in order.
    package internal(set) var words: [Word]
    /// How many steps it took to make this, for tests: a small multiple of the text's length.
    package internal(set) var work: Int

    init(words: [Word], work: Int) {
        self.words = words
        self.work = work
    }

    /// Takes a text as it is, for languages without a normaliser here: words as they are written, digits included; Markdown,
    /// tags and emoji are taken off.
    package init(asWritten text: String) {
        let (cells, work) = MarkupStripper.strip(text)
        self.init(words: [], work: work + cells.count)
        for cell in cells.split(whereSeparator: {
            $0.scalar.properties.isWhitespace && $0.scalar != MarkupStripper.innerSpace
        }) {
            guard let first = cell.first, let last = cell.last else { continue }
            let scalars = cell.map { $0.scalar == MarkupStripper.innerSpace ? " " : $0.scalar }
            words.append(Word(text: String(scalars: scalars), source: first.start..<max(first.start, last.end)))
        }
    }

    /// The words with one space between them.
    package var text: String {
        var text = ""
        for word in words {
            if !text.isEmpty { text += " " }
            text += word.text
        }
        return text
    }

    /// The end in the original of what is spoken once `count` words were: never inside a number or an address.
    package func sourceEnd(afterWords count: Int) -> Int {
        guard count > 0, let last = words[..<min(count, words.count)].last else { return 0 }
        guard count < words.count, words[count].source == last.source else { return last.source.upperBound }
        // The rest of the same number is still to come.
        return words[..<count].last { $0.source != last.source }?.source.upperBound ?? 0
    }
}
