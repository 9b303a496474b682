internal import Testing
internal import VoiceCore
internal import VoiceTesting

/// When the packets of a reply leave.
@Suite struct PacketPaceTests {
    private static let frame = WholeCall.frame

    /// When the packets of a reply of two seconds leave, and when the person's come.
    private static func times(_ conditions: WholeCall.Conditions) async throws -> (sent: [Duration], heard: [Duration])
    {
        let call = try await WholeCall(seed: 3)
        call.impose(conditions)
        try await call.run(for: .seconds(1))
        call.reply([Float](repeating: 0.3, count: 48_000), epoch: 1)
        try await call.run(for: .seconds(3))
        return (call.sentTimes, call.heardTimes)
    }

    @Test func `all but the first leave with what the person says, at the pace of sound`() async throws {
        var conditions = WholeCall.Conditions()
        // Frames are made at multiples of 20 ms on both sides, so this is how far from each other microphone and reply are.
        for delay in [25, 28, 31, 35, 39] {
            conditions.delay = .milliseconds(delay)
            let (sent, heard) = try await Self.times(conditions)
            #expect(sent.count == 105)
            // The silence behind the reply waits for its time: until then more might come.
            let others = sent[1..<100]
            #expect(Set(others).isSubset(of: heard), "\(delay)")
            #expect(zip(others, others.dropFirst()).allSatisfy { $1 - $0 == Self.frame }, "\(delay)")
            #expect(sent[1] - sent[0] <= Self.frame * 3 / 2)
        }
    }

    @Test func `none leaves late for a microphone that is, nor more than 8 ms early`() async throws {
        var conditions = WholeCall.Conditions()
        conditions.delay = .milliseconds(30)
        conditions.jitter = .milliseconds(30)
        conditions.loss = 0.05
        let sent = try await Self.times(conditions).sent
        #expect(sent.count == 105)
        let pace = sent.dropFirst().enumerated().map { $1 - Self.frame * $0 }
        let spread = (pace.max() ?? .zero) - (pace.min() ?? .zero)
        #expect(spread > .zero && spread <= .milliseconds(8))
    }
}
