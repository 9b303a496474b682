internal import Foundation
internal import Testing
internal import VoiceCore

@testable internal import SpeechSynthesis

@Suite struct EnglishNormalizerTests {
    private let normalizer = EnglishNormalizer()

    // MARK: - What is said

    /// `spoken-rows.tsv`: what is written, a tab, what is said.
    @Test func `written English is said as the table says`() throws {
        var count = 0
        for columns in try Fixture.rows("spoken-rows.tsv") {
            try #require(columns.count == 2)
            #expect(normalizer.spoken(columns[0]).text == columns[1], "\(columns[0])")
            count += 1
        }
        #expect(count > 200)
    }

    /// num2words is not ours.
    @Test func `numbers are said as num2words says them`() throws {
        let fixture = try SpokenFixture.read()
        for row in fixture.cardinals + fixture.ordinals {
            #expect(plain(normalizer.spoken(row.text).text) == row.words, "\(row.text)")
        }
        for row in fixture.years {
            #expect(plain(normalizer.spoken("in " + row.text).text) == "in " + row.words, "\(row.text)")
        }
    }

    /// NeMo's grammars are not ours. Where we mean to differ, the difference is listed.
    @Test func `sentences are said as NeMo text processing says them`() throws {
        let fixture = try SpokenFixture.read()
        var differences: [String: String] = [:]
        for columns in try Fixture.rows("spoken-differences.tsv") {
            try #require(columns.count == 2)
            differences[columns[0]] = columns[1]
        }
        for row in fixture.sentences {
            let ours = plain(normalizer.spoken(row.text).text)
            #expect(ours == differences[row.text] ?? row.nemo, "\(row.text)")
        }
        #expect(differences.count * 2 < fixture.sentences.count)
    }

    // MARK: - Places

    @Test func `each word knows what it speaks`() {
        let text = "He paid $5.50 — on **May 5**, 😀 ok"
        let spoken = normalizer.spoken(text)
        let sources = spoken.words.map { word in
            "\(word.text)=\(String(text.utf8.dropFirst(word.source.lowerBound).prefix(word.source.count)) ?? "?")"
        }
        #expect(
            sources == [
                "He=He", "paid=paid", "five=$5.50", "dollars=$5.50", "and=$5.50", "fifty=$5.50", "cents,=$5.50 —",
                "on=on",
                "May=May 5**,", "fifth,=May 5**,", "ok=ok",
            ]
        )
    }

    @Test func `half a number is not heard`() {
        let text = "Pay $5 now"
        let spoken = normalizer.spoken(text)
        let heard = (0...spoken.words.count).map { String(text.utf8.prefix(spoken.sourceEnd(afterWords: $0))) ?? "?" }
        #expect(heard == ["", "Pay", "Pay", "Pay $5", "Pay $5 now"])
    }

    @Test(arguments: HostileText.all)
    func `places are in order and inside the text`(text: String) {
        let spoken = normalizer.spoken(text)
        var last = 0
        for word in spoken.words {
            #expect(word.source.lowerBound >= 0 && word.source.upperBound <= text.utf8.count)
            #expect(word.source.upperBound >= last)
            #expect(!word.text.isEmpty)
            last = word.source.upperBound
        }
    }

    // MARK: - Other scripts

    @Test(arguments: [
        "你好，世界。我有3个苹果，2024年。", "これは5本のペンです。", "मेरे पास 5 सेब हैं।", "لدي 3 تفاحات، شكرا.", "У меня 5 яблок, №7.",
        "안녕하세요 2024년",
        "Ελλάδα 5%", "می‌خواهم", "ไทย 10 บาท", "שלום 3", "“你好”——他说", "தமிழ் 1/2",
    ])
    func `other scripts pass unchanged`(text: String) {
        #expect(normalizer.spoken(text).text == text)
    }

    @Test func `other languages are taken as they are written`() {
        let text = "**Hola**, tengo 3 años 😀 [aquí](http://x.es) |o l ɑ|"
        let spoken = SpokenText(asWritten: text)
        #expect(spoken.text == "Hola, tengo 3 años aquí |o l ɑ|")
        #expect(spoken.words.last?.source.upperBound == text.utf8.count)
    }

    // MARK: - Any input

    @Test func `what comes out comes out again unchanged`() throws {
        var texts = HostileText.all
        for columns in try Fixture.rows("spoken-rows.tsv") { texts += columns }
        texts += try SpokenFixture.read().sentences.map(\.text)
        for text in texts {
            let once = normalizer.spoken(text).text
            #expect(normalizer.spoken(once).text == once, "\(text.prefix(200))")
        }
    }

    @Test func `random text does no harm and comes out again unchanged`() {
        var random = SplitMix64(seed: 7)
        for _ in 0..<3_000 {
            let text = HostileText.random(&random)
            let once = normalizer.spoken(text).text
            #expect(normalizer.spoken(once).text == once, "\(text.debugDescription)")
        }
    }

    /// Steps are counted, because a clock would measure the machine.
    @Test(arguments: HostileText.patterns)
    func `the work is linear in the length`(pattern: String) {
        let short = normalizer.spoken(String(repeating: pattern, count: 5_000 / pattern.utf8.count))
        let long = normalizer.spoken(String(repeating: pattern, count: 100_000 / pattern.utf8.count))
        #expect(long.work < 150 * 100_000)
        #expect(long.work < 25 * max(1_000, short.work))
        #expect(long.words.count < 110_000)
    }

    /// Letters without hyphens and marks, as both sides are compared.
    private func plain(_ text: String) -> String {
        let plain = text.lowercased().map { $0.isASCII && ($0.isLetter || $0.isNumber) || $0 == "'" ? $0 : " " }
        return String(plain).split(separator: " ").joined(separator: " ")
    }
}

