internal import Testing
internal import VoiceCore

@testable internal import Conversation

/// When turns end: the rules, and the machine that follows them.
@Suite struct EndpointTests {
    /// A person who has just said their last sound, and a machine with a rule.
    private struct Bench {
        var machine: TurnMachine
        let lastSpeech = Duration.seconds(10)
        var request = 0

        init(_ policy: EndpointPolicy, readsWords: Bool = false) {
            var configuration = TurnMachine.Configuration()
            configuration.endpointing = policy
            if readsWords {
                configuration.draftsPerTurn = 3
                configuration.completenessTimeout = .milliseconds(300)
            }
            machine = TurnMachine(configuration: configuration)
            _ = machine.handle(.speechStarted, at: lastSpeech - .seconds(1))
        }

        /// Feeds an event that happens so many milliseconds after the last sound.
        @discardableResult
        mutating func feed(_ event: TurnMachine.Event, at milliseconds: Int) -> [TurnMachine.Action] {
            let actions = machine.handle(event, at: lastSpeech + .milliseconds(milliseconds))
            for case .judge(let request) in actions { self.request = request }
            return actions
        }

        /// The silence after which the machine wants its next tick, in ms, to the microsecond.
        var deadline: Double? { machine.deadline.map { (($0 - lastSpeech).milliseconds * 1000).rounded() / 1000 } }

        var hasEnded: Bool {
            if case .finalising = machine.person { true } else { false }
        }

        /// Silence that is noticed when the real voice activity does.
        mutating func fallSilent(verdict: Float?) {
            feed(.hush(lastSpeech: lastSpeech), at: 164)
            feed(.speechStopped(lastSpeech: lastSpeech), at: 228)
            feed(.verdict(request: request, probability: verdict), at: 270)
        }
    }

    // MARK: - The rules

    @Test(
        arguments: [
            (0, 2000.0), (0.1, 2000), (0.2, 1600), (0.5, 800), (0.8, 400), (0.9, 800.0 / 3), (0.97, 160), (1, 160),
        ] as [(Float, Double)]
    )
    func `the adaptive wait falls with the probability of the end`(probability: Float, milliseconds: Double) {
        let wait = EndpointPolicy.adaptive(AdaptiveWait()).wait(probability: probability)
        #expect(abs(wait.milliseconds - milliseconds) < 0.1)
    }

    @Test func `the adaptive wait never rises with the probability and stays between its borders`() {
        let wait = AdaptiveWait()
        var last = wait.longest
        for step in -100...1100 {
            let next = wait.duration(probability: Float(step) / 1000)
            #expect(next <= last && next >= wait.earliest && next <= wait.longest)
            last = next
        }
    }

    @Test(arguments: [nil, Float.nan]) func `without a verdict silence decides`(probability: Float?) {
        #expect(EndpointPolicy.adaptive(AdaptiveWait()).wait(probability: probability) == .milliseconds(800))
        #expect(EndpointPolicy.verdict(complete: 0.5, timeout: .seconds(3)).wait(probability: probability) == .zero)
        #expect(EndpointPolicy.silence(.seconds(1)).wait(probability: probability) == .seconds(1))
    }

    // MARK: - Adaptive

    @Test func `a certain end needs no certain silence`() {
        var bench = Bench(.adaptive(AdaptiveWait()))
        #expect(bench.feed(.hush(lastSpeech: bench.lastSpeech), at: 130) == [.judge(request: 2)])
        #expect(bench.feed(.verdict(request: 2, probability: 0.99), at: 150) == [])
        #expect(bench.deadline == 160)
        #expect(bench.feed(.tick, at: 159) == [])
        #expect(bench.feed(.tick, at: 160).last == .finalise(turn: 1))
    }

    @Test func `a verdict after its wait ends the turn when it comes`() {
        var bench = Bench(.adaptive(AdaptiveWait()))
        bench.fallSilent(verdict: 0.99)
        #expect(bench.hasEnded)
    }

    @Test func `a likely end waits for its share of silence and asks the session to come back then`() throws {
        var bench = Bench(.adaptive(AdaptiveWait()))
        bench.fallSilent(verdict: 0.5)
        #expect(bench.deadline == 800)
        #expect(bench.feed(.tick, at: 799) == [])
        let end = bench.feed(.tick, at: 802)
        guard case .mark(1, let endpoint) = try #require(end.first) else { Issue.record("no mark"); return }
        #expect(endpoint.silenceConfirmed - bench.lastSpeech == .milliseconds(800))
        #expect(endpoint.committed - bench.lastSpeech == .milliseconds(802))
        #expect(end.last == .finalise(turn: 1))
    }

