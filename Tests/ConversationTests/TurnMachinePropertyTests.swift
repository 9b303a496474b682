internal import Testing
internal import VoiceCore
internal import VoiceTesting

@testable internal import Conversation

/// Random event sequences on simulated time, from a seeded generator: what must hold whatever happens.
@Suite struct TurnMachinePropertyTests {
    /// The world around a machine: engines that answer some time later, or never.
    private struct World {
        static let step = Duration.milliseconds(20)
        let wait = AdaptiveWait()
        var machine = TurnMachine(configuration: TurnMachine.Configuration())
        var showsUserSpeaking = false
        var now = Duration.zero
        var random: SeededGenerator
        var pending: [(at: Duration, event: TurnMachine.Event)] = []
        var playing: Int?
        var ended: Set<Int> = []
        var opened: Set<Int> = []

        init(seed: UInt64) { random = SeededGenerator(seed: seed) }

        mutating func perform(_ actions: [TurnMachine.Action]) {
            for action in actions { perform(action) }
            opened.insert(machine.turn)
        }

        mutating func perform(_ action: TurnMachine.Action) {
            switch action {
            case .judge(let request):
                schedule(.verdict(request: request, probability: Float.random(in: 0...1, using: &random)), atMost: 1500)
            case .finalise(let turn):
                let text = ["", "words", nil].randomElement(using: &random) ?? nil
                schedule(.transcript(turn: turn, text: text), atMost: 7000)
            case .reply(let turn, let epoch, let text):
                #expect(!text.isEmpty)
                #expect(playing == nil, "two replies at once")
                playing = epoch
                ended.insert(turn)
                schedule(.replyAudible(epoch: epoch), atMost: 800)
                schedule(.replyEnded(epoch: epoch), atMost: 4000)
            case .cut(let epoch):
                #expect(playing == epoch, "cut of a reply that is not there")
                playing = nil
            case .drop(let turn, _):
                ended.insert(turn)
            case .mark(_, let endpoint):
                let silence = endpoint.committed - endpoint.lastSpeech
                #expect(silence >= wait.earliest, "a turn was cut")
                #expect(silence <= wait.longest + Self.step, "a turn was left waiting")
            case .showUserSpeaking(let speaks):
                #expect(speaks != showsUserSpeaking, "shown twice")
                showsUserSpeaking = speaks
            }
        }

        mutating func schedule(_ event: TurnMachine.Event, atMost milliseconds: Int) {
            pending.append((now + .milliseconds(Int.random(in: 1...milliseconds, using: &random)), event))
        }

        /// Lets time pass to `end`, with a tick in the step after each deadline.
        mutating func run(until end: Duration) {
            while now < end {
                now += Self.step
                let due = pending.filter { $0.at <= now }.sorted { $0.at < $1.at }
                pending.removeAll { $0.at <= now }
                for (_, event) in due { deliver(event) }
                if let deadline = machine.deadline, deadline <= now { deliver(.tick) }
            }
        }

        mutating func deliver(_ event: TurnMachine.Event) {
            if case .replyEnded(let epoch) = event, playing == epoch { playing = nil }
            perform(machine.handle(event, at: now))
            #expect(machine.currentEpoch == playing, "the machine and the loudspeaker disagree")
        }
    }

    @Test func `every turn ends, and the machine always agrees with the loudspeaker`() {
        for seed in 0..<400 {
            var world = World(seed: UInt64(seed))
            for _ in 0..<25 {
                let pause = Int.random(in: 20...1500, using: &world.random)
                world.run(until: world.now + .milliseconds(pause))
                let events: [TurnMachine.Event] = [
                    .speechStarted, .speechStarted, .hush(lastSpeech: world.now - .milliseconds(100)),
                    .hush(lastSpeech: world.now - .milliseconds(160)), .speechResumed,
                    .speechStopped(lastSpeech: world.now - .milliseconds(100)),
                    .speechStopped(lastSpeech: world.now - .milliseconds(200)), .typed("typed"), .interruptRequested,
                ]
                if let event = events.randomElement(using: &world.random) { world.deliver(event) }
            }
            // The person falls silent for good.
            world.deliver(.hush(lastSpeech: world.now))
            world.deliver(.speechStopped(lastSpeech: world.now))
            world.run(until: world.now + .seconds(20))
            #expect(world.machine.person == .quiet, "seed \(seed): a turn never ended")
            #expect(world.machine.agent == .silent, "seed \(seed)")
            #expect(
                world.opened.subtracting(world.ended).subtracting([0]).isEmpty,
                "seed \(seed): turns without an end"
            )
        }
    }
}
