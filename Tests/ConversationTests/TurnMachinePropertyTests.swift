internal import Testing
internal import VoiceCore

@testable internal import Conversation

/// Random event sequences on simulated time, from a seeded generator: what must hold whatever happens.
@Suite struct TurnMachinePropertyTests {
    /// The world around a machine: engines that answer some time later, or never.
    private struct World {
        let wait = AdaptiveWait()
        let draftsPerTurn: Int
        var machine: TurnMachine
        var showsUserSpeaking = false
        var now = Duration.zero
        var random: SplitMix64
        var pending: [(at: Duration, event: TurnMachine.Event)] = []
        var playing: Int?
        /// The reply that is paused, and how often it was.
        var paused: Int?
        var pauses = (epoch: 0, count: 0)
        /// The turn that began as an interjection on which the recogniser was asked: its answer may take up to 5 s.
        var settled: Int?
        /// The reply of which only a word about waiting is said.
        var bridging: Int?
        /// The draft that is held, and what it answers.
        var held: (epoch: Int, text: String)?
        /// The newest epoch of a reply: an old one never comes back.
        var newest = 0
        var drafts = (turn: 0, count: 0)
        /// Whether the agent has news that no answer since may have had.
        var hasNews = false
        var ended: Set<Int> = []
        var opened: Set<Int> = []
        /// What was wrong first.
        var fault: String?

        init(seed: UInt64) {
            draftsPerTurn = Int(seed % 4)
            var configuration = TurnMachine.Configuration()
            configuration.draftsPerTurn = draftsPerTurn
            if seed % 5 == 0 { configuration.interruption = .immediate }
            if seed % 7 < 4 { configuration.completenessTimeout = .milliseconds(300) }
            if seed % 3 == 0 { configuration.bridgesTranscripts = .milliseconds(1500) }
            machine = TurnMachine(configuration: configuration)
            random = SplitMix64(seed: seed)
        }

        mutating func check(_ holds: Bool, _ fault: @autoclosure () -> String) {
            if !holds, self.fault == nil { self.fault = "\(fault()) at \(now)" }
        }

        mutating func perform(_ action: TurnMachine.Action) {
            switch action {
            case .judge(let request):
                schedule(.verdict(request: request, probability: Float.random(in: 0...1, using: &random)), atMost: 1500)
            case .draft(let request):
                drafts = drafts.turn == machine.turn ? (drafts.turn, drafts.count + 1) : (machine.turn, 1)
                check(drafts.count <= draftsPerTurn, "too many drafts in a turn")
                let text = ["", "words", "other", nil].randomElement(using: &random) ?? nil
                schedule(.draftTranscript(request: request, text: text), atMost: 1000)
            case .speculate(_, let epoch, let text):
                check(!text.isEmpty, "a draft of nothing")
                check(held == nil && playing == nil, "a draft beside another answer")
                check(epoch > newest, "an epoch came back")
                newest = epoch
                held = (epoch, text)
                let probabilities: [Float] = [0, 0.04, 0.5, 1, .nan]
                let probability = probabilities.randomElement(using: &random) ?? 0
                schedule(.completeness(epoch: epoch, probability: probability), atMost: 800)
            case .withdraw(let epoch):
                check(held?.epoch == epoch, "a draft is thrown away that is not there")
                held = nil
            case .release(let turn, let epoch, let text):
                check(held?.epoch == epoch, "a draft is released that is not there")
                check(held?.text.lowercased() == text.lowercased(), "a draft of other words is released")
                held = nil
                play(epoch, answering: turn)
            case .finalise(let turn):
                let text = ["", "words", "Words", nil].randomElement(using: &random) ?? nil
                schedule(.transcript(turn: turn, text: text), atMost: 7000)
            case .reply(let turn, let epoch, let text):
                check(!text.isEmpty, "an answer to nothing")
                check(epoch > newest, "an epoch came back")
                newest = epoch
                // The answer knows it.
                hasNews = false
                play(epoch, answering: turn)
            case .bridge(_, let epoch):
                check(held == nil && playing == nil, "a word about waiting beside an answer")
                check(epoch > newest, "an epoch came back")
                newest = epoch
                (playing, bridging) = (epoch, epoch)
                schedule(.replyAudible(epoch: epoch), atMost: 800)
            case .answer(let turn, let epoch, let text):
                check(!text.isEmpty, "an answer to nothing")
                check(bridging == epoch && playing == epoch, "an answer behind nothing")
                hasNews = false
                bridging = nil
                ended.insert(turn)
                schedule(.replyEnded(epoch: epoch), atMost: 4000)
            case .speakUp(let turn, let epoch):
                check(hasNews, "the agent speaks of nothing")
                check(machine.person == .quiet, "the agent talks into a turn")
                check(epoch > newest, "an epoch came back")
                hasNews = false
                newest = epoch
                play(epoch, answering: turn)
            case .cut(let epoch):
                check(playing == epoch, "cut of a reply that is not there")
                (playing, paused, bridging) = (nil, nil, nil)
            case .pause(let epoch):
                check(playing == epoch && paused == nil, "a pause of what is not heard")
                paused = epoch
                pauses = pauses.epoch == epoch ? (epoch, pauses.count + 1) : (epoch, 1)
                check(pauses.count <= 3, "a reply torn to pieces")
                let remaining = [nil, 500, 5000].randomElement(using: &random) ?? nil
                deliver(.replyPaused(epoch: epoch, remaining: remaining.map { .milliseconds($0) }))
            case .resume(let epoch):
                check(paused == epoch, "a reply goes on that was not paused")
                paused = nil
                if bridging != epoch { schedule(.replyEnded(epoch: epoch), atMost: 4000) }
            case .settle(let turn):
                settled = turn
                let text = ["", "Mhm.", "stop it", nil].randomElement(using: &random) ?? nil
                schedule(.transcript(turn: turn, text: text), atMost: 3000)
            case .dismiss(let turn):
                // News may begin the next one at once.
                check(machine.turn == turn || hasNews && machine.turn == turn + 1, "another turn is forgotten")
            case .drop(let turn, _):
                ended.insert(turn)
            case .mark(_, let endpoint):
                let silence = endpoint.committed - endpoint.lastSpeech
                check(silence >= wait.earliest, "a turn was cut")
                let longest = wait.longest + .milliseconds(100) + (settled == machine.turn ? .seconds(5) : .zero)
                check(silence <= longest, "a turn was left waiting")
            case .showUserSpeaking(let speaks):
                check(speaks != showsUserSpeaking, "shown twice")
                showsUserSpeaking = speaks
            }
        }

