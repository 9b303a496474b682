internal import Testing

@testable internal import Evaluation

/// What is said, for other tests.
enum Spoken {
    static func says(_ text: String, _ fact: String) -> Bool { SpokenText(text).says(SpokenText(fact)) }
}

@Suite struct SpokenTextTests {
    @Test(arguments: [
        ("It starts at 10:40 AM.", "10:40 AM"), ("It starts at ten forty a.m. sharp.", "10:40 AM"),
        ("It starts at ten forty in the morning.", "10:40 AM"), ("It starts at ten forty.", "10:40 AM"),
        ("Ten forty, in the Map Room.", "10:40 AM"), ("We close at 7 PM", "7:00 PM"),
        ("We close at seven p.m.", "7 PM"),
        ("We close at seven o'clock.", "7 PM"), ("Until half past three.", "3:30 PM"),
        ("At a quarter past three in the afternoon", "3:15 PM"), ("Until quarter to four", "3:45 PM"),
        ("at noon", "12 PM"), ("at nine oh five", "9:05 AM"), ("at 09:05", "9:05 AM"), ("at 15:30", "3:30 PM"),
        ("from nine thirty PM to eleven PM", "11:00 PM"), ("On June 12th", "June 12"),
        ("on the twelfth of June", "June 12"), ("on 12 June", "June 12"), ("Saturday, June 12", "Saturday"),
        ("It is session four one three five six.", "41356"), ("Session 41356.", "41356"),
        ("Eighteen euros.", "18 euros"), ("It's €18.", "18 euros"), ("Tram line four.", "line 4"),
        ("That's Erik Solheim's workshop.", "Solheim"), ("the elevator, or lift", "lift"),
    ])
    func `a fact is found in whatever form it is said`(text: String, fact: String) {
        #expect(Spoken.says(text, fact), "\(SpokenText(text).tokens) \(SpokenText(fact).tokens)")
    }

    @Test(arguments: [
        ("It starts at 10:40 PM.", "10:40 AM"), ("It starts at ten thirty.", "10:40 AM"), ("Session 413567.", "41356"),
        ("It costs 7 euros", "7 PM"), ("at 7 euros", "7 PM"), ("On June 2", "June 12"), ("On June 12", "June 2"),
        ("", "lift"),
        ("The lifter", "lift"), ("It costs 118 euros", "18 euros"), ("At seven in the morning", "7 PM"),
    ])
    func `something else is not taken for a fact`(text: String, fact: String) {
        #expect(!Spoken.says(text, fact), "\(SpokenText(text).tokens) \(SpokenText(fact).tokens)")
    }

    @Test func `sentences end where somebody takes a breath`() {
        let sentences = Sentence.all(
            of: "Dr. Rao talks at 9 a.m. on Friday. Shall I book it? Please tell me your name."
        )
        #expect(sentences.map(\.isQuestion) == [false, true, true])
    }

    @Test(arguments: [
        ("It is **free**.", "bold or italic text"), ("- one\n- two", "a list"), ("1. one\n2. two", "a numbered list"),
        ("# Rooms", "a heading"), ("See [here](http://a.b).", "a link"), ("Call `end`.", "code"),
        ("| a | b |", "a table"),
    ])
    func `markup is noticed`(text: String, kind: String) { #expect(InstructionCheck.markup(in: text) == kind) }

    @Test(arguments: ["It is at 10:40 AM - see you!", "3 * 4 is 12.", "Room 35. It is free.", "The well-known one"])
    func `spoken language is no markup`(text: String) { #expect(InstructionCheck.markup(in: text) == nil) }
}
