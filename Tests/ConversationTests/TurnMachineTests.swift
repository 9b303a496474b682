internal import Testing
internal import VoiceCore

@testable internal import Conversation

@Suite struct TurnMachineTests {
    private typealias Event = TurnMachine.Event
    private typealias Action = TurnMachine.Action

    /// A machine with a clock: each event comes 10 ms after the one before unless it says otherwise.
    private struct Bench {
        var machine = TurnMachine(configuration: TurnMachine.Configuration())
        var now = Duration.seconds(10)

        mutating func feed(_ events: Event..., after pause: Duration = .milliseconds(10)) -> [Action] {
            events.flatMap { event in
                now += pause
                return machine.handle(event, at: now)
            }
        }

        /// A turn that is understood as `text`, up to the reply.
        mutating func ask(_ text: String) -> [Action] {
            _ = feed(.speechStarted, .hush(lastSpeech: now - .milliseconds(200)))
            _ = feed(
                .verdict(request: request, probability: 0.96),
                .speechStopped(lastSpeech: now - .milliseconds(200))
            )
            return feed(.transcript(turn: machine.turn, text: text))
        }

        var request: Int {
            if case .pausing(let pause) = machine.person { pause.request } else { -1 }
        }
    }

    @Test func `a finished turn is transcribed and answered`() {
        var bench = Bench()
        let last = bench.now
        #expect(bench.feed(.speechStarted) == [.showUserSpeaking(true)])
        #expect(bench.feed(.hush(lastSpeech: last), after: .milliseconds(160)) == [.judge(request: 2)])
        let verdict = bench.feed(.verdict(request: 2, probability: 0.96), after: .milliseconds(100))
        let endpoint = TurnMachine.Endpoint(
            lastSpeech: last,
            silenceConfirmed: last + .milliseconds(170),
            committed: bench.now
        )
        #expect(verdict == [.showUserSpeaking(false), .mark(turn: 1, endpoint), .finalise(turn: 1)])
        #expect(bench.feed(.speechStopped(lastSpeech: last)) == [])
        #expect(bench.feed(.transcript(turn: 1, text: "hello")) == [.reply(turn: 1, epoch: 1, text: "hello")])
        #expect(bench.machine.person == .quiet)
    }

    @Test func `speech during the wait goes on with the same turn and makes the verdict stale`() {
        var bench = Bench()
        _ = bench.feed(.speechStarted, .hush(lastSpeech: bench.now))
        _ = bench.feed(.speechStopped(lastSpeech: bench.now))
        _ = bench.feed(.speechStarted)
        #expect(bench.feed(.verdict(request: 2, probability: 0.99)) == [])
        #expect(bench.machine.person == .speaking)
        #expect(bench.machine.turn == 1)
    }

    @Test func `a turn without words is dropped with a reason`() {
        var bench = Bench()
        #expect(bench.ask("") == [.drop(turn: 1, reason: "no words were understood")])
    }

    @Test func `a recogniser that hangs drops the turn after five seconds`() {
        var bench = Bench()
        _ = bench.feed(.speechStarted, .hush(lastSpeech: .zero), .verdict(request: 2, probability: 0.96))
        #expect(bench.feed(.tick, after: .seconds(5)) == [.drop(turn: 1, reason: "the recogniser gave no transcript")])
        #expect(bench.feed(.transcript(turn: 1, text: "too late")) == [])
    }

    @Test func `where any speech interrupts, it cuts the agent and begins a new turn`() {
        var configuration = TurnMachine.Configuration()
        configuration.interruption = .immediate
        var bench = Bench(machine: TurnMachine(configuration: configuration))
        _ = bench.ask("one")
        _ = bench.feed(.replyAudible(epoch: 1))
        #expect(bench.feed(.speechStarted) == [.showUserSpeaking(true), .cut(epoch: 1)])
        #expect(bench.machine.turn == 2)
        #expect(bench.machine.agent == .silent)
    }

    @Test func `speech before anything was heard joins the turn`() {
        var bench = Bench()
        _ = bench.ask("I would like")
        #expect(bench.feed(.speechStarted) == [.showUserSpeaking(true), .cut(epoch: 1)])
        #expect(bench.machine.turn == 1)
        #expect(bench.ask("some tea") == [.reply(turn: 1, epoch: 2, text: "I would like some tea")])
    }

    @Test func `speech while the transcript is on its way joins the turn`() {
        var bench = Bench()
        let last = bench.now - .milliseconds(200)
        _ = bench.feed(.speechStarted, .hush(lastSpeech: last), .verdict(request: 2, probability: 0.96))
        _ = bench.feed(.speechStopped(lastSpeech: last))
        _ = bench.feed(.speechStarted)
        #expect(bench.feed(.transcript(turn: 1, text: "first half")) == [])
        #expect(bench.ask("second half") == [.reply(turn: 1, epoch: 1, text: "first half second half")])
    }

    @Test func `speech that goes on before the silence was certain joins the turn, or cuts what it would cut later`() {
        for isAnswered in [false, true] {
            var bench = Bench()
            let last = bench.now - .milliseconds(200)
            _ = bench.feed(.speechStarted, .hush(lastSpeech: last))
            let end = bench.feed(.verdict(request: bench.request, probability: 0.96))
            #expect(end.last == .finalise(turn: 1))
            if isAnswered {
                _ = bench.feed(.transcript(turn: 1, text: "first half"))
                #expect(bench.feed(.speechResumed) == [.showUserSpeaking(true), .cut(epoch: 1)])
            } else {
                #expect(bench.feed(.speechResumed) == [.showUserSpeaking(true)])
                #expect(bench.feed(.transcript(turn: 1, text: "first half")) == [])
            }
            let epoch = isAnswered ? 2 : 1
            #expect(bench.ask("second half") == [.reply(turn: 1, epoch: epoch, text: "first half second half")])
        }
    }

    @Test func `a typed message is a turn of its own and silences the agent`() {
        var bench = Bench()
        _ = bench.ask("one")
        _ = bench.feed(.replyAudible(epoch: 1))
        #expect(bench.feed(.typed("two")) == [.cut(epoch: 1), .reply(turn: 2, epoch: 2, text: "two")])
    }

    @Test func `pressing stop before the answer is heard logs a reason`() {
        var bench = Bench()
        _ = bench.ask("one")
        let actions = bench.feed(.interruptRequested)
        #expect(actions == [.cut(epoch: 1), .drop(turn: 1, reason: "interrupted before the answer was heard")])
        #expect(bench.feed(.interruptRequested) == [])
    }

    @Test func `without interruptions the agent finishes, and the next answer waits for nobody`() {
        var configuration = TurnMachine.Configuration()
        configuration.interruption = .never
        var bench = Bench(machine: TurnMachine(configuration: configuration))
        _ = bench.ask("one")
        _ = bench.feed(.replyAudible(epoch: 1))
        #expect(bench.feed(.speechStarted) == [.showUserSpeaking(true)])
        #expect(bench.machine.agent == .speaking(epoch: 1))
    }
}