        mutating func play(_ epoch: Int, answering turn: Int) {
            check(playing == nil && held == nil, "two replies at once")
            playing = epoch
            ended.insert(turn)
            schedule(.replyAudible(epoch: epoch), atMost: 800)
            schedule(.replyEnded(epoch: epoch), atMost: 4000)
        }

        mutating func schedule(_ event: TurnMachine.Event, atMost milliseconds: Int) {
            pending.append((now + .milliseconds(Int.random(in: 1...milliseconds, using: &random)), event))
        }

        /// Lets time pass to `end`: from event to event, with a tick at each deadline.
        mutating func run(until end: Duration) {
            while fault == nil {
                let next = pending.indices.min { pending[$0].at < pending[$1].at }
                let deadline = machine.deadline ?? end
                if let next, pending[next].at <= min(deadline, end) {
                    let (at, event) = pending.remove(at: next)
                    now = max(now, at)
                    deliver(event)
                } else if machine.deadline != nil, deadline <= end {
                    now = max(now, deadline)
                    deliver(.tick)
                    check(machine.deadline.map { $0 > now } ?? true, "a deadline stays")
                } else {
                    now = max(now, end)
                    return
                }
            }
        }

        mutating func deliver(_ event: TurnMachine.Event) {
            if case .replyEnded(let epoch) = event {
                guard paused != epoch else { return }
                if playing == epoch { playing = nil }
            }
            for action in machine.handle(event, at: now) { perform(action) }
            opened.insert(machine.turn)
            check(machine.currentEpoch == playing, "the machine and the loudspeaker disagree")
        }

        /// A conversation of `steps` random events, after which the person falls silent for good.
        mutating func live(steps: Int) {
            for _ in 0..<steps {
                run(until: now + .milliseconds(Int.random(in: 20...1500, using: &random)))
                switch Int.random(in: 0..<16, using: &random) {
                case 9, 10: deliver(.onset)
                case 11: deliver(.falseOnset)
                case 12: deliver(.partialTranscript("mhm"))
                case 13: deliver(.partialTranscript("wait for"))
                case 0, 1: deliver(.speechStarted)
                case 2: deliver(.hush(lastSpeech: now - .milliseconds(100)))
                case 3: deliver(.hush(lastSpeech: now - .milliseconds(160)))
                case 4: deliver(.speechResumed)
                case 5: deliver(.speechStopped(lastSpeech: now - .milliseconds(100)))
                case 6: deliver(.speechStopped(lastSpeech: now - .milliseconds(200)))
                case 7: deliver(.typed("typed"))
                case 14, 15:
                    hasNews = true
                    deliver(.news(isUrgent: Bool.random(using: &random)))
                default: deliver(.interruptRequested)
                }
            }
            deliver(.hush(lastSpeech: now))
            deliver(.speechStopped(lastSpeech: now))
            run(until: now + .seconds(20))
            check(machine.person == .quiet, "a turn never ended")
            check(machine.agent == .silent, "a reply never ended")
            check(machine.news == nil, "news was forgotten")
            check(paused == nil, "a reply is paused for ever")
            check(held == nil, "a draft was forgotten")
            check(opened.subtracting(ended).subtracting([0]).isEmpty, "turns without an end")
        }
    }

    @Test(arguments: 0..<10)
    func `every turn ends, and the machine always agrees with the loudspeaker`(block: UInt64) {
        for seed in block * 10_000..<(block + 1) * 10_000 {
            var world = World(seed: seed)
            world.live(steps: 25)
            guard world.fault == nil else {
                Issue.record("seed \(seed): \(world.fault ?? "")")
                return
            }
        }
    }
}
