internal import Testing
internal import VoiceCore

@testable internal import Simulation

struct TalkerTests {
    /// Lets a person talk to nobody.
    private func talker(for duration: Duration, seed: UInt64 = 1) -> Talker {
        var talker = Talker(TalkerHabits(), seed: seed, number: 1)
        var now = Duration.zero
        while now < duration {
            now += .milliseconds(32)
            talker.advance(to: now)
        }
        return talker
    }

    @Test func `who gets no answer loses patience and says something else`() {
        let notes = talker(for: .seconds(600)).notes
        #expect(notes.unanswered >= 30)
        #expect(notes.utterances - notes.unanswered <= 1)
        // Without an answer an utterance counts with the patience.
        #expect(Set(notes.voiceToVoice) == [10_000])
    }

    @Test func `sound is heard while words are said and not after`() throws {
        let talker = talker(for: .seconds(30))
        let end = try #require(talker.words.last).end
        #expect(!talker.sound(in: (end - .milliseconds(300))..<end).isEmpty)
        #expect(talker.sound(in: end..<(end + .seconds(1))).isEmpty)
    }

    @Test func `the same seed says the same`() {
        let words = talker(for: .seconds(60)).words.map(\.text)
        #expect(words == talker(for: .seconds(60)).words.map(\.text))
        #expect(words != talker(for: .seconds(60), seed: 2).words.map(\.text))
    }

    @Test func `an answer that has nothing to play in its middle is an underrun`() {
        var talker = talker(for: .seconds(30))
        func hear(_ offset: Int, at now: Int) {
            let (offset, now) = (Duration.milliseconds(offset), Duration.seconds(30) + .milliseconds(now))
            talker.hear(epoch: 1, offset: offset, isSound: true, at: now)
        }
        hear(0, at: 0)
        hear(20, at: 0)
        hear(40, at: 35)
        #expect(talker.notes.underruns == 0)
        // 60 ms of sound were there until 60 ms.
        hear(60, at: 75)
        #expect(talker.notes.underruns == 1)
        // Everything is 15 ms later from then on.
        hear(80, at: 95)
        #expect(talker.notes.underruns == 1)
        // A pause is none, and the answer may go on a little before where it stopped.
        talker.agentPaused()
        hear(60, at: 500)
        hear(80, at: 500)
        #expect(talker.notes.underruns == 1)
    }
}
