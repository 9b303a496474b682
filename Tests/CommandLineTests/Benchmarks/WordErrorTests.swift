internal import Evaluation
internal import Testing

@testable internal import Repartee

@Suite struct WordErrorTests {
    @Test(arguments: [
        ("Hello, World!", "hello world"),
        ("It’s 7:30.", "it is seven thirty"),
        ("the café", "the cafe"),
        ("a well-known, twenty-one-year-old author", "a well known 21 year old author"),
        // Contractions
        ("I'm sure you're late; he'd say they've won't.", "i am sure you are late he would say they have will not"),
        ("I can't, don't, isn't, shan't", "i can not do not is not shall not"),
        ("Let's go, John's here, that's it", "let us go john is here that is it"),
        ("I'm gonna", "I am going to"),
        // Fillers
        ("Um, I, uh, think so, hmm.", "I think so"),
        // Spelled letters and abbreviations
        ("It is S-M-I-T-H.", "it is s m i t h"),
        ("It is S. M. I. T. H.", "it is s m i t h"),
        ("Dr. Brown and Mr. Green, OK?", "doctor brown and mister green okay"),
        ("mail john.smith@example.org", "mail john dot smith at example dot org"),
    ])
    func `texts that are spoken alike are alike`(one: String, other: String) {
        #expect(SpokenForm.words(of: one) == SpokenForm.words(of: other))
    }

    @Test(arguments: [
        ("20", "twenty"), ("20", "20"), ("21", "twenty-one"), ("15", "fifteen"), ("100", "one hundred"),
        ("100", "a hundred"), ("105", "one hundred and five"), ("250", "two hundred fifty"), ("2,000", "two thousand"),
        ("2000", "two thousand"),
        ("1,234,567", "one million two hundred thirty-four thousand five hundred sixty-seven"),
        ("500,000", "five hundred thousand"), ("5 million", "five million"), ("5,000,000", "5 million"),
        ("100 and 200", "one hundred and two hundred"), ("5 and 10", "five and ten"),
        // Years
        ("2024", "twenty twenty four"), ("2024", "two thousand and twenty-four"), ("2024", "two thousand twenty four"),
        ("1985", "nineteen eighty five"), ("1905", "nineteen oh five"), ("1900", "nineteen hundred"),
        ("the 1990s", "the nineteen nineties"), ("the '90s", "the nineties"),
        // Times of day
        ("7:30", "seven thirty"), ("7:05 p.m.", "seven oh five pm"), ("7:00", "seven o'clock"),
        ("at 7:00 PM", "at seven pm"),
        ("7pm", "seven p.m."), ("12:15", "twelve fifteen"),
        // Money and signs
        ("$5", "five dollars"), ("$1", "one dollar"), ("$5.50", "five dollars and fifty cents"),
        ("$20.00", "twenty dollars"),
        ("$5 million", "five million dollars"), ("€10", "ten euros"), ("50%", "fifty percent"),
        ("50%", "fifty per cent"),
        ("3.5", "three point five"), ("$1,200", "twelve hundred dollars"), ("20°", "twenty degrees"),
        // Days and ordinals
        ("1st", "first"), ("the 22nd", "the twenty second"), ("May 1", "May first"), ("May 1st, 2024", "May 1 2024"),
        ("May 1, 2024", "May first twenty twenty-four"), ("30th", "thirtieth"),
        // Rows of digits
        ("555-1234", "five five five one two three four"), ("207", "two oh seven"), ("room 12B", "room twelve b"),
    ])
    func `numbers are alike however they are written`(one: String, other: String) {
        #expect(SpokenForm.words(of: one) == SpokenForm.words(of: other))
    }

    @Test(arguments: [
        ("twenty", "thirty"), ("7:30", "7:13"), ("2nd", "two"), ("five hundred", "five"), ("its", "it's"),
        ("seven and five", "seventy five"), ("1,000", "1.000"),
    ])
    func `different words stay different`(one: String, other: String) {
        #expect(SpokenForm.words(of: one) != SpokenForm.words(of: other))
    }

    @Test func `numbers are their digits and words for zeros`() {
        #expect(
            SpokenForm.words(of: "It costs $2,300, on the 21st.") == [
                "it", "costs", "2", "3", "hundred", "dollars", "on", "the", "2", "1th",
            ]
        )
    }

    @Test(arguments: [
        "", "…", "'", "99999999999999999999999", "9223372036 billion nine hundred million", "a", "hundred and",
    ])
    func `odd texts do no harm`(text: String) {
        #expect(SpokenForm.words(of: text) == SpokenForm.words(of: text + " "))
    }

    @Test(arguments: [
        ("the cat sat", "the cat sat", 3, 0, 0, 0), ("the cat sat", "the hat sat", 3, 1, 0, 0),
        ("the cat sat", "the sat", 3, 0, 1, 0), ("the cat sat", "the big cat sat down", 3, 0, 0, 2),
        ("the cat sat", "", 3, 0, 3, 0), ("", "noise", 0, 0, 0, 1), ("um the cat", "the um cat uh", 2, 0, 0, 0),
        // Written apart
        ("good bye", "goodbye", 2, 0, 0, 0), ("goodbye now", "good bye now", 2, 0, 0, 0),
        ("at 7 PM", "at 7 p m", 3, 0, 0, 0),
        ("the U.S.A. today", "the u s a today", 3, 0, 0, 0), ("i cannot go", "I can't go", 3, 0, 0, 0),
        ("good bye", "good buy", 2, 1, 0, 0),
    ])
    func `errors are counted`(
        said: String,
        heard: String,
        words: Int,
        substitutions: Int,
        deletions: Int,
        insertions: Int
    ) {
        var errors = WordErrors()
        errors.add(reference: said, hypothesis: heard)
        #expect(errors.words == words)
        #expect(errors.substitutions == substitutions)
        #expect(errors.deletions == deletions)
        #expect(errors.insertions == insertions)
    }

    @Test func `recordings add up`() {
        var errors = WordErrors()
        errors.add(reference: "one two three", hypothesis: "one two three")
        errors.add(reference: "the cat", hypothesis: "a cat")
        #expect(errors.rate == 0.2)
    }
}
