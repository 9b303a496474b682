internal import Testing
internal import VoiceCore

@testable internal import ServerPool

@Suite struct PoolMachineTests {
    private static func machine(_ servers: Int, seed: UInt64 = 1) -> PoolMachine {
        var limits = PoolLimits()
        limits.jitter = 0
        return PoolMachine(servers: servers, limits: limits, seed: seed)
    }

    private static func states(_ machine: PoolMachine, at now: Duration) -> [ServerState] {
        (0..<machine.count).map { machine.state(of: $0, at: now) }
    }

    @Test func `requests go to the server with the least load`() {
        var machine = Self.machine(2)
        _ = machine.beginChecks(at: .zero)
        machine.checked(0, .alive(ServerLoad(active: 3, maximum: 4)), at: .zero)
        machine.checked(1, .alive(ServerLoad(active: 1, maximum: 4)), at: .zero)
        #expect(machine.choose(at: .zero) == 1)
        #expect(machine.load(of: 1, at: .zero) == 0.5)
        machine.giveBack(1)
        #expect(machine.load(of: 1, at: .zero) == 0.25)
    }

    @Test func `a server's word about our own requests counts them once`() {
        var machine = Self.machine(1)
        _ = machine.choose(at: .zero)
        _ = machine.beginChecks(at: .zero)
        machine.checked(0, .alive(ServerLoad(active: 3, maximum: 10)), at: .zero)
        #expect(machine.load(of: 0, at: .zero) == 0.3)
        machine.giveBack(0)
        #expect(machine.load(of: 0, at: .zero) == 0.2)
    }

    @Test func `with many servers the better of two is taken, not always the best`() {
        var machine = Self.machine(4)
        _ = machine.beginChecks(at: .zero)
        for server in 0..<4 {
            machine.checked(server, .alive(ServerLoad(active: server, maximum: 100)), at: .zero)
        }
        var chosen: [Int: Int] = [:]
        for _ in 0..<600 {
            guard let server = machine.choose(at: .zero) else { continue }
            machine.giveBack(server)
            chosen[server, default: 0] += 1
        }
        // Of the six pairs the best is in three, the next in two more, the third in one; the worst never wins.
        #expect((250...350).contains(chosen[0] ?? 0))
        #expect((150...250).contains(chosen[1] ?? 0))
        #expect((60...140).contains(chosen[2] ?? 0))
        #expect(chosen[3] == nil)
    }

    @Test func `new conversations spread over servers that have nothing to do`() {
        var machine = Self.machine(2)
        var homes: [Int] = []
        for _ in 0..<10 {
            guard let server = machine.choose(at: .zero) else { continue }
            machine.giveBack(server)
            machine.move(from: nil, to: server)
            homes.append(server)
        }
        #expect(homes.count { $0 == 0 } == 5)
    }

