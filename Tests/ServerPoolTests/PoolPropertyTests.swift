internal import Testing
internal import VoiceCore

@testable internal import ServerPool

/// Random servers that come, go, fill up and hang, on simulated time: what must hold whatever happens.
@Suite struct PoolPropertyTests {
    private struct World {
        /// What a server really is.
        enum Truth: CaseIterable { case well, gone, hung, full, faulty }

        let limits = PoolLimits()
        var machine: PoolMachine
        var truth: [Truth]
        /// Since when it is that.
        var since: [Duration]
        var random: SplitMix64
        var now = Duration.zero
        /// Checks under way: when they end, and what they will find.
        var checks: [(server: Int, at: Duration, finding: HealthFinding)] = []
        var leases: [(server: Int, until: Duration)] = []
        var refusedUntil: [Duration]
        var fault: String?

        init(seed: UInt64) {
            let count = Int(seed % 5) + 1
            machine = PoolMachine(servers: count, limits: PoolLimits(), seed: seed)
            truth = Array(repeating: .well, count: count)
            since = Array(repeating: .zero, count: count)
            refusedUntil = Array(repeating: .zero, count: count)
            random = SplitMix64(seed: seed ^ 0xabcd)
        }

        mutating func check(_ holds: Bool, _ words: @autoclosure () -> String) {
            if !holds, fault == nil { fault = "\(words()) at \(now)" }
        }

        /// Lets 10 ms pass.
        mutating func step() {
            now += .milliseconds(10)
            for check in checks where check.at <= now { machine.checked(check.server, check.finding, at: now) }
            checks.removeAll { $0.at <= now }
            for server in machine.beginChecks(at: now) {
                check(!checks.contains { $0.server == server }, "two checks of one server")
                switch truth[server] {
                case .well, .full, .faulty: checks.append((server, now + .milliseconds(20), .alive(nil)))
                case .gone: checks.append((server, now, .failed("refused")))
                case .hung: checks.append((server, now + limits.patience, .failed("timed out")))
                }
            }
            for lease in leases where lease.until <= now { machine.giveBack(lease.server) }
            leases.removeAll { $0.until <= now }
            for server in truth.indices where now - since[server] > .seconds(6) {
                let state = machine.state(of: server, at: now)
                switch truth[server] {
                case .gone, .hung: check(state == .down, "a dead server counts as \(state) after six seconds")
                case .well:
                    check(state == .healthy || state == .full, "a good server counts as \(state) after six seconds")
                case .full, .faulty: break
                }
            }
        }

        mutating func ask() {
            guard let server = machine.choose(at: now) else { return }
            check(refusedUntil[server] <= now, "a full server is asked again too soon")
            leases.append((server, now + .milliseconds(Int.random(in: 1...2000, using: &random))))
            switch truth[server] {
            case .well: machine.note(.served, of: server, at: now)
            case .gone, .faulty: machine.note(.failed, of: server, at: now)
            case .hung: machine.note(.slow, of: server, at: now)
            case .full:
                refusedUntil[server] = now + .seconds(5)
                machine.note(.refused(.seconds(5)), of: server, at: now)
            }
        }

        mutating func live(steps: Int) {
            for _ in 0..<steps where fault == nil {
                step()
                if Int.random(in: 0..<8, using: &random) == 0 { ask() }
                if Int.random(in: 0..<300, using: &random) == 0 {
                    let server = Int.random(in: 0..<truth.count, using: &random)
                    truth[server] = Truth.allCases.randomElement(using: &random) ?? .well
                    since[server] = now
                }
            }
            // When all are well, all are used again.
            for server in truth.indices where truth[server] != .well { (truth[server], since[server]) = (.well, now) }
            for _ in 0..<3000 where fault == nil {
                step()
                if Int.random(in: 0..<8, using: &random) == 0 { ask() }
            }
            check(truth.indices.allSatisfy { machine.state(of: $0, at: now) == .healthy }, "not all came back")
            for lease in leases { machine.giveBack(lease.server) }
            check(truth.indices.allSatisfy { machine.load(of: $0, at: now + .seconds(9)) == 0 }, "a place was lost")
        }
    }

    @Test(arguments: 0..<4)
    func `the dead are found, the living come back, and no place is lost`(block: UInt64) {
        for seed in block * 100..<(block + 1) * 100 {
            var world = World(seed: seed)
            world.live(steps: 4000)
            guard world.fault == nil else {
                Issue.record("seed \(seed): \(world.fault ?? "")")
                return
            }
        }
    }
}
