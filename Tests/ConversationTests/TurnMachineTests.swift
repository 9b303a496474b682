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
            _ = feed(.speechStarted, .hush)
            _ = feed(.verdict(request: request, probability: 0.9), .speechStopped(lastSpeech: now - .milliseconds(200)))
            return feed(.transcript(turn: machine.turn, text: text))
        }

        var request: Int {
            if case .pausing(let pause) = machine.person { pause.request } else { -1 }
        }
    }

    @Test func `a finished turn is transcribed and answered`() {
        var bench = Bench()
        #expect(bench.feed(.speechStarted) == [.showUserSpeaking(true)])
        #expect(bench.feed(.hush) == [.judge(request: 2)])
        #expect(bench.feed(.verdict(request: 2, probability: 0.9)) == [])
        let last = bench.now - .milliseconds(100)
        let stop = bench.feed(.speechStopped(lastSpeech: last))
        let endpoint = TurnMachine.Endpoint(lastSpeech: last, silenceConfirmed: bench.now, committed: bench.now)
        #expect(stop == [.showUserSpeaking(false), .mark(turn: 1, endpoint), .finalise(turn: 1)])
        #expect(bench.feed(.transcript(turn: 1, text: "hello")) == [.reply(turn: 1, epoch: 1, text: "hello")])
        #expect(bench.machine.person == .quiet)
    }

    @Test func `a verdict that comes after the silence ends the turn when it comes`() {
        var bench = Bench()
        _ = bench.feed(.speechStarted, .hush)
        let stop = bench.feed(.speechStopped(lastSpeech: bench.now))
        #expect(stop == [.showUserSpeaking(false)])
        let actions = bench.feed(.verdict(request: 2, probability: 0.7), after: .milliseconds(80))
        #expect(actions.last == .finalise(turn: 1))
        guard case .mark(1, let endpoint) = actions.first else { Issue.record("no mark"); return }
        #expect(endpoint.committed - endpoint.silenceConfirmed == .milliseconds(80))
    }

    @Test func `an incomplete turn waits three seconds of silence`() {
        var bench = Bench()
        _ = bench.feed(.speechStarted, .hush, .verdict(request: 2, probability: 0.1))
        let last = bench.now
        _ = bench.feed(.speechStopped(lastSpeech: last), after: .milliseconds(200))
        #expect(bench.feed(.tick, after: .milliseconds(2700)) == [])
        #expect(bench.feed(.tick, after: .milliseconds(100)).last == .finalise(turn: 1))
    }

    @Test func `speech during the wait goes on with the same turn and makes the verdict stale`() {
        var bench = Bench()
        _ = bench.feed(.speechStarted, .hush)
        _ = bench.feed(.speechStopped(lastSpeech: bench.now))
        _ = bench.feed(.speechStarted)
        #expect(bench.feed(.verdict(request: 2, probability: 0.99)) == [])
        #expect(bench.machine.person == .speaking)
        #expect(bench.machine.turn == 1)
    }

    @Test func `a turn detector that fails leaves the decision to silence`() {
        var bench = Bench()
        _ = bench.feed(.speechStarted, .hush, .verdict(request: 2, probability: nil))
        #expect(bench.feed(.speechStopped(lastSpeech: bench.now)).last == .finalise(turn: 1))
    }

    @Test func `a turn detector that hangs is not waited for longer than a second`() {
        var bench = Bench()
        _ = bench.feed(.speechStarted, .hush)
        _ = bench.feed(.speechStopped(lastSpeech: bench.now))
        #expect(bench.feed(.tick, after: .milliseconds(900)) == [])
        #expect(bench.feed(.tick, after: .milliseconds(100)).last == .finalise(turn: 1))
    }

    @Test func `a turn without words is dropped with a reason`() {
        var bench = Bench()
        #expect(bench.ask("") == [.drop(turn: 1, reason: "no words were understood")])
    }

    @Test func `a recogniser that hangs drops the turn after five seconds`() {
        var bench = Bench()
        _ = bench.feed(.speechStarted, .hush, .verdict(request: 2, probability: 0.9), .speechStopped(lastSpeech: .zero))
        #expect(bench.feed(.tick, after: .seconds(5)) == [.drop(turn: 1, reason: "the recogniser failed")])
        #expect(bench.feed(.transcript(turn: 1, text: "too late")) == [])
    }

    @Test func `speech over the agent cuts it and begins a new turn`() {
        var bench = Bench()
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
        _ = bench.feed(.speechStarted, .hush, .verdict(request: 2, probability: 0.9))
        _ = bench.feed(.speechStopped(lastSpeech: bench.now))
        _ = bench.feed(.speechStarted)
        #expect(bench.feed(.transcript(turn: 1, text: "first half")) == [])
        #expect(bench.ask("second half") == [.reply(turn: 1, epoch: 1, text: "first half second half")])
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
        configuration.allowsInterruption = false
        var bench = Bench(machine: TurnMachine(configuration: configuration))
        _ = bench.ask("one")
        _ = bench.feed(.replyAudible(epoch: 1))
        #expect(bench.feed(.speechStarted) == [.showUserSpeaking(true)])
        #expect(bench.machine.agent == .speaking(epoch: 1))
    }
}
