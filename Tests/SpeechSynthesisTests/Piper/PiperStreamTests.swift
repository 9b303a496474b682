internal import Inference
internal import Testing
internal import VoiceCore

@testable internal import SpeechSynthesis

/// A sentence in stretches.
@Suite(.timeLimit(.minutes(5))) struct PiperStreamTests {
    private static let schedules = [[1], [2], [3], [5], [7], [11, 1, 4, 30, 2, 2, 9], [1000]]

    @Test(arguments: schedules) func `stretches of any length are the whole, sample for sample`(
        lengths: [Int]
    ) async throws {
        let fixture = try PiperFixture()
        let voice = try await PiperFixture.tiny()
        let whole = try await voice.stream(of: fixture.ids(), seed: 3).all([10_000])
        let stream = try voice.stream(of: fixture.ids(), seed: 3)
        let samples = try await stream.all(lengths)
        let durations = try await stream.durations()
        #expect(samples.count == durations.reduce(0, +) * voice.samplesPerFrame)
        // The aim is 1e-5 of the peak; every sum has the same terms in the same order, so it is nothing at all.
        #expect(samples == whole)
    }

    @Test func `two streams at the same time, and a reset one, give what each gives alone`() async throws {
        let ids = try PiperFixture().ids()
        let voice = try await PiperFixture.tiny(lane: Lane(name: "cpu"))
        let alone = [
            try await voice.stream(of: ids, seed: 1).all([9]),
            try await voice.stream(of: ids.reversed(), seed: 2).all([9]),
        ]
        let streams = [try voice.stream(of: ids, seed: 1), try voice.stream(of: ids.reversed(), seed: 2)]
        for _ in 0..<2 {
            var samples: [[Float]] = [[], []]
            var isOver = false
            while !isOver {
                isOver = true
                for (index, stream) in streams.enumerated() {
                    guard let more = try await stream.next(frames: 3 + 2 * index) else { continue }
                    samples[index] += more
                    isOver = false
                }
            }
            #expect(samples == alone)
            for stream in streams { await stream.reset() }
        }
        #expect(alone[0] != alone[1])
    }

    @Test func `another seed is another sound`() async throws {
        let ids = try PiperFixture().ids()
        let voice = try await PiperFixture.tiny()
        let (one, other) = (try voice.stream(of: ids, seed: 1), try voice.stream(of: ids, seed: 2))
        let (first, second) = (try await one.all([20]), try await other.all([20]))
        #expect(first != second)
    }

    @Test func `a lane sees the layers, the durations, and stretches of frames`() async throws {
        let quanta = QuantumLog()
        let lane = Lane(name: "cpu") { quanta.append($0.request) }
        let voice = try await PiperFixture.tiny(lane: lane)
        let warmUp = quanta.requests.count
        let urgency = Urgency(.firstAudio, owner: 3, epoch: 2)
        let ids = try PiperFixture().ids()
        let stream = try voice.stream(of: ids, seed: PiperFixture.seed, urgency: urgency)
        _ = try await stream.next(frames: 10)
        urgency.level = .refill(by: .seconds(2))
        _ = try await stream.all([40])
        let requests = quanta.requests.dropFirst(warmUp)
        #expect(requests.allSatisfy { $0.owner == 3 && $0.epoch == 2 })
        #expect(
            requests.prefix(5).map(\.kind.description) == [
                "piper.text", "piper.text", "piper.durations", "piper.flow", "piper.sound",
            ]
        )
        #expect(requests.prefix(5).allSatisfy { $0.quantumClass == .firstAudio })
        #expect(requests.dropFirst(5).allSatisfy { $0.quantumClass == .refill && $0.deadline == .seconds(2) })
        let sound = requests.filter { $0.kind.description == "piper.sound" }
        #expect(sound.map(\.units).reduce(0, +) == (try await stream.durations()).reduce(0, +))
        #expect(requests.allSatisfy { $0.units <= max(PiperStream.flowStretches.upperBound, ids.count) })
    }

    @Test func `a cancelled stream stops, and can be gone on with`() async throws {
        let ids = try PiperFixture().ids()
        let voice = try await PiperFixture.tiny()
        let whole = try await voice.stream(of: ids, seed: 1).all([10])
        let stream = try voice.stream(of: ids, seed: 1)
        var samples = try #require(try await stream.next(frames: 10))
        let task = Task {
            while !Task.isCancelled { await Task.yield() }
            return try await stream.next(frames: 10)
        }
        task.cancel()
        let error = await #expect(throws: VoiceError.self) { _ = try await task.value }
        #expect(error?.code == .cancelled)
        samples += try await stream.all([10])
        #expect(samples == whole)
    }

    @Test(arguments: [[], [-1], [151], [Int32](repeating: 0, count: 1025)])
    func `symbols that are none, and too many of them, are refused`(ids: [Int32]) async throws {
        let voice = try await PiperFixture.tiny()
        let error = #expect(throws: VoiceError.self) { _ = try voice.stream(of: ids, seed: 0) }
        #expect(error?.code == .fault)
    }

    @Test(arguments: [1, 2, 3, 1024]) func `few and many symbols are said`(count: Int) async throws {
        let voice = try await PiperFixture.tiny()
        let ids = (0..<count).map { Int32($0 % 151) }
        let stream = try voice.stream(of: ids, seed: 0)
        let samples = try await stream.all([64])
        let durations = try await stream.durations()
        #expect(samples.count == max(1, durations.reduce(0, +)) * voice.samplesPerFrame)
        #expect(samples.allSatisfy { abs($0) <= 1 })
    }
}
