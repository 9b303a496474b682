internal import Testing
internal import VoiceCore

@testable internal import Conversation

@Suite struct PatienceTests {
    private static func ms(_ milliseconds: Int) -> Duration { .milliseconds(milliseconds) }

    @Test func `nothing is due before the model is asked and the reply may be heard`() {
        var patience = Patience()
        #expect(patience.due(dry: nil) == nil)
        patience.ask(at: Self.ms(100))
        #expect(patience.due(dry: nil) == nil)
        patience.open(at: Self.ms(400))
        #expect(patience.due(dry: nil) == Self.ms(1900))
    }

    @Test func `a failure shortens the wait`() {
        var patience = Patience()
        patience.open(at: .zero)
        patience.ask(at: Self.ms(100))
        patience.delay(at: Self.ms(300))
        #expect(patience.due(dry: nil) == Self.ms(900))
    }

    @Test func `words end it, and after them only a failure begins it again, once all was played`() {
        var patience = Patience()
        patience.open(at: .zero)
        patience.ask(at: Self.ms(100))
        patience.speak()
        #expect(patience.due(dry: Self.ms(500)) == nil)
        patience.ask(at: Self.ms(600))
        #expect(patience.due(dry: Self.ms(500)) == nil)
        patience.delay(at: Self.ms(700))
        #expect(patience.due(dry: Self.ms(3000)) == Self.ms(3800))
        patience.rest()
        #expect(patience.due(dry: Self.ms(3000)) == nil)
    }

    @Test func `once is enough`() {
        var patience = Patience()
        patience.open(at: .zero)
        patience.ask(at: .zero)
        patience.end()
        patience.delay(at: Self.ms(100))
        #expect(patience.due(dry: nil) == nil)
    }
}
