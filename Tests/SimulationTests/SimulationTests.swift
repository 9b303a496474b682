internal import Conversation
internal import Testing
internal import VoiceCore

@testable internal import Simulation

struct SimulationTests {
    private func run(
        _ device: DeviceModel,
        _ policy: ReplyPolicy,
        sessions: Int = 1,
        minutes: Int = 10,
        seed: UInt64 = 1,
        batch: Int = 1,
        voiceActivity: VoiceActivityGate.Configuration = VoiceActivityGate.Configuration()
    ) throws -> SimulationResult {
        let duration = Duration.seconds(60 * minutes)
        return try Simulation(
            device: device,
            policy: policy,
            sessions: sessions,
            duration: duration,
            seed: seed,
            batch: batch,
            voiceActivity: voiceActivity
        ).run()
    }

    private func percentile(_ share: Double, _ values: [Double]) -> Double {
        ConversationReport.Spread.percentile(share, of: values.sorted())
    }

    @Test(arguments: ReplyPolicy.allCases) func `the same seed gives the same, another seed does not`(
        policy: ReplyPolicy
    ) throws {
        let result = try run(.rtx5090, policy, sessions: 6, minutes: 3)
        #expect(result == (try run(.rtx5090, policy, sessions: 6, minutes: 3)))
        #expect(result != (try run(.rtx5090, policy, sessions: 6, minutes: 3, seed: 2)))
    }

    /// An hour, because the median depends on how many answers fill the first segment.
    @Test(arguments: [DeviceModel.rtx5090, .dgxSpark], [1, 2])
    func `the other stack's steps add up to the voice to voice that was published`(
        device: DeviceModel,
        seed: UInt64
    ) throws {
        let published = try #require(device.publishedVoiceToVoice)
        let simulated = percentile(0.5, try run(device, .reference, minutes: 60, seed: seed).voiceToVoiceAsPublished)
        #expect(abs(simulated / published - 1) < 0.1, "\(device.title): \(simulated) ms, published \(published) ms")
    }

    /// Medians of docs/performance.md with starter-en, 10 turns each, when drafts began after 64 ms of silence. `reference` was
    /// measured with another recogniser.
    @Test(arguments: [(ReplyPolicy.interleaved, 466.0), (.speculative, 432.0)])
    func `this processor's steps add up to the voice to voice that was measured`(
        policy: ReplyPolicy,
        measured: Double
    ) throws {
        var voiceActivity = VoiceActivityGate.Configuration()
        voiceActivity.hush = .milliseconds(64)
        let result = try run(.processor, policy, minutes: 20, voiceActivity: voiceActivity)
        let simulated = percentile(0.5, result.voiceToVoice)
        #expect(abs(simulated / measured - 1) < 0.15, "\(simulated) ms, measured \(measured) ms")
    }

    @Test(arguments: ReplyPolicy.allCases) func `more people never make answers quicker`(policy: ReplyPolicy) throws {
        var before = 0.0
        for sessions in [1, 4, 16] {
            let p90 = percentile(0.9, try run(.h200, policy, sessions: sessions, minutes: 6).voiceToVoice)
            // Chance is worth some percent.
            #expect(p90 > 0.93 * before, "\(sessions) sessions: \(p90) ms after \(before) ms")
            before = p90
        }
    }

    @Test func `a crowd waits for answers, but its recogniser does not wait for voices`() throws {
        let crowd = try run(.rtx5090, .interleaved, sessions: 8)
        #expect(crowd.deviceShare > 0.95)
        #expect(percentile(0.5, crowd.voiceToVoice) > 800)
        // A final transcript takes 18 ms. Before it at most the quantum under way (a slice of a prompt takes 12.2 ms) and another
        // session's final transcript, but none of the voices that wait all the time.
        let longest = 12.2 + 18 + 18
        #expect(percentile(0.9, crowd.tiles.map(\.asrFinal)) < longest)
        // Processes that share a card blindly give it to the recogniser no sooner than to others.
        let blind = try run(.rtx5090, .reference, sessions: 8)
        #expect(percentile(0.5, blind.tiles.map(\.asrFinal)) > 1.5 * longest)
    }

    @Test func `an answer's next words are not in the way of its first sound`() throws {
        let alone = try run(.rtx5090, .interleaved)
        // The voice takes 80 ms, and may find a token of 4.4 ms under way.
        #expect(percentile(0.9, alone.tiles.map(\.ttsFirstAudio)) < 80 + 2 * 4.4)
    }

    @Test func `a draft is as pressing as any answer once its turn is over`() throws {
        let result = try run(.h200, .speculative, sessions: 8)
        #expect(result.deviceShare > 0.7)
        // What waited as speculation would go on waiting for gaps, half a second and more.
        #expect(percentile(0.9, result.tiles.map(\.llmFirstToken)) < 100)
    }

    @Test func `drafts are used, and mostly not for nothing`() throws {
        let result = try run(.rtx5090, .speculative, sessions: 2)
        #expect(result.hits > 60)
        #expect(Double(result.wastedTokens) < 0.3 * Double(result.generatedTokens))
        let without = try run(.rtx5090, .interleaved, sessions: 2)
        #expect(without.hits == 0 && without.wastedTokens == 0)
        #expect(percentile(0.5, result.voiceToVoice) < percentile(0.5, without.voiceToVoice) - 30)
    }

    @Test func `shared steps carry more people`() throws {
        let alone = try run(.h200, .interleaved, sessions: 16, minutes: 5)
        let shared = try run(.h200, .interleaved, sessions: 16, minutes: 5, batch: 16)
        #expect(percentile(0.5, shared.voiceToVoice) < 0.5 * percentile(0.5, alone.voiceToVoice))
        #expect(shared.underruns < alone.underruns / 10)
    }
}
