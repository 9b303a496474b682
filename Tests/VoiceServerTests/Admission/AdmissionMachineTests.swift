internal import Testing
internal import VoiceCore

@testable internal import VoiceServer

@Suite("Admission")
struct AdmissionMachineTests {
    private static let lifetime = Duration.seconds(5)

    /// Takes a place, or says why not.
    private static func enter(
        _ machine: inout AdmissionMachine,
        _ session: String,
        for key: String? = nil,
        isBusy: Bool = false,
        at now: Duration = .zero
    ) -> Refusal? {
        do throws(Refusal) { _ = try machine.enter(session, for: key, isBusy: isBusy, at: now) } catch { return error }
        return nil
    }

    @Test func `of two who want the last place one gets it`() throws {
        var machine = AdmissionMachine(capacity: 1)
        try machine.reserve("a", for: nil, isBusy: false, lifetime: Self.lifetime, at: .zero)
        #expect(throws: Refusal.full(1)) {
            try machine.reserve("b", for: nil, isBusy: false, lifetime: Self.lifetime, at: .zero)
        }
        #expect(machine.counts == .init(active: 0, reserved: 1, maximum: 1, total: 0, refused: 1))
    }

    @Test func `a reservation that nobody came for is given up after five seconds`() throws {
        var machine = AdmissionMachine(capacity: 1)
        try machine.reserve("a", for: nil, isBusy: false, lifetime: Self.lifetime, at: .zero)
        let late = machine.connect("a", at: .seconds(5))
        #expect(late == nil)
        try machine.reserve("b", for: nil, isBusy: false, lifetime: Self.lifetime, at: .seconds(5))
        let ticket = machine.connect("b", at: .seconds(9))
        #expect(ticket?.session == "b")
        let again = machine.connect("b", at: .seconds(9))
        #expect(again == nil)
    }

    @Test func `a place comes back once, however often it is given back`() throws {
        var machine = AdmissionMachine(capacity: 2)
        let first = try machine.enter("a", for: nil, isBusy: false, at: .zero)
        _ = try machine.enter("b", for: nil, isBusy: false, at: .zero)
        machine.leave(first)
        machine.leave(first)
        #expect(machine.counts.active == 1)
    }

    @Test func `whoever comes back finds room though the lost connection still takes its own`() throws {
        var machine = AdmissionMachine(capacity: 1)
        let lost = try machine.enter("a", for: nil, isBusy: false, at: .zero)
        let back = try machine.enter("a", for: nil, isBusy: false, at: .seconds(1))
        #expect(lost != back)
        machine.leave(lost)
        #expect(machine.holds("a"))
        let refusal = Self.enter(&machine, "b", isBusy: false, at: .seconds(1))
        #expect(refusal == .full(1))
    }

    @Test func `while it drains nobody new is taken, and who was promised a place gets it`() throws {
        var machine = AdmissionMachine(capacity: 3)
        try machine.reserve("a", for: nil, isBusy: false, lifetime: Self.lifetime, at: .zero)
        machine.drain()
        let refusal = Self.enter(&machine, "b", isBusy: false, at: .zero)
        #expect(refusal == .draining)
        let ticket = try machine.enter("a", for: nil, isBusy: false, at: .seconds(1))
        #expect(!machine.isEmpty)
        machine.leave(ticket)
        #expect(machine.isEmpty)
    }

    @Test func `busy engines take nobody more, but the first one always`() throws {
        var machine = AdmissionMachine(capacity: 3)
        _ = try machine.enter("a", for: nil, isBusy: true, at: .zero)
        let refusal = Self.enter(&machine, "b", isBusy: true, at: .zero)
        #expect(refusal == .busy)
    }

    @Test func `a key has as many conversations as it allows, and begins as many in a minute`() throws {
        var machine = AdmissionMachine(
            capacity: 100,
            limits: ["few": .init(sessions: 2), "slow": .init(startsPerMinute: 6)]
        )
        func enter(_ key: String, at now: Duration) -> Refusal? {
            Self.enter(&machine, "\(key)\(now)", for: key, at: now)
        }
        let few = [1, 2, 3].map { enter("few", at: .milliseconds($0)) }
        #expect(few == [nil, nil, .keyIsFull(2)])
        let slow = (0..<7).map { enter("slow", at: .milliseconds($0)) }
        #expect(slow.compactMap(\.self) == [.tooFast(retryAfter: 10)])
        let later = [11, 12].map { enter("slow", at: .seconds($0)) }
        #expect(later == [nil, .tooFast(retryAfter: 9)])
        let other = enter("other", at: .zero)
        #expect(other == nil)
    }

    @Test(arguments: 0..<20) func `whatever happens there are never more than there is room for`(seed: Int) {
        var random = SplitMix64(seed: UInt64(seed))
        var machine = AdmissionMachine(capacity: 5)
        var held: [AdmissionMachine.Ticket] = []
        var now = Duration.zero
        for step in 0..<2_000 {
            now += .milliseconds(Int(random.next() % 800))
            switch random.next() % 4 {
            case 0:
                try? machine.reserve("\(step)", for: nil, isBusy: false, lifetime: Self.lifetime, at: now)
            case 1:
                if let ticket = try? machine.enter("\(step)", for: nil, isBusy: false, at: now) { held.append(ticket) }
            case 2:
                let earlier = step - Int(random.next() % 5)
                if let ticket = machine.connect("\(earlier)", at: now) { held.append(ticket) }
            default: if !held.isEmpty { machine.leave(held.remove(at: Int(random.next() % UInt64(held.count)))) }
            }
            #expect(machine.counts.active == held.count)
            #expect(machine.counts.active + machine.counts.reserved <= 5)
        }
    }
}