/// Text that nobody means.
enum HostileText {
    static let patterns = [
        "1", "😀", "[", "]", "(", "[a](b) ", "**", "*a* ", "|", "| a ", "<", "<b>", "`", "#", "\n", "\n\n- ", " ",
        "\u{301}", "a\u{301}",
        "1,", "1.", "1-", "1/", "$1", "a.", "A.", "A", "a", ".", "\"", "'", "&amp;", "&", "\\*", "\u{200D}", "👨‍👩‍👧", "–",
        " – ", "…", "a@b.c ",
        "http://", "9:00-", "½", "I", "IV ", "你", "你 5 ", "5 ", "٣", "\u{0}", "\u{FEFF}", "~~", "[^1]", "![x](y)",
        "1st-", "12/12/12 ", "x1",
        "a-", "+1 555 ", "|ə|", "2x", "1e", "\r\n", "\u{2028}", "No. 5 ", "\t|", "{", "U.S.", "-", "--- ",
    ]

    static let all =
        patterns + patterns.map { String(repeating: $0, count: 40) } + patterns.map { "word " + $0 + " word" } + [
            "", " ", "\u{301}abc", "e\u{301}\u{302}\u{303}\u{304}\u{305}", "$", "$$$", "$1$2", "1,2,3,4", "1,234,56",
            "99999999999999999999999999",
            "1/0", "0/0", "0", "00", "-0", "+0", "1.", ".1", "1..2", "...5", "5...", "1:2:3:4", "25:61", "13/45/9999",
            "0000-00-00", "99/99/9999",
            "2024-13-45", "@", "@@", "a@", "@a", "a@b", "a@b@c.d", "http://", "https://?", "www.", ".com", "x.com.",
            "M", "MM", "IIII", "XIV", "St.",
            "Dr.", "Dr. ", "No.", "No. ", "1 st", "v", "v1.", "v1..2", "|", "||", "|ə", "ə|", "[](", "[]()", "[a]()",
            "[a](", "![", "<>", "< a >", "</", "&;",
            "&#;", "&amp", "#", "######", "####### x", "- ", "-", "--", "1)", "1) ", "> > > x", "```",
            "```swift\nlet a = 1\n```", "|-|-|", "a|b|c", "|a|b|",
            "+", "+1", "+1-2", "(555)", "(555) 1", "12-34", "1-2-3-4-5", "555-1234-", "½½", "1½½", "5'", "5'1",
            "5'12\"", "\"", "'", "''", "()", "(()", "p.m.",
            "5 p.m.", "a.m", "am", "I am 5 am", "\u{1F}|\u{1F}ə|", "ﷺ", "\u{E000}", "\u{10FFFF}", "🇩🇪🇫🇷", "1️⃣", "#️⃣", "™®©",
            "İ", "ß", "ﬁ", "Ⅷ", "①", "²³",
        ]

    /// Pieces that mean something, in no order.
    static func random(_ random: inout SplitMix64) -> String {
        let pieces = [
            "1", "23", "1984", "5", ".", ",", "-", "/", ":", "$", "€", "%", "'", "\"", "(", ")", "[", "]", "*", "_",
            "`", "~", "|", "#", "<", ">", "&", "@", "+",
            "=", " ", " ", " ", " ", "\n", "a", "I", "A", "am", "p.m.", "Dr", "St", "May", "Mon", "st", "th", "s", "k",
            "kg", "°", "C", "US", "IV", "Henry", "VIII",
            "http://", "www.", "com", "e.g", "etc", "vs", "the", "The", "FBI", "iOS", "你", "م", "😀", "—", "–", "…", "½",
            "x", "v", "No", "é", "\u{301}", "call",
        ]
        return (0..<Int.random(in: 1...10, using: &random)).map { _ in
            pieces[Int.random(in: pieces.indices, using: &random)]
        }.joined()
    }
}

/// What `Reference/SpeechSynthesis/make_spoken_english.py` wrote.
struct SpokenFixture: Decodable {
    struct Words: Decodable { var text, words: String }
    struct Sentence: Decodable { var text, nemo: String }
    var sentences: [Sentence]
    var cardinals, ordinals, years: [Words]

    static func read() throws -> SpokenFixture {
        try JSONDecoder().decode(SpokenFixture.self, from: Data(Fixture.text("spoken-english.json").utf8))
    }
}

/// The files beside the tests.
enum Fixture {
    /// A table with tabs; `\n` in it is a line's end.
    static func rows(_ name: String) throws -> [[String]] {
        var rows: [[String]] = []
        for line in try text(name).split(separator: "\n") {
            let columns = line.split(separator: "\t", omittingEmptySubsequences: false)
            rows.append(columns.map { String($0).replacing("\\n", with: "\n") })
        }
        return rows
    }

    static func text(_ name: String) throws -> String {
        let folder = try #require(Bundle.module.resourceURL).appending(path: "Fixtures")
        return try String(contentsOf: folder.appending(path: name), encoding: .utf8)
    }
}