    @Test func `a turn that is judged incomplete ends with the longest wait, and is judged once`() {
        var bench = Bench(.adaptive(AdaptiveWait()))
        bench.fallSilent(verdict: 0)
        #expect(bench.deadline == 2000)
        #expect(bench.feed(.tick, at: 1999) == [])
        #expect(bench.feed(.tick, at: 2000).last == .finalise(turn: 1))
    }

    @Test func `a detector that hangs is not waited for longer than a second`() {
        var bench = Bench(.adaptive(AdaptiveWait()))
        bench.feed(.hush(lastSpeech: bench.lastSpeech), at: 164)
        bench.feed(.speechStopped(lastSpeech: bench.lastSpeech), at: 228)
        #expect(bench.deadline == 1164)
        #expect(bench.feed(.tick, at: 1163) == [])
        #expect(bench.feed(.tick, at: 1164).last == .finalise(turn: 1))
    }

    @Test func `a detector that fails leaves the decision to the normal wait`() {
        var bench = Bench(.adaptive(AdaptiveWait()))
        bench.fallSilent(verdict: nil)
        #expect(bench.deadline == 800)
    }

    // MARK: - Adaptive, with words

    @Test(
        arguments: [
            // √(√odds · read odds), 800 ms at even.
            (0.5, 0.05, 800.0), (0.8, 0.05, 565.69), (0.5, 0.3, 280.39), (0.05, 0.3, 585.41), (0.99, 0.01, 578.93),
            (0.5, 0.001, 2000), (0.001, 0.9, 343.94), (0, 0.5, 2000), (1, 0, 2000), (1, 0.001, 160), (0.5, 1, 160),
            (0.5, .nan, 800), (0.1, .nan, 2000),
        ] as [(Float, Float, Double)]
    )
    func `the words weigh more than the voice`(probability: Float, completeness: Float, milliseconds: Double) {
        let policy = EndpointPolicy.adaptive(AdaptiveWait())
        let wait = policy.wait(probability: probability, completeness: completeness)
        #expect(abs(wait.milliseconds - milliseconds) < 0.1)
    }

    @Test func `words count without a verdict, too, and only where the wait is adaptive`() {
        let wait = EndpointPolicy.adaptive(AdaptiveWait()).wait(probability: nil, completeness: 0.3)
        #expect(abs(wait.milliseconds - 280.39) < 0.1)
        let verdict = EndpointPolicy.verdict(complete: 0.5, timeout: .seconds(3))
        #expect(verdict.wait(probability: 0.4, completeness: 1) == .seconds(3))
        #expect(EndpointPolicy.silence(.seconds(1)).wait(probability: nil, completeness: 1) == .seconds(1))
    }

    /// Falls silent, and has the words drafted.
    private func drafting(_ text: String?, verdict: Float) -> (bench: Bench, actions: [TurnMachine.Action]) {
        var bench = Bench(.adaptive(AdaptiveWait()), readsWords: true)
        let hush = bench.feed(.hush(lastSpeech: bench.lastSpeech), at: 100)
        #expect(hush == [.judge(request: 2), .draft(request: 2)])
        bench.feed(.verdict(request: 2, probability: verdict), at: 130)
        let actions = bench.feed(.draftTranscript(request: 2, text: text), at: 140)
        return (bench, actions)
    }

    @Test func `an end that the voice is sure of waits for what the words tell`() {
        var (bench, actions) = drafting("set a timer for", verdict: 0.99)
        #expect(actions == [.speculate(turn: 1, epoch: 1, text: "set a timer for")])
        #expect(bench.deadline == 400)
        bench.feed(.completeness(epoch: 1, probability: 0.0001), at: 200)
        #expect(bench.deadline == 2000)
    }

    @Test func `a voice that is not sure is overruled by words that are`() {
        var (bench, actions) = drafting("what is the capital of france", verdict: 0.02)
        // Unlikely as the voice thinks the end is, the words have to be read.
        #expect(actions == [.speculate(turn: 1, epoch: 1, text: "what is the capital of france")])
        #expect(bench.deadline == 2000)
        bench.feed(.completeness(epoch: 1, probability: 0.8), at: 200)
        #expect(abs((bench.deadline ?? 0) - 242.77) < 0.1)
        #expect(bench.feed(.tick, at: 243).last == .finalise(turn: 1))
    }

    @Test func `words that are not read in time are not waited for`() {
        var (bench, _) = drafting("what is it", verdict: 0.99)
        #expect(bench.feed(.tick, at: 399) == [])
        #expect(bench.feed(.tick, at: 400).last == .finalise(turn: 1))
        #expect(bench.feed(.completeness(epoch: 1, probability: 0), at: 410) == [])
    }

    @Test(arguments: [nil, ""]) func `where there are no words the voice decides`(text: String?) {
        let (bench, actions) = drafting(text, verdict: 0.99)
        #expect(actions == [])
        #expect(bench.deadline == 160)
    }

