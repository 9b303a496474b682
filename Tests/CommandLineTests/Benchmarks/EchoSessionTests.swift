internal import Foundation
internal import Synchronization
internal import Testing
internal import VoiceCore

@testable internal import Repartee

/// Microphone frames, what was played of the reply after each, and a record of the reply.
private final class ScriptedTransport: Transport {
    let playoutRate = SampleRate(24_000)
    let events: AsyncStream<TransportEvent>
    private let record: Record

    private final class Record: Sendable {
        let frames = Mutex<[PlayoutFrame]>([])
        let next = Mutex(0)

        var samples: Int { frames.withLock { $0.reduce(0) { $0 + $1.audio.samples.count } } }
    }

    /// Ten frames come in a heap, the others every 20 ms.
    ///
    /// - Parameter underway: how much of what was sent has not been played when the frame of a number comes.
    init(_ frames: [[Float]], clock: ManualClock, underway: @escaping @Sendable (Int) -> Int) {
        let record = Record()
        self.record = record
        events = AsyncStream {
            let step = record.next.withLock { next in
                defer { next += 1 }
                return next
            }
            let (index, isReport) = (step / 2, step.isMultiple(of: 2))
            guard index < frames.count else { return nil }
            let played = record.samples - underway(index)
            guard !isReport || played <= 0 else { return .played(epoch: 1, samples: played) }
            guard !isReport else { return .interrupt }
            if index >= 10 { clock.advance(by: .milliseconds(20)) }
            return .audio(AudioFrame(samples: frames[index], rate: .speech, position: index * 320))
        }
    }

    func send(_ message: TransportMessage) async throws(VoiceError) {
        if case .audio(let frame) = message { record.frames.withLock { $0.append(frame) } }
    }

    var sent: [PlayoutFrame] { record.frames.withLock { $0 } }
}

@Suite struct EchoSessionTests {
    /// The fifth frame in a row that came one by one: with it the echo begins.
    private static let first = 14
    private static let frames = (0..<200).map { frame in (0..<320).map { Float(sin(Double(frame * 320 + $0) / 5)) / 2 }
    }

    private func echo(
        underway: @escaping @Sendable (Int) -> Int
    ) async -> (sent: [PlayoutFrame], skipped: Int) {
        let clock = ManualClock()
        let transport = ScriptedTransport(Self.frames, clock: clock, underway: underway)
        var session = EchoSession(transport: transport, clock: clock)
        async let margin: Void = {
            while clock.sleeperCount == 0 { await Task.yield() }
            clock.advance(by: .milliseconds(5))
        }()
        await session.run()
        await margin
        return (transport.sent, session.skipped)
    }

    @Test func `what is heard goes back as whole packets of one reply, late by no more than the filter's delay`() async
    {
        let (sent, skipped) = await echo { _ in 1_680 }
        #expect(skipped == 0)
        let count = 200 - Self.first
        #expect(sent.map(\.audio.samples.count) == [Int](repeating: 480, count: count))
        #expect(sent.map(\.audio.position) == (0..<count).map { $0 * 480 })
        #expect(sent.allSatisfy { $0.epoch == 1 && $0.audio.rate.hertz == 24_000 })
        let samples = sent.flatMap(\.audio.samples)
        // 2.5 ms of silence at the front, then the microphone's sound.
        let errors = (1_000..<80_000).map { index in
            let microphone = Double(Self.first * 320) + Double(index) * 2 / 3
            return abs(samples[index + 60] - Float(sin(microphone / 5)) / 2)
        }
        #expect(samples[..<60].allSatisfy { $0 == 0 } && errors.allSatisfy { $0 < 0.001 })
    }

    @Test func `what waits behind a stall is made up for by leaving frames out, but for one`() async {
        // From the sixtieth frame on seven more wait, until six have been left out.
        let (sent, skipped) = await echo { $0 < 60 || $0 >= 84 ? 1_680 : 1_680 + 7 * 480 }
        #expect(skipped == 6 && sent.count == 194 - Self.first)
        #expect(sent.map(\.audio.position) == sent.indices.map { $0 * 480 })
    }

    @Test func `a frame more or less on its way is nothing`() async {
        #expect(await echo { 1_680 + ($0.isMultiple(of: 2) ? 0 : 480) + ($0 < 100 ? 0 : 900) }.skipped == 0)
    }
}
