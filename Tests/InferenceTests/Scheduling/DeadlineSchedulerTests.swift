internal import Inference
internal import Testing
internal import VoiceCore

struct DeadlineSchedulerTests {
    // MARK: order

    @Test func `classes come before everything, and inside a class those that came first`() throws {
        var scheduler = tenMillisecondScheduler()
        var tickets: [QuantumClass: [DeadlineScheduler.Ticket]] = [:]
        for _ in 0..<2 {
            for quantumClass in QuantumClass.allCases.reversed() {
                tickets[quantumClass, default: []].append(try scheduler.enter(quantumClass))
            }
        }
        #expect(scheduler.drain() == QuantumClass.allCases.flatMap { tickets[$0] ?? [] })
    }

    @Test func `inside a class the least slack comes first, counting what a quantum costs`() throws {
        var scheduler = tenMillisecondScheduler()
        let long = QuantumKind(engine: "test", step: "long")
        try scheduler.measure(long, cost: .milliseconds(400))
        try scheduler.measure(.step, cost: .milliseconds(1))
        let late = try scheduler.enter(.refill, by: 2000)
        let soon = try scheduler.enter(.refill, by: 1000)
        let costly = try scheduler.enter(.refill, long, by: 1300)
        #expect(scheduler.drain() == [costly, soon, late])
    }

    @Test func `a draft that waits goes as a first audio as soon as its turn is over`() throws {
        var scheduler = tenMillisecondScheduler()
        let urgency = Urgency(.speculation, epoch: 1)
        let request = QuantumRequest(.step, urgency, owner: 1, followUp: .zero)
        guard case .waiting(let draft) = scheduler.submit(request, at: .zero) else {
            Issue.record("the queue was to have room")
            return
        }
        let refill = try scheduler.enter(.refill, by: 10_000)
        var meanwhile = scheduler
        #expect(meanwhile.drain() == [refill, draft])
        urgency.level = .firstAudio
        #expect(scheduler.drain() == [draft, refill])
    }

    @Test func `one quantum runs at a time`() throws {
        var scheduler = tenMillisecondScheduler()
        let first = try scheduler.enter(.background)
        let second = try scheduler.enter(.recognition)
        #expect(scheduler.next(at: .zero) == second)
        #expect(scheduler.next(at: .zero) == nil)
        #expect(scheduler.isBusy)
        _ = scheduler.finished(second, at: .milliseconds(1))
        #expect(scheduler.next(at: .milliseconds(1)) == first)
    }

    // MARK: refills

    @Test func `a refill with little slack goes as a first audio`() throws {
        var scheduler = tenMillisecondScheduler()
        let answer = try scheduler.enter(.firstAudio)
        let refill = try scheduler.enter(.refill, by: 100)
        // Its slack is 90 ms.
        #expect(scheduler.next(at: .zero) == answer)
        _ = scheduler.finished(answer, at: .milliseconds(10))
        let second = try scheduler.enter(.firstAudio, at: .milliseconds(61))
        #expect(scheduler.next(at: .milliseconds(61)) == refill)
        _ = scheduler.finished(refill, at: .milliseconds(71))
        #expect(scheduler.next(at: .milliseconds(71)) == second)
    }

    @Test func `of refills without a deadline the one that has waited is promoted`() throws {
        var scheduler = tenMillisecondScheduler { $0.patience = .milliseconds(200) }
        let refill = try scheduler.enter(.refill)
        let answer = try scheduler.enter(.firstAudio, at: .milliseconds(165))
        #expect(scheduler.drain(at: .milliseconds(165)) == [refill, answer])
    }

    @Test func `refills that are late hold up a first audio for two quanta`() throws {
        var scheduler = tenMillisecondScheduler()
        let answers = [try scheduler.enter(.firstAudio, by: 900), try scheduler.enter(.firstAudio, by: 901)]
        let refills = try (1...5).map { try scheduler.enter(.refill, by: $0) }
        let order = [refills[0], refills[1], answers[0], refills[2], refills[3], answers[1], refills[4]]
        #expect(scheduler.drain() == order)
    }

    @Test func `nothing goes before a recogniser's step`() throws {
        var scheduler = tenMillisecondScheduler()
        let refill = try scheduler.enter(.refill, by: 0)
        let step = try scheduler.enter(.recognition)
        #expect(scheduler.drain() == [step, refill])
    }

    // MARK: gaps

    @Test func `a gap is filled only where no refill loses its comfort by it`() throws {
        var scheduler = tenMillisecondScheduler()
        // Slack 290 ms; of it 60 are to be left.
        scheduler.expect(refillBy: .milliseconds(300), costing: .milliseconds(10), of: 7)
        let long = QuantumKind(engine: "test", step: "long")
        try scheduler.measure(long, cost: .milliseconds(231))
        let tooLong = try scheduler.enter(.speculation, long)
        #expect(scheduler.next(at: .zero) == nil)
        #expect(scheduler.heldUntil(at: .zero) == .milliseconds(300))
        let short = try scheduler.enter(.background)
        #expect(scheduler.drain() == [short])
        scheduler.expect(refillBy: nil, costing: .zero, of: 7)
        #expect(scheduler.drain() == [tooLong])
    }