    @Test func `a conversation stays at home until others have clearly less to do`() {
        var machine = Self.machine(2)
        _ = machine.beginChecks(at: .zero)
        for server in 0..<2 { machine.checked(server, .alive(ServerLoad(active: 0, maximum: 8)), at: .zero) }
        for _ in 0..<3 { #expect(machine.choose(preferring: 0, at: .zero) == 0) }
        #expect(machine.choose(preferring: 0, at: .zero) == 1)
        machine.giveBack(0)
        #expect(machine.choose(preferring: 0, at: .zero) == 0)
    }

    @Test func `one lost connection makes a server suspect until its check passes`() {
        var machine = Self.machine(2)
        #expect(machine.beginChecks(at: .zero) == [0, 1])
        machine.checked(0, .alive(nil), at: .zero)
        machine.checked(1, .alive(nil), at: .zero)
        #expect(machine.nextCheck == .seconds(2))
        machine.note(.failed, of: 0, at: .seconds(1))
        #expect(Self.states(machine, at: .seconds(1)) == [.suspect, .healthy])
        for _ in 0..<20 { #expect(machine.choose(at: .seconds(1)) == 1) }
        // It is looked after at once.
        #expect(machine.nextCheck == .seconds(1))
        #expect(machine.beginChecks(at: .seconds(1)) == [0])
        machine.checked(0, .alive(nil), at: .milliseconds(1010))
        #expect(Self.states(machine, at: .milliseconds(1010)) == [.healthy, .healthy])
        #expect(machine.takeChanges().map(\.state) == [.suspect, .healthy])
    }

    @Test func `a server that is gone is down as soon as a request has failed and its check too`() {
        var machine = Self.machine(2)
        machine.note(.failed, of: 0, at: .zero)
        #expect(machine.beginChecks(at: .zero) == [0, 1])
        machine.checked(0, .failed("connection refused"), at: .milliseconds(1))
        #expect(machine.state(of: 0, at: .milliseconds(1)) == .down)
        #expect(
            machine.takeChanges().last == .init(server: 0, state: .down, isDead: true, reason: "connection refused")
        )
    }

    @Test func `without a request a dead server is found by two checks`() {
        var machine = Self.machine(1)
        _ = machine.beginChecks(at: .zero)
        machine.checked(0, .alive(nil), at: .zero)
        #expect(machine.beginChecks(at: .seconds(2)) == [0])
        machine.checked(0, .failed("timed out"), at: .seconds(3))
        #expect(machine.state(of: 0, at: .seconds(3)) == .suspect)
        #expect(machine.nextCheck == .milliseconds(3500))
        _ = machine.beginChecks(at: .milliseconds(3500))
        machine.checked(0, .failed("timed out"), at: .milliseconds(4500))
        #expect(machine.state(of: 0, at: .milliseconds(4500)) == .down)
        #expect(machine.choose(at: .milliseconds(4500)) == nil)
    }

    @Test func `a server that lets somebody wait is looked after, and one check decides`() {
        var machine = Self.machine(2)
        _ = machine.beginChecks(at: .zero)
        machine.checked(0, .alive(nil), at: .zero)
        machine.checked(1, .alive(nil), at: .zero)
        machine.note(.slow, of: 0, at: .milliseconds(500))
        #expect(machine.state(of: 0, at: .milliseconds(500)) == .healthy)
        #expect(machine.load(of: 0, at: .milliseconds(500)) == 0.2)
        #expect(machine.beginChecks(at: .milliseconds(500)) == [0])
        machine.checked(0, .failed("timed out"), at: .milliseconds(1500))
        #expect(machine.state(of: 0, at: .milliseconds(1500)) == .down)
        #expect(machine.load(of: 0, at: .seconds(6)) == 0)
    }

    @Test func `one that is slow alone does not lose its conversations`() {
        var machine = Self.machine(2)
        machine.note(.slow, of: 0, at: .zero)
        #expect(machine.choose(preferring: 0, at: .zero) == 0)
        machine.giveBack(0)
        #expect(machine.choose(at: .zero) == 1)
    }

    @Test func `a server too busy to answer its check, but not to send, lives`() {
        var machine = Self.machine(1)
        _ = machine.beginChecks(at: .zero)
        machine.note(.heard, of: 0, at: .milliseconds(600))
        machine.checked(0, .failed("timed out"), at: .seconds(1))
        #expect(machine.state(of: 0, at: .seconds(1)) == .healthy)
        _ = machine.beginChecks(at: .seconds(3))
        machine.checked(0, .failed("timed out"), at: .seconds(4))
        #expect(machine.state(of: 0, at: .seconds(4)) == .suspect)
    }

    @Test func `pauses grow while a server is gone, and it is found within four seconds of its return`() {
        var machine = Self.machine(1)
        machine.note(.failed, of: 0, at: .zero)
        _ = machine.beginChecks(at: .zero)
        machine.checked(0, .failed("refused"), at: .zero)
        var pauses: [Duration] = []
        var now = Duration.zero
        for _ in 0..<6 {
            guard let next = machine.nextCheck else { return }
            pauses.append(next - now)
            now = next
            #expect(machine.beginChecks(at: now) == [0])
            machine.checked(0, .failed("refused"), at: now)
        }
        #expect(pauses == [500, 1000, 2000, 4000, 4000, 4000].map { .milliseconds($0) })
        now = machine.nextCheck ?? now
        _ = machine.beginChecks(at: now)
        machine.checked(0, .alive(nil), at: now)
        #expect(machine.state(of: 0, at: now) == .healthy)
        // It has yet to show that it works: the first failure ends it at once, for as long as before.
        machine.note(.failed, of: 0, at: now)
        #expect(machine.state(of: 0, at: now) == .down)
        #expect(machine.nextCheck == now + .seconds(4))
    }

    @Test func `what was served is a clean slate`() {
        var machine = Self.machine(1)
        machine.note(.failed, of: 0, at: .zero)
        machine.note(.served, of: 0, at: .zero)
        machine.note(.failed, of: 0, at: .zero)
        #expect(machine.state(of: 0, at: .zero) == .suspect)
    }

    @Test func `failures of the requests that a dead server had lengthen nothing`() {
        var machine = Self.machine(1)
        for _ in 0..<50 { machine.note(.failed, of: 0, at: .zero) }
        #expect(machine.nextCheck == .milliseconds(500))
        #expect(machine.takeChanges().map(\.state) == [.suspect, .down])
    }

    @Test func `a server without room is left alone for as long as it says`() {
        var machine = Self.machine(2)
        machine.note(.refused(.seconds(5)), of: 0, at: .zero)
        machine.note(.refused(nil), of: 1, at: .zero)
        #expect(Self.states(machine, at: .zero) == [.full, .full])
        #expect(machine.choose(at: .seconds(1)) == nil)
        #expect(machine.choose(at: .seconds(2)) == 1)
        #expect(machine.choose(except: [1], at: .milliseconds(4999)) == nil)
        #expect(machine.choose(except: [1], at: .seconds(5)) == 0)
        machine.note(.refused(.seconds(86_400)), of: 0, at: .seconds(5))
        #expect(machine.choose(except: [1], at: .seconds(35)) == 0)
    }

    @Test func `one that says it is full is asked only where nobody else is left`() {
        var machine = Self.machine(2)
        _ = machine.beginChecks(at: .zero)
        machine.checked(0, .alive(ServerLoad(active: 4, maximum: 4)), at: .zero)
        machine.checked(1, .alive(ServerLoad(active: 99, maximum: 100)), at: .zero)
        #expect(machine.choose(at: .zero) == 1)
        #expect(machine.choose(except: [1], at: .zero) == 0)
    }

    @Test func `without anybody who checks, a server is tried again after its pause`() {
        var machine = Self.machine(1)
        machine.note(.failed, of: 0, at: .zero)
        machine.note(.failed, of: 0, at: .zero)
        #expect(machine.choose(at: .milliseconds(499)) == nil)
        #expect(machine.choose(at: .milliseconds(500)) == 0)
        machine.note(.served, of: 0, at: .milliseconds(600))
        #expect(machine.state(of: 0, at: .milliseconds(600)) == .healthy)
    }

    @Test func `who waits for a server learns that it is dead also when it went down for other reasons before`() {
        var machine = Self.machine(1)
        _ = machine.beginChecks(at: .zero)
        machine.note(.failed, of: 0, at: .milliseconds(1))
        machine.note(.failed, of: 0, at: .milliseconds(2))
        #expect(machine.takeChanges().map(\.isDead) == [false, false])
        machine.checked(0, .failed("refused"), at: .milliseconds(3))
        #expect(machine.takeChanges().map(\.isDead) == [true])
        _ = machine.beginChecks(at: .milliseconds(502))
        machine.checked(0, .failed("refused"), at: .milliseconds(503))
        #expect(machine.takeChanges().isEmpty)
    }
}
