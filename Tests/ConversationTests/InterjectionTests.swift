internal import Testing
internal import VoiceCore

@testable internal import Conversation

/// What a sound of the person does while the agent is speaking.
@Suite struct InterjectionTests {
    private typealias Action = TurnMachine.Action

    /// A machine whose agent is speaking reply 1; each event comes 10 ms after the one before unless it says otherwise.
    private struct Bench {
        var machine = TurnMachine(configuration: TurnMachine.Configuration())
        var now = Duration.seconds(10)

        init(remaining: Duration? = nil) {
            _ = machine.greet()
            guard let remaining else { return }
            _ = feed(.onset, .replyPaused(epoch: 1, remaining: remaining))
        }

        mutating func feed(_ events: TurnMachine.Event..., after pause: Duration = .milliseconds(10)) -> [Action] {
            events.flatMap { event in
                now += pause
                return machine.handle(event, at: now)
            }
        }
    }

    @Test func `the first sign of speech pauses the agent, and nothing more makes it go on`() {
        var bench = Bench()
        #expect(bench.feed(.onset) == [.pause(epoch: 1)])
        #expect(bench.feed(.falseOnset) == [.resume(epoch: 1)])
        #expect(bench.machine.turn == 0)
    }

    @Test func `a word that was only guessed at once does not end the reply`() {
        var bench = Bench()
        _ = bench.feed(.onset, .speechStarted)
        #expect(
            bench.feed(.partialTranscript("the home"), .partialTranscript("uh"), .partialTranscript("uh huh")) == []
        )
    }

    @Test func `words that are no back-channel end the reply as soon as they are known`() {
        var bench = Bench()
        _ = bench.feed(.onset)
        #expect(bench.feed(.speechStarted) == [])
        #expect(bench.feed(.partialTranscript("yeah"), .partialTranscript("yeah but")) == [])
        #expect(bench.feed(.partialTranscript("yeah but the")) == [.showUserSpeaking(true), .cut(epoch: 1)])
        #expect(bench.machine.person == .speaking)
        #expect(bench.machine.agent == .silent)
        #expect(bench.machine.turn == 1)
    }

    @Test(arguments: ["", "Mhm.", "Okay, I see.", "uh-huh yeah"])
    func `a sound and a back-channel let the agent go on`(said: String) {
        var bench = Bench()
        _ = bench.feed(.onset, .speechStarted)
        let last = bench.now
        #expect(bench.feed(.hush(lastSpeech: last)) == [.settle(turn: 1)])
        #expect(bench.feed(.speechStopped(lastSpeech: last)) == [])
        let reason = said.isEmpty ? "a sound without words" : "no interruption: \"\(said)\""
        let after = bench.feed(.transcript(turn: 1, text: said))
        #expect(after == [.dismiss(turn: 1), .drop(turn: 1, reason: reason), .resume(epoch: 1)])
        #expect(bench.machine.person == .quiet)
        #expect(bench.machine.agent == .speaking(epoch: 1))
    }

    @Test func `one word that is an interruption is a whole turn`() {
        var bench = Bench()
        _ = bench.feed(.onset, .speechStarted)
        let last = bench.now
        _ = bench.feed(.hush(lastSpeech: last), .speechStopped(lastSpeech: last))
        let after = bench.feed(.transcript(turn: 1, text: "Stop."))
        #expect(after.prefix(2) == [.showUserSpeaking(true), .cut(epoch: 1)])
        #expect(after.contains { if case .judge = $0 { true } else { false } })
        guard case .pausing(let pause) = bench.machine.person else {
            Issue.record("\(bench.machine.person)")
            return
        }
        let end = bench.feed(.verdict(request: pause.request, probability: 0.99), after: .milliseconds(200))
        #expect(end.last == .finalise(turn: 1))
        #expect(bench.feed(.transcript(turn: 1, text: "")) == [.reply(turn: 1, epoch: 2, text: "Stop.")])
    }

    @Test func `speech that goes on ends the reply though no word was understood`() {
        var bench = Bench()
        _ = bench.feed(.onset, .speechStarted)
        #expect(bench.machine.deadline == bench.now + .milliseconds(700))
        #expect(bench.feed(.tick, after: .milliseconds(690)) == [])
        #expect(bench.feed(.tick) == [.showUserSpeaking(true), .cut(epoch: 1)])
    }

    @Test func `in its last moments a reply gives way to a yes`() {
        var late = Bench(remaining: .seconds(1))
        #expect(
            late.feed(.speechStarted, .partialTranscript("yes"), .partialTranscript("yes i")) == [
                .showUserSpeaking(true), .cut(epoch: 1),
            ]
        )
        var early = Bench(remaining: .seconds(4))
        #expect(early.feed(.speechStarted, .partialTranscript("yes"), .partialTranscript("yes i")) == [])
    }

    @Test func `a back-channel after which they speak on is not decided yet, and is part of what they say`() {
        var bench = Bench()
        _ = bench.feed(.onset, .speechStarted, .hush(lastSpeech: bench.now), .speechResumed)
        #expect(bench.feed(.transcript(turn: 1, text: "Yeah,")) == [])
        let after = bench.feed(.partialTranscript("but"), .partialTranscript("but no"))
        #expect(after == [.showUserSpeaking(true), .cut(epoch: 1)])
        #expect(bench.machine.carried == "Yeah,")
    }

    @Test func `a reply that ends meanwhile leaves a turn like any other`() {
        var bench = Bench()
        _ = bench.feed(.onset, .speechStarted)
        #expect(bench.feed(.replyEnded(epoch: 1)) == [.showUserSpeaking(true)])
        #expect(bench.machine.person == .speaking)
    }

    @Test func `a recogniser that fails lets the person have the turn`() {
        var bench = Bench()
        _ = bench.feed(.onset, .speechStarted, .hush(lastSpeech: bench.now))
        #expect(bench.feed(.transcript(turn: 1, text: nil)).contains(.cut(epoch: 1)))
        var hung = Bench()
        _ = hung.feed(.onset, .speechStarted, .hush(lastSpeech: hung.now))
        #expect(hung.feed(.tick, after: .seconds(5)).contains(.cut(epoch: 1)))
    }

    @Test func `an onset of which nothing more is heard does not silence the agent for good`() {
        var bench = Bench()
        _ = bench.feed(.onset)
        #expect(bench.machine.deadline == bench.now + .milliseconds(700))
        #expect(bench.feed(.tick, after: .milliseconds(700)) == [.resume(epoch: 1)])
    }

    @Test func `noise does not tear a reply to pieces`() {
        var bench = Bench()
        for _ in 0..<3 { #expect(bench.feed(.onset, .falseOnset) == [.pause(epoch: 1), .resume(epoch: 1)]) }
        #expect(bench.feed(.onset, .falseOnset) == [])
        // An interruption still ends it.
        let interruption = bench.feed(
            .onset,
            .speechStarted,
            .partialTranscript("wait"),
            .partialTranscript("wait for")
        )
        #expect(interruption.contains(.cut(epoch: 1)))
    }

    @Test func `back-channels are told by their words, whatever the case and punctuation`() {
        let list = BackChannel.english
        for said in ["", "Mm-hmm.", "Oh, I see!", "yes yes", "All right."] { #expect(list.covers(said), "\(said)") }
        for said in ["no", "yes please", "I see him", "right now", "wait"] { #expect(!list.covers(said), "\(said)") }
        #expect(BackChannel(["soso"]).covers("Soso, soso."))
        #expect(list.mayCover(["yeah", "i"]) && !list.mayCover(["i", "want"]))
    }
}