    @Test func `refills that are due together are counted together`() throws {
        var scheduler = tenMillisecondScheduler()
        for owner in 1...10 {
            scheduler.expect(refillBy: .milliseconds(165), costing: .milliseconds(10), of: owner)
        }
        _ = try scheduler.enter(.background)
        // Each alone has 155 ms of slack, the last of ten has 65.
        #expect(scheduler.next(at: .zero) == nil)
        scheduler.expect(refillBy: nil, costing: .zero, of: 3)
        #expect(scheduler.next(at: .zero) != nil)
    }

    @Test func `what costs more at times fills fewer gaps`() throws {
        var scheduler = tenMillisecondScheduler { $0.caution = 2 }
        for cost in [20, 60, 20, 60, 20, 60, 20, 60] { try scheduler.measure(.step, cost: .milliseconds(cost)) }
        scheduler.expect(refillBy: .milliseconds(120), costing: .milliseconds(10), of: 7)
        _ = try scheduler.enter(.background)
        #expect(scheduler.expectedCost(of: .step, units: 1) < .milliseconds(50))
        #expect(scheduler.next(at: .zero) == nil)
    }

    @Test func `a refill that was announced is forgotten once it comes or is late`() throws {
        var scheduler = tenMillisecondScheduler()
        scheduler.expect(refillBy: .milliseconds(50), costing: .milliseconds(10), of: 7)
        let gap = try scheduler.enter(.background)
        #expect(scheduler.next(at: .zero) == nil)
        let refill = try scheduler.enter(.refill, by: 50, owner: 7)
        #expect(scheduler.drain() == [refill, gap])
        scheduler.expect(refillBy: .milliseconds(50), costing: .milliseconds(10), of: 7)
        let other = try scheduler.enter(.background)
        #expect(scheduler.next(at: .milliseconds(49)) == nil)
        #expect(scheduler.next(at: .milliseconds(50)) == other)
    }

    @Test func `between two steps of a first audio nothing less pressing begins`() throws {
        var scheduler = tenMillisecondScheduler()
        let gap = try scheduler.enter(.background)
        let refill = try scheduler.enter(.refill, by: 1000)
        let token = try scheduler.enter(.firstAudio, owner: 7, followUp: .milliseconds(2))
        #expect(scheduler.drain() == [token])
        #expect(scheduler.heldUntil(at: .zero) == .milliseconds(2))
        let next = try scheduler.enter(.firstAudio, owner: 7, at: .milliseconds(1))
        #expect(scheduler.drain(at: .milliseconds(1)) == [next, refill, gap])
    }

    @Test func `an owner that does not come back in time is waited for no longer`() throws {
        var scheduler = tenMillisecondScheduler()
        let gap = try scheduler.enter(.background)
        _ = try scheduler.enter(.firstAudio, owner: 7, followUp: .milliseconds(2))
        #expect(scheduler.drain().count == 1)
        #expect(scheduler.next(at: .milliseconds(1)) == nil)
        #expect(scheduler.next(at: .milliseconds(2)) == gap)
    }

    // MARK: starvation

    @Test func `work that fills gaps gets a turn in a while if refills are comfortable`() throws {
        var scheduler = tenMillisecondScheduler { $0.starvation = .milliseconds(500) }
        let gaps = [try scheduler.enter(.background), try scheduler.enter(.speculation)]
        let refills = try (1...3).map { try scheduler.enter(.refill, by: 1000 + $0, owner: $0) }
        #expect(scheduler.next(at: .milliseconds(499)) == refills[0])
        _ = scheduler.finished(refills[0], at: .milliseconds(509))
        // The one that came first, then refills again for half a second.
        let order = scheduler.drain(at: .milliseconds(509))
        #expect(order == [gaps[0], refills[1], refills[2], gaps[1]])
    }

    @Test func `starving work waits where a refill is not comfortable`() throws {
        var scheduler = tenMillisecondScheduler { $0.starvation = .milliseconds(500) }
        let gap = try scheduler.enter(.background)
        // Slack 70 ms, of which 60 are to be left after 10 ms: one nanosecond too little.
        let refill = try scheduler.enter(.refill, by: 680)
        #expect(scheduler.drain(at: .milliseconds(600) + .nanoseconds(1)) == [refill, gap])
    }

    @Test func `speculation without end does not starve the background`() throws {
        var scheduler = tenMillisecondScheduler { $0.starvation = .milliseconds(500) }
        let gap = try scheduler.enter(.background)
        var now = Duration.zero
        var ran = false
        while !ran, now < .seconds(1) {
            _ = try scheduler.enter(.speculation, at: now)
            let next = scheduler.next(at: now)
            let ticket = try #require(next)
            now += .milliseconds(10)
            _ = scheduler.finished(ticket, at: now)
            ran = ticket == gap
        }
        #expect(ran && now <= .milliseconds(520))
    }

