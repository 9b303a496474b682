internal import Inference
internal import Testing
internal import VoiceCore

/// Random sequences of events; what must hold in all of them.
struct SchedulerPropertyTests {
    /// One sequence, with a second bookkeeping beside the scheduler's.
    private struct Walk {
        struct Request {
            var quantumClass: QuantumClass
            var owner: Int
            var epoch: Int
            var deadline: Duration?
            var submitted: Duration
        }

        var random: SplitMix64
        var scheduler: DeadlineScheduler
        var now = Duration.zero
        var waiting: [DeadlineScheduler.Ticket: Request] = [:]
        var running: DeadlineScheduler.Ticket?
        var (submitted, ran, cancelled, refused) = (0, 0, 0, 0)
        var promotedInARow = 0
        var failures: [String] = []

        static let configuration = SchedulerConfiguration(costGuess: .milliseconds(8), capacity: 12)
        static let kinds = (0..<3).map { QuantumKind(engine: "engine \($0)", step: "step") }

        init(seed: UInt64) {
            random = SplitMix64(seed: seed)
            scheduler = DeadlineScheduler(Self.configuration)
        }

        mutating func expect(_ claim: Bool, _ text: StaticString) {
            if !claim { failures.append("\(text)") }
        }

        func milliseconds(_ range: ClosedRange<Int>, _ random: inout SplitMix64) -> Duration {
            .milliseconds(Int.random(in: range, using: &random))
        }

        mutating func run(steps: Int) {
            for _ in 0..<steps {
                now += milliseconds(0...4, &random)
                switch Int.random(in: 0..<16, using: &random) {
                case 0..<8: submit()
                case 8..<13: if running == nil { start() } else { finish() }
                case 13: cancelOne()
                case 14: cancelOwner()
                default:
                    let deadline = Bool.random(using: &random) ? now + milliseconds(20...200, &random) : nil
                    let owner = Int.random(in: 1...3, using: &random)
                    scheduler.expect(refillBy: deadline, costing: .milliseconds(5), of: owner)
                }
            }
            drain()
            expect(submitted == ran + cancelled + refused, "a request was lost, or counted twice")
        }

        mutating func submit() {
            let quantumClass = QuantumClass.allCases[Int.random(in: 0..<5, using: &random)]
            let owner = Int.random(in: 0...3, using: &random)
            let epoch = Int.random(in: 0...2, using: &random)
            let deadline = Bool.random(using: &random) ? now + milliseconds(-20...300, &random) : nil
            let request = QuantumRequest(
                Self.kinds[Int.random(in: 0..<3, using: &random)],
                quantumClass,
                deadline: deadline,
                owner: owner,
                epoch: epoch,
                units: Int.random(in: 1...64, using: &random),
                followUp: Bool.random(using: &random) ? .milliseconds(2) : .zero
            )
            submitted += 1
            let ticket: DeadlineScheduler.Ticket
            switch scheduler.submit(request, at: now) {
            case .refused:
                refused += 1
                expect(waiting.count == 12, "refused although there was room")
                expect(!waiting.values.contains { $0.quantumClass > quantumClass }, "refused before less pressing ones")
                return
            case .waiting(let submitted): ticket = submitted
            case .displacing(let submitted, let displaced):
                ticket = submitted
                refused += 1
                expect((waiting[displaced]?.quantumClass ?? quantumClass) > quantumClass, "displaced as pressing a one")
                waiting[displaced] = nil
            }
            expect(waiting[ticket] == nil, "a ticket was used twice")
            waiting[ticket] = Request(
                quantumClass: quantumClass,
                owner: owner,
                epoch: epoch,
                deadline: deadline,
                submitted: now
            )
        }

        mutating func start() {
            guard let ticket = scheduler.next(at: now) else {
                let until = scheduler.heldUntil(at: now)
                expect(waiting.isEmpty || until != nil, "the device is idle for no reason")
                expect(until.map { $0 > now && $0 <= now + .milliseconds(200) } ?? true, "held in the past or too long")
                expect(!waiting.values.contains { $0.quantumClass <= .firstAudio }, "pressing work was held")
                return
            }
            guard let request = waiting.removeValue(forKey: ticket) else {
                failures.append("a quantum ran that does not wait")
                return
            }
            running = ticket
            check(request)
        }

        mutating func check(_ request: Request) {
            let quantumClass = request.quantumClass
            // So a step waits for others of its class and for the quantum that runs when it comes, for nothing else.
            let recognitionWaits = waiting.values.contains { $0.quantumClass == .recognition }
            expect(quantumClass == .recognition || !recognitionWaits, "something went before a recogniser's step")
            let firstAudioWaits = waiting.values.contains { $0.quantumClass == .firstAudio }
            promotedInARow = quantumClass == .refill && firstAudioWaits ? promotedInARow + 1 : 0
            expect(promotedInARow <= 2, "refills starve a first audio")
            guard quantumClass.fillsGaps else { return }
            expect(!firstAudioWaits, "a gap was filled before a first audio")
            for other in waiting.values where other.quantumClass == .refill {
                // Costs can only make it less.
                let slack = (other.deadline ?? other.submitted + Self.configuration.patience) - now
                expect(slack >= Self.configuration.comfortableSlack, "a gap was filled before an uncomfortable refill")
            }
        }

        mutating func finish() {
            guard let ticket = running else { return }
            running = nil
            if Int.random(in: 0..<16, using: &random) == 0 {
                scheduler.withdrawn(ticket)
                cancelled += 1
            } else {
                _ = scheduler.finished(ticket, at: now)
                ran += 1
            }
        }

