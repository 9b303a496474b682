internal import Testing
internal import VoiceCore

@testable internal import Conversation

/// Random event sequences on simulated time, from a seeded generator: what must hold whatever happens.
@Suite struct TurnMachinePropertyTests {
    /// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
    private struct Generator: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
    }

    /// The world around a machine: engines that answer some time later, or never.
    private struct World {
        var machine: TurnMachine
        var now = Duration.zero
        var random: Generator
        var pending: [(at: Duration, event: TurnMachine.Event)] = []
        var playing: Int?
        var ended: Set<Int> = []
        var opened: Set<Int> = []

        /// The draft that is held, and what it answers.
        var held: (epoch: Int, text: String)?
        var draftsOfTurn: [Int: Int] = [:]

        init(seed: UInt64) {
            var configuration = TurnMachine.Configuration()
            configuration.draftsPerTurn = Int(seed % 4)
            machine = TurnMachine(configuration: configuration)
            random = Generator(state: seed)
        }

        mutating func perform(_ actions: [TurnMachine.Action]) {
            for action in actions { perform(action) }
            opened.insert(machine.turn)
        }

        mutating func perform(_ action: TurnMachine.Action) {
            switch action {
            case .judge(let request):
                schedule(.verdict(request: request, probability: Float.random(in: 0...1, using: &random)), atMost: 1500)
            case .finalise(let turn):
                let text = ["", "words", "Words", nil].randomElement(using: &random) ?? nil
                schedule(.transcript(turn: turn, text: text), atMost: 7000)
            case .draft(let request):
                draftsOfTurn[machine.turn, default: 0] += 1
                let text = ["", "words", "other", nil].randomElement(using: &random) ?? nil
                schedule(.draftTranscript(request: request, text: text), atMost: 1000)
            case .speculate(_, let epoch, let text):
                #expect(!text.isEmpty)
                #expect(held == nil && playing == nil, "a draft beside another answer")
                held = (epoch, text)
            case .withdraw(let epoch):
                #expect(held?.epoch == epoch, "a draft is thrown away that is not there")
                held = nil
            case .release(let turn, let epoch, let text):
                #expect(held?.epoch == epoch, "another draft is released")
                #expect(held?.text.lowercased() == text.lowercased(), "a draft of other words is released")
                held = nil
                play(epoch, answering: turn)
            case .reply(let turn, let epoch, let text):
                #expect(!text.isEmpty)
                play(epoch, answering: turn)
            case .cut(let epoch):
                #expect(playing == epoch, "cut of a reply that is not there")
                playing = nil
            case .drop(let turn, _):
                ended.insert(turn)
            case .showUserSpeaking, .mark:
                break
            }
        }

        mutating func play(_ epoch: Int, answering turn: Int) {
            #expect(playing == nil && held == nil, "two replies at once")
            playing = epoch
            ended.insert(turn)
            schedule(.replyAudible(epoch: epoch), atMost: 800)
            schedule(.replyEnded(epoch: epoch), atMost: 4000)
        }

        mutating func schedule(_ event: TurnMachine.Event, atMost milliseconds: Int) {
            pending.append((now + .milliseconds(Int.random(in: 1...milliseconds, using: &random)), event))
        }

        /// Lets time pass to `end`, with a tick every 100 ms.
        mutating func run(until end: Duration) {
            while now < end {
                now += .milliseconds(20)
                let due = pending.filter { $0.at <= now }.sorted { $0.at < $1.at }
                pending.removeAll { $0.at <= now }
                for (_, event) in due { deliver(event) }
                if now.components.attoseconds % 100_000_000_000_000_000 == 0 { deliver(.tick) }
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
                    .speechStarted, .speechStarted, .hush, .hush, .speechResumed,
                    .speechStopped(lastSpeech: world.now - .milliseconds(100)),
                    .speechStopped(lastSpeech: world.now - .milliseconds(200)), .typed("typed"), .interruptRequested,
                ]
                if let event = events.randomElement(using: &world.random) { world.deliver(event) }
            }
            // The person falls silent for good.
            world.deliver(.hush)
            world.deliver(.speechStopped(lastSpeech: world.now))
            world.run(until: world.now + .seconds(20))
            #expect(world.machine.person == .quiet, "seed \(seed): a turn never ended")
            #expect(world.machine.agent == .silent, "seed \(seed)")
            #expect(world.held == nil, "seed \(seed): a draft was forgotten")
            #expect(world.draftsOfTurn.values.allSatisfy { $0 <= seed % 4 }, "seed \(seed): too many drafts")
            #expect(
                world.opened.subtracting(world.ended).subtracting([0]).isEmpty,
                "seed \(seed): turns without an end"
            )
        }
    }
}
