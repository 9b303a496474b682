internal import VoiceCore

/// Which of several equal servers is asked next. **Tell it what became of everything, with the time; ask it before each request.**
///
/// A value without socket, clock or task. What makes a server go down: two failures in a row, of requests or of checks, or one check after
/// a request failed or waits too long. One lost connection only makes it suspect, until a check, due at once, finds it well. A server that is
/// down is left alone for pauses that grow, and comes back by the first check that passes; one more failed request then ends that at once.
package struct PoolMachine: Sendable {
    private enum Condition: Sendable, Equatable {
        case well
        case suspect
        case down(until: Duration)
    }

    private struct Member: Sendable {
        var condition = Condition.well
        /// Requests that failed since one was served.
        var strikes = 0
        /// Checks that failed in a row.
        var missed = 0
        /// Pauses in a row.
        var pauses = 0
        var lastFailure: Duration?
        /// When something of it was heard last.
        var lastHeard: Duration?
        var fullUntil = Duration.zero
        var slowUntil = Duration.zero
        /// Whether somebody waits for it longer than usual: one check decides.
        var isPressed = false
        var checkAt = Duration.zero
        /// When the running check began.
        var checkBegan: Duration?
        /// Whether another one is wanted as soon as that has ended.
        var isHurried = false
        /// Whether a check found it dead since it went down.
        var isDead = false
        /// Our own requests.
        var inFlight = 0
        /// Conversations that are at home there.
        var guests = 0
        /// Sessions of others, as it said last.
        var others = 0
        var maximum: Int
    }

    /// A server's state became another one.
    package struct Change: Sendable, Equatable {
        /// The server's number.
        package var server: Int
        /// What it is now.
        package var state: ServerState
        /// Whether it is certain that its running sessions are lost as well.
        package var isDead: Bool
        /// Why.
        package var reason: String
    }

    private let limits: PoolLimits
    private var members: [Member]
    private var generator: SplitMix64
    private var changes: [Change] = []

    /// Makes a pool in which all servers count as well and are to be checked.
    /// - Parameter seed: of what is left to chance.
    package init(servers: Int, limits: PoolLimits = PoolLimits(), seed: UInt64) {
        self.limits = limits
        members = Array(repeating: Member(maximum: limits.assumedMaximum), count: servers)
        generator = SplitMix64(seed: seed)
    }

    /// How many servers there are.
    package var count: Int { members.count }

    /// What changed since the last call, oldest first.
    package mutating func takeChanges() -> [Change] {
        defer { changes = [] }
        return changes
    }

    /// What a server is at a time.
    package func state(of server: Int, at now: Duration) -> ServerState {
        switch members[server].condition {
        case .down: .down
        case _ where members[server].fullUntil > now: .full
        case .suspect: .suspect
        case .well: .healthy
        }
    }

    // MARK: - Choosing

    /// Chooses a server for a request, which counts until ``giveBack(_:)``.
    ///
    /// The better of two drawn by chance, by load: with many agents the one that seems best to all of them would be overrun.
    /// - Parameters:
    ///   - home: the server that remembers the conversation, which is preferred.
    ///   - others: servers that it must not be.
    /// - Returns: nil when no server is left that might do it.
    package mutating func choose(preferring home: Int? = nil, except others: Set<Int> = [], at now: Duration) -> Int? {
        let ranked = members.indices.filter { !others.contains($0) }.compactMap { server in
            rank(of: server, at: now).map { (server: server, rank: $0) }
        }
        guard let best = ranked.map(\.rank).min() else { return nil }
        let candidates = ranked.filter { $0.rank == best }.map(\.server)
        let chosen = prefer(home, among: candidates, at: now) ?? draw(from: candidates, at: now)
        members[chosen].inFlight += 1
        return chosen
    }

    /// A request is over, whatever came of it.
    package mutating func giveBack(_ server: Int) { members[server].inFlight -= 1 }

    /// A conversation is at home on another server now; nil for none.
    package mutating func move(from old: Int?, to new: Int?) {
        if let old { members[old].guests -= 1 }
        if let new { members[new].guests += 1 }
    }

    /// The smaller the better; nil for a server that is left alone.
    private func rank(of server: Int, at now: Duration) -> Int? {
        let member = members[server]
        guard member.fullUntil <= now else { return nil }
        switch member.condition {
        // Its pause is over and nobody has looked yet: better than nothing.
        case .down(let until): return until <= now ? 3 : nil
        case .suspect: return 2
        // What it said of its sessions is seconds old.
        case .well: return member.inFlight + member.others >= member.maximum ? 1 : 0
        }
    }

    private func prefer(_ home: Int?, among candidates: [Int], at now: Duration) -> Int? {
        guard let home, candidates.contains(home) else { return nil }
        let least = candidates.map { load(of: $0, at: now) }.min() ?? 0
        return load(of: home, at: now) - least <= limits.margin ? home : nil
    }

    private mutating func draw(from candidates: [Int], at now: Duration) -> Int {
        let first = Int.random(in: 0..<candidates.count, using: &generator)
        guard candidates.count > 1 else { return candidates[first] }
        var second = Int.random(in: 0..<candidates.count - 1, using: &generator)
        if second >= first { second += 1 }
        let (a, b) = (candidates[first], candidates[second])
        return pull(of: a, at: now) <= pull(of: b, at: now) ? a : b
    }

    /// The share of a server's room that is taken; its having been slow counts for a while.
    package func load(of server: Int, at now: Duration) -> Double {
        let member = members[server]
        let load = Double(member.inFlight + member.others) / Double(member.maximum)
        return member.slowUntil > now ? load + limits.slowness.load : load
    }

    /// The load, and a little for each conversation that may come back: new ones spread while nobody speaks.
    private func pull(of server: Int, at now: Duration) -> Double {
        load(of: server, at: now) + Double(members[server].guests) / Double(members[server].maximum) / 10
    }

    // MARK: - What became of it

    /// Takes what became of a request, or of a part of it.
    package mutating func note(_ verdict: PoolVerdict, of server: Int, at now: Duration) {
        switch verdict {
        case .heard: members[server].lastHeard = now
        case .served:
            members[server].lastHeard = now
            (members[server].strikes, members[server].missed, members[server].pauses) = (0, 0, 0)
            recover(server, "it answers")
        case .failed: failed(server, now)
        case .refused(let pause):
            let pause = min(max(pause ?? limits.refusal, .zero), limits.longestRefusal)
            guard members[server].fullUntil < now + pause else { return }
            if members[server].fullUntil <= now { change(server, .full, "it has no room") }
            members[server].fullUntil = now + pause
        case .slow:
            members[server].slowUntil = now + limits.slowness.lasts
            members[server].isPressed = true
            hurryCheck(of: server, now)
        }
    }

    private mutating func failed(_ server: Int, _ now: Duration) {
        members[server].lastFailure = now
        // Its other requests fail as well; that is no news.
        if case .down(let until) = members[server].condition, until > now { return }
        members[server].strikes += 1
        guard members[server].strikes < limits.strikes else {
            return goDown(server, now, "it fails again and again", isDead: false)
        }
        suspect(server, "a request failed")
        hurryCheck(of: server, now)
    }

    private mutating func suspect(_ server: Int, _ reason: String) {
        guard members[server].condition == .well else { return }
        members[server].condition = .suspect
        change(server, .suspect, reason)
    }

    private mutating func recover(_ server: Int, _ reason: String) {
        guard members[server].condition != .well else { return }
        members[server].condition = .well
        members[server].isDead = false
        change(server, .healthy, reason)
    }

    private mutating func goDown(_ server: Int, _ now: Duration, _ reason: String, isDead: Bool) {
        let pause = min(limits.longestPause, limits.firstPause * (1 << min(members[server].pauses, 16)))
        let until = now + varied(pause)
        let isNews = !isDown(server) || isDead && !members[server].isDead
        members[server].pauses += 1
        members[server].condition = .down(until: until)
        members[server].checkAt = until
        members[server].isDead = members[server].isDead || isDead
        if isNews { change(server, .down, reason, isDead: isDead) }
    }

    private mutating func change(_ server: Int, _ state: ServerState, _ reason: String, isDead: Bool = false) {
        changes.append(Change(server: server, state: state, isDead: isDead, reason: reason))
    }

    private mutating func varied(_ duration: Duration) -> Duration {
        duration * (1 + limits.jitter * (2 * generator.uniform() - 1))
    }

    // MARK: - Checks

    /// When the next check is due; nil while all that could be made are under way.
    package var nextCheck: Duration? { members.filter { $0.checkBegan == nil }.map(\.checkAt).min() }

    /// The servers that are to be checked now. Each answer comes by ``checked(_:_:at:)``.
    package mutating func beginChecks(at now: Duration) -> [Int] {
        let due = members.indices.filter { members[$0].checkBegan == nil && members[$0].checkAt <= now }
        for server in due { members[server].checkBegan = now }
        return due
    }

    /// Takes what a check found.
    package mutating func checked(_ server: Int, _ finding: HealthFinding, at now: Duration) {
        let began = members[server].checkBegan ?? now
        members[server].checkBegan = nil
        switch finding {
        case .alive(let load): alive(server, load, now)
        case .failed(let reason):
            // One that is too busy to say how it is, but sends what it makes, lives.
            if let heard = members[server].lastHeard, heard > began, !isDown(server) {
                members[server].slowUntil = now + limits.slowness.lasts
                rest(server, now)
            } else {
                missed(server, reason, now)
            }
        }
    }

    /// All is well until the next check, unless something happened while this one was under way.
    private mutating func rest(_ server: Int, _ now: Duration) {
        members[server].checkAt = members[server].isHurried ? now : now + varied(limits.interval)
        members[server].isPressed = members[server].isPressed && members[server].isHurried
        members[server].isHurried = false
    }

    private mutating func alive(_ server: Int, _ load: ServerLoad?, _ now: Duration) {
        members[server].missed = 0
        rest(server, now)
        if let load {
            members[server].maximum = max(1, load.maximum)
            members[server].others = max(0, load.active - members[server].inFlight)
        }
        if let last = members[server].lastFailure, now - last > limits.memory {
            (members[server].strikes, members[server].pauses) = (0, 0)
        }
        if case .down(let until) = members[server].condition {
            guard until <= now else {
                members[server].checkAt = until
                return
            }
            // The next request that fails ends this at once, for longer.
            members[server].strikes = min(members[server].strikes, limits.strikes - 1)
        }
        recover(server, "it is there")
    }

    private mutating func missed(_ server: Int, _ reason: String, _ now: Duration) {
        members[server].missed += 1
        members[server].lastFailure = now
        let isPressed = members[server].isPressed
        (members[server].isPressed, members[server].isHurried) = (false, false)
        if case .down(let until) = members[server].condition {
            guard until <= now else {
                // It went down while this check was under way, which now says that it is not even there.
                members[server].checkAt = until
                if !members[server].isDead { change(server, .down, reason, isDead: true) }
                members[server].isDead = true
                return
            }
            return goDown(server, now, reason, isDead: true)
        }
        let member = members[server]
        guard member.missed < limits.strikes, member.strikes == 0, !isPressed else {
            return goDown(server, now, reason, isDead: true)
        }
        suspect(server, reason)
        members[server].checkAt = now + limits.recheck
    }

    private func isDown(_ server: Int) -> Bool {
        if case .down = members[server].condition { true } else { false }
    }

    private mutating func hurryCheck(of server: Int, _ now: Duration) {
        guard !isDown(server) else { return }
        members[server].isHurried = members[server].checkBegan != nil
        members[server].checkAt = min(members[server].checkAt, now)
    }
}