        mutating func cancelOne() {
            guard let ticket = waiting.keys.min() else { return }
            expect(scheduler.cancel(ticket), "a waiting request could not be cancelled")
            waiting[ticket] = nil
            cancelled += 1
            if let running { expect(!scheduler.cancel(running), "a running quantum was cancelled") }
        }

        mutating func cancelOwner() {
            let (owner, epoch) = (Int.random(in: 0...3, using: &random), Int.random(in: 0...2, using: &random))
            let gone = scheduler.cancel(owner: owner, through: epoch)
            let expected = waiting.filter { $0.value.owner == owner && $0.value.epoch <= epoch }
            expect(
                Set(gone) == Set(expected.keys) && gone.count == expected.count,
                "an owner's requests are not all gone"
            )
            for ticket in gone { waiting[ticket] = nil }
            cancelled += gone.count
        }

        /// Everything that waits runs in the end, with no more events than the passing of time.
        mutating func drain() {
            var rounds = 0
            while !waiting.isEmpty || running != nil, rounds < 100 {
                rounds += 1
                if running != nil { finish() }
                start()
                if running == nil, let until = scheduler.heldUntil(at: now) {
                    now = until
                } else {
                    now += .milliseconds(1)
                }
            }
            expect(scheduler.waitingCount == 0 && waiting.isEmpty, "requests wait for ever")
        }
    }

    @Test func `whatever happens, each request runs once, or is cancelled or refused, in the right order`() {
        var total = 0
        for seed in 0..<20_000 as Range<UInt64> {
            var walk = Walk(seed: seed)
            walk.run(steps: 30)
            total += walk.ran
            guard walk.failures.isEmpty else {
                Issue.record("seed \(seed): \(walk.failures)")
                return
            }
        }
        #expect(total > 100_000)
    }

    // MARK: a workload

    /// Two agents speak while others draft and prefill without end; time is simulated.
    private struct Workload {
        struct Session {
            var owner: Int
            /// When its audio runs dry.
            var dry: Duration
            var isWaiting = false
        }

        static let speak = QuantumKind(engine: "tts", step: "chunk")
        static let draft = QuantumKind(engine: "llm", step: "decode")
        static let prefill = QuantumKind(engine: "llm", step: "prefill")

        var random: SplitMix64
        var scheduler = DeadlineScheduler()
        var now = Duration.zero
        var sessions = [Session(owner: 1, dry: .milliseconds(400)), Session(owner: 2, dry: .milliseconds(400))]
        var filled = 0
        /// Audio that a refill gives, and what it costs on average.
        let (audio, cost): (Duration, Duration)
        /// No more is made while this much is there.
        static let ahead = Duration.milliseconds(400)
        static let guardTime = Duration.milliseconds(80)

        mutating func run(for length: Duration) {
            for owner in 3...4 { submitGap(.speculation, Self.draft, owner) }
            for owner in 5...6 { submitGap(.background, Self.prefill, owner) }
            var owners: [DeadlineScheduler.Ticket: Int] = [:]
            while now < length {
                for index in sessions.indices where !sessions[index].isWaiting { refill(index, &owners) }
                guard let ticket = scheduler.next(at: now) else {
                    let wake = sessions.filter { !$0.isWaiting }.map { $0.dry - Self.ahead }.min()
                    now = max(
                        now + .microseconds(100),
                        [wake, scheduler.heldUntil(at: now)].compactMap { $0 }.min() ?? now
                    )
                    continue
                }
                let kindCost: Duration = owners[ticket] != nil ? cost : .milliseconds(12)
                now += kindCost * Double.random(in: 0.8...1.2, using: &random)
                let quantum = scheduler.finished(ticket, at: now)
                if let owner = owners.removeValue(forKey: ticket) {
                    sessions[owner - 1].dry += audio
                    sessions[owner - 1].isWaiting = false
                    // What comes next is known now.
                    scheduler.expect(refillBy: sessions[owner - 1].dry - Self.guardTime, costing: cost, of: owner)
                } else {
                    filled += 1
                    submitGap(quantum.request.quantumClass, quantum.request.kind, quantum.request.owner)
                }
            }
        }

        mutating func refill(_ index: Int, _ owners: inout [DeadlineScheduler.Ticket: Int]) {
            guard sessions[index].dry - now <= Self.ahead else { return }
            let (owner, deadline) = (sessions[index].owner, sessions[index].dry - Self.guardTime)
            let request = QuantumRequest(Self.speak, .refill, deadline: deadline, owner: owner)
            guard case .waiting(let ticket) = scheduler.submit(request, at: now) else { return }
            owners[ticket] = owner
            sessions[index].isWaiting = true
        }

        mutating func submitGap(_ quantumClass: QuantumClass, _ kind: QuantumKind, _ owner: Int) {
            _ = scheduler.submit(QuantumRequest(kind, quantumClass, owner: owner), at: now)
        }
    }

    @Test(arguments: [5, 15, 25, 35, 39])
    func `two agents that speak are never late, however much else there is to do`(cost: Int) {
        for seed in 0..<20 as Range<UInt64> {
            // 100 ms of audio for `cost` ms of work, twice: a utilisation of up to 0.78.
            var load = Workload(
                random: SplitMix64(seed: seed),
                audio: .milliseconds(100),
                cost: .milliseconds(cost)
            )
            load.run(for: .seconds(20))
            let statistics = load.scheduler.statistics
            #expect(statistics[.refill].late == 0)
            #expect(statistics[.refill].completed > 380)
            #expect(load.filled > 100, "gaps stay empty")
            #expect(statistics[.background].completed > 0 && statistics[.speculation].completed > 0)
        }
    }
}