    @Test func `what was thought of other words does not count`() {
        var (bench, _) = drafting("what is it", verdict: 0.5)
        bench.feed(.completeness(epoch: 7, probability: 1), at: 150)
        #expect(bench.deadline == 800)
        bench.feed(.speechResumed, at: 300)
        bench.feed(.completeness(epoch: 1, probability: 1), at: 310)
        #expect(bench.deadline == nil)
    }

    @Test func `a turn that may have no more drafts is left to the voice`() {
        var bench = Bench(.adaptive(AdaptiveWait()), readsWords: true)
        for pause in 0..<3 {
            bench.feed(.hush(lastSpeech: bench.lastSpeech), at: pause * 20)
            bench.feed(.speechResumed, at: pause * 20 + 10)
        }
        #expect(bench.feed(.hush(lastSpeech: bench.lastSpeech), at: 100).count == 1)
        bench.feed(.verdict(request: bench.request, probability: 0.99), at: 130)
        #expect(bench.deadline == 160)
    }

    // MARK: - The other rules

    @Test func `a verdict alone waits for certain silence, and three seconds if the turn is incomplete`() {
        let policy = EndpointPolicy.verdict(complete: 0.5, timeout: .seconds(3))
        var complete = Bench(policy)
        complete.feed(.hush(lastSpeech: complete.lastSpeech), at: 164)
        #expect(complete.feed(.verdict(request: 2, probability: 0.99), at: 200) == [])
        #expect(complete.deadline == nil)
        #expect(complete.feed(.speechStopped(lastSpeech: complete.lastSpeech), at: 228).last == .finalise(turn: 1))
        var incomplete = Bench(policy)
        incomplete.fallSilent(verdict: 0.49)
        #expect(incomplete.deadline == 3000)
        #expect(incomplete.feed(.tick, at: 2999) == [])
        #expect(incomplete.feed(.tick, at: 3000).last == .finalise(turn: 1))
    }

    @Test func `a verdict that comes after the silence ends the turn when it comes`() {
        var bench = Bench(.verdict(complete: 0.5, timeout: .seconds(3)))
        bench.feed(.hush(lastSpeech: bench.lastSpeech), at: 164)
        bench.feed(.speechStopped(lastSpeech: bench.lastSpeech), at: 228)
        let end = bench.feed(.verdict(request: 2, probability: 0.7), at: 300)
        guard case .mark(1, let endpoint) = end.first else { Issue.record("no mark"); return }
        #expect(endpoint.committed - endpoint.silenceConfirmed == .milliseconds(72))
    }

    @Test func `silence alone asks nobody`() {
        var bench = Bench(.silence(.milliseconds(500)))
        #expect(bench.feed(.hush(lastSpeech: bench.lastSpeech), at: 164) == [])
        #expect(bench.feed(.speechStopped(lastSpeech: bench.lastSpeech), at: 228) == [.showUserSpeaking(false)])
        #expect(bench.deadline == 500)
        #expect(bench.feed(.tick, at: 500).last == .finalise(turn: 1))
    }

    // MARK: - Whatever happens

    /// Random pauses, verdicts that come late or never, ticks at the machine's deadlines only.
    @Test func `a turn ends no earlier than the earliest wait and no later than the longest`() {
        let wait = AdaptiveWait()
        for seed in 0..<2000 {
            var random = SplitMix64(seed: UInt64(seed))
            var bench = Bench(.adaptive(wait))
            var pending: [(at: Int, event: TurnMachine.Event)] = [
                (Int.random(in: 60...260, using: &random), .hush(lastSpeech: bench.lastSpeech))
            ]
            pending.append((pending[0].at + 64, .speechStopped(lastSpeech: bench.lastSpeech)))
            var steps = 0
            while !bench.hasEnded, steps < 100 {
                steps += 1
                let next = pending.indices.min { pending[$0].at < pending[$1].at }
                let deadline = bench.deadline.map { Int($0.rounded(.up)) }
                let (now, event): (Int, TurnMachine.Event)
                if let next, pending[next].at <= deadline ?? .max {
                    (now, event) = pending.remove(at: next)
                } else if let deadline {
                    (now, event) = (deadline, .tick)
                } else {
                    break
                }
                for case .judge(let request) in bench.feed(event, at: now) {
                    let answer = Bool.random(using: &random) ? Float.random(in: 0...1, using: &random) : nil
                    let latency = Int.random(in: 1...1500, using: &random)
                    pending.append((now + latency, .verdict(request: request, probability: answer)))
                }
                if bench.hasEnded {
                    #expect(now >= 160, "seed \(seed)")
                    #expect(now <= 3000, "seed \(seed)")
                }
            }
            #expect(bench.hasEnded, "seed \(seed): the turn never ended")
        }
    }
}