    // MARK: cancellation and bounds

    @Test func `a cancelled request never runs, and cancelling twice does nothing`() throws {
        var scheduler = tenMillisecondScheduler()
        let first = try scheduler.enter(.refill)
        let second = try scheduler.enter(.refill)
        let third = try scheduler.enter(.refill)
        let answers = [scheduler.cancel(second), scheduler.cancel(second)]
        #expect(answers == [true, false])
        #expect(scheduler.next(at: .zero) == first)
        let isGone = scheduler.cancel(first)
        #expect(!isGone)
        _ = scheduler.finished(first, at: .zero)
        #expect(scheduler.drain() == [third])
        #expect(scheduler.statistics[.refill].cancelled == 1)
    }

    @Test func `an owner's dead epochs are cancelled together`() throws {
        var scheduler = tenMillisecondScheduler()
        let old = try [0, 1, 1].map { try scheduler.enter(.refill, owner: 7, epoch: $0) }
        let new = try scheduler.enter(.firstAudio, owner: 7, epoch: 2)
        let other = try scheduler.enter(.refill, owner: 8, epoch: 1)
        #expect(Set(scheduler.cancel(owner: 7, through: 1)) == Set(old))
        #expect(scheduler.drain() == [new, other])
    }

    @Test func `a quantum that was cancelled when its turn came costs nothing`() throws {
        var scheduler = tenMillisecondScheduler()
        let ticket = try scheduler.enter(.refill)
        #expect(scheduler.next(at: .zero) == ticket)
        scheduler.withdrawn(ticket)
        #expect(!scheduler.isBusy)
        #expect(scheduler.expectedCost(of: .step, units: 1) == .milliseconds(10))
        #expect(scheduler.statistics[.refill].cancelled == 1)
    }

    @Test func `a full queue refuses the newest of what is least pressing`() throws {
        var scheduler = tenMillisecondScheduler { $0.capacity = 3 }
        let speculation = try scheduler.enter(.speculation)
        let gaps = [try scheduler.enter(.background), try scheduler.enter(.background)]
        #expect(scheduler.submit(QuantumRequest(.step, .background), at: .zero) == .refused)
        let submission = scheduler.submit(QuantumRequest(.step, .refill), at: .zero)
        guard case .displacing(let refill, refused: gaps[1]) = submission else {
            Issue.record("\(submission)")
            return
        }
        #expect(scheduler.drain() == [refill, speculation, gaps[0]])
        #expect(scheduler.statistics[.background].refused == 2)
    }

    // MARK: statistics

    @Test func `waits, late quanta and utilisation are counted`() throws {
        var scheduler = tenMillisecondScheduler()
        let late = try scheduler.enter(.refill, by: 25)
        let gap = try scheduler.enter(.background, at: .milliseconds(5))
        #expect(scheduler.next(at: .milliseconds(10)) == late)
        let quantum = scheduler.finished(late, at: .milliseconds(30))
        #expect(quantum.isLate && quantum.wait == .milliseconds(10) && quantum.cost == .milliseconds(20))
        #expect(scheduler.next(at: .milliseconds(40)) == gap)
        _ = scheduler.finished(gap, at: .milliseconds(50))
        let statistics = scheduler.statistics
        #expect(statistics[.refill].late == 1 && statistics[.background].late == 0)
        #expect(statistics[.background].longestWait == .milliseconds(35))
        // From 10 ms, when the first began, to 70 ms.
        #expect(abs(statistics.utilisation(at: .milliseconds(70)) - 0.5) < 1e-9)
        #expect(abs(statistics.utilisation(of: .background, at: .milliseconds(70)) - 1.0 / 6) < 1e-9)
    }

    @Test func `more of a reply does not come between its first sentence and its sound`() throws {
        var scheduler = tenMillisecondScheduler()
        let token = try scheduler.enter(.firstAudio, owner: 7, followUp: .milliseconds(2))
        #expect(scheduler.drain(at: .zero) == [token])
        let more = try scheduler.enter(.refill, by: 500, owner: 7)
        #expect(scheduler.drain(at: .milliseconds(1)).isEmpty)
        #expect(scheduler.heldUntil(at: .milliseconds(1)) == .milliseconds(2))
        let sound = try scheduler.enter(.firstAudio, owner: 7, at: .milliseconds(1))
        #expect(scheduler.drain(at: .milliseconds(1)) == [sound, more])
    }

    @Test func `utilisation forgets what is long ago`() throws {
        var scheduler = tenMillisecondScheduler { $0.window = .seconds(5) }
        for second in 0..<20 {
            try scheduler.measure(.step, at: .seconds(second), cost: .milliseconds(second < 10 ? 900 : 250))
        }
        let share = scheduler.statistics.utilisation(at: .seconds(20))
        #expect(abs(share - 0.25) < 0.03, "\(share)")
        #expect(scheduler.statistics.utilisation(at: .seconds(60)) == 0)
    }
}
