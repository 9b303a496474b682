internal import NIOCore
internal import Testing
internal import VoiceCore

@testable internal import Repartee

/// Two questions of 60 and 100 ms, the second with 10 ms of silence at its end.
private let sound = CallerSound(
    [
        (samples: [Float](repeating: 0.5, count: 960), rate: .speech),
        (samples: [Float](repeating: 0.5, count: 1440) + [Float](repeating: 0, count: 160), rate: .speech),
    ],
    rate: .speech
)

private func milliseconds(_ number: Int) -> Duration { .milliseconds(number) }

/// A caller who asks 100 ms after ``Caller/talk(from:)``, and 200 ms after each answer.
private struct Call {
    var caller: Caller
    var now = Duration.zero
    var sent: [Caller.Sound] = []

    init(questions: Int? = nil) {
        var habits = Caller.Habits()
        habits.beginning = milliseconds(100)...milliseconds(100)
        habits.thinking = milliseconds(200)...milliseconds(200)
        habits.questions = questions
        caller = Caller(habits, sound: sound, number: 1, playout: .speech)
    }

    /// Ticks until a time, every 20 ms.
    mutating func run(until end: Duration) {
        while now + milliseconds(20) <= end {
            now += milliseconds(20)
            sent.append(caller.tick(at: now))
        }
    }

    /// An answer of five even pieces begins at a time, audible 10 ms into its first piece.
    mutating func answer(epoch: Int, at begin: Duration) {
        for piece in 0..<5 {
            let due = max(begin, begin + milliseconds(20 * piece - 60))
            run(until: due)
            let onset = caller.awaitsOnset(epoch: epoch) ? 160 : nil
            caller.hear(epoch: epoch, position: 320 * piece, count: 320, onset: onset, at: due)
        }
    }
}

@Suite struct CallerTests {
    @Test func `whoever is not to talk is quiet`() {
        var call = Call()
        call.run(until: .seconds(30))
        #expect(call.sent.count == 1500)
        #expect(call.sent.allSatisfy { if case .quiet = $0 { true } else { false } })
        #expect(call.caller.notes == CallerNotes())
    }

    @Test func `a question is asked piece by piece, and the wait counts from its last audible sample`() {
        var call = Call()
        call.caller.talk(from: .zero)
        call.run(until: .milliseconds(160))
        // The person of number 1 begins with question 0, 80 ms on the clock when its first 20 ms are complete.
        #expect(
            call.sent.suffix(4) == [.question(0, piece: 0), .question(0, piece: 1), .question(0, piece: 2), .quiet(8)]
        )
        call.answer(epoch: 1, at: .milliseconds(500))
        // The question ended at 140 ms, the answer is heard from 510 ms on.
        #expect(call.caller.notes.voiceToVoice == [370])
        call.caller.agentEnded(at: .milliseconds(600))
        #expect(call.caller.notes.lateness == [0, 0])
        #expect(call.caller.notes.frames == 5)
        call.run(until: .milliseconds(820))
        #expect(call.sent.contains(.question(1, piece: 0)))
        #expect(call.caller.notes.questions == 2)
    }

    @Test func `an answer during the question is a false start, and its wait does not count`() {
        var call = Call()
        call.caller.talk(from: .zero)
        call.run(until: .milliseconds(120))
        call.answer(epoch: 1, at: .milliseconds(120))
        call.caller.agentEnded(at: .milliseconds(200))
        call.answer(epoch: 2, at: .milliseconds(600))
        #expect(call.caller.notes.falseStarts == 1)
        #expect(call.caller.notes.voiceToVoice.isEmpty)
        #expect(call.caller.notes.answers == 1)
    }

    @Test func `whoever is not answered asks something else after ten seconds`() {
        var call = Call()
        call.caller.talk(from: .zero)
        call.run(until: .seconds(11))
        #expect(call.caller.notes.unanswered == 1)
        #expect(call.caller.notes.questions == 2)
    }

    @Test func `a turn that is dropped was not answered`() {
        var call = Call()
        call.caller.talk(from: .zero)
        call.run(until: .milliseconds(400))
        call.caller.turnDropped(at: .milliseconds(400))
        call.run(until: .milliseconds(700))
        #expect(call.caller.notes.unanswered == 1)
        #expect(call.caller.notes.questions == 2)
    }

    @Test func `nobody asks while the agent still speaks`() {
        var call = Call()
        call.caller.talk(from: .zero)
        call.answer(epoch: 1, at: .milliseconds(80))
        call.run(until: .seconds(1))
        #expect(call.caller.notes.questions == 0)
        #expect(!call.caller.isAtRest)
        call.caller.agentEnded(at: .seconds(1))
        call.run(until: .milliseconds(1020))
        #expect(call.caller.notes.questions == 1)
    }

    @Test func `after the last question they hang up`() {
        var call = Call(questions: 1)
        call.caller.talk(from: .zero)
        call.answer(epoch: 1, at: .milliseconds(500))
        call.caller.agentEnded(at: .milliseconds(600))
        call.run(until: .milliseconds(820))
        #expect(call.sent.last == Caller.Sound.none || call.sent.contains(.none))
        #expect(call.caller.notes.questions == 1)
    }

    @Test func `what has been played follows the clock up to what has come`() throws {
        var call = Call()
        #expect(call.caller.played(at: .zero) == nil)
        call.answer(epoch: 3, at: .milliseconds(100))
        let played = try #require(call.caller.played(at: .milliseconds(150)))
        #expect(played == (3, 800))
        #expect(try #require(call.caller.played(at: .seconds(2))) == (3, 1600))
    }

    @Test func `messages hold 20 ms, and a question ends with its last audible sample`() {
        #expect(sound.questions.map(\.messages.count) == [3, 5])
        #expect(sound.questions.map(\.audible) == [.milliseconds(60), .milliseconds(90)])
        let sizes = Set(sound.questions.flatMap(\.messages).map(\.readableBytes) + [sound.quiet(7).readableBytes])
        #expect(sizes == [2 + 2 * 320])
        #expect(sound.quiet(7).getBytes(at: 0, length: 2) == [1, 0])
    }
}
