internal import Inference
internal import Testing
internal import VoiceCore

@testable internal import TurnDetection

@Suite(.enabled(if: ModelFiles.areExpected, "run scripts/bootstrap to fetch the models"))
struct SileroTests {
    private func detector() async throws -> SileroDetector { try await SileroDetector(path: ModelFiles.silero) }

    @Test func `every window equals onnxruntime's to 1e-4`() throws {
        let network = try SileroNetwork(GGUFFile(path: ModelFiles.silero))
        let length = network.hyperparameters.windowLength
        for golden in try Golden.load().voiceActivity {
            let samples = try Golden.audio(golden.file)
            var state = SileroState(network.hyperparameters)
            // Some at a time, as they come after a pause.
            for first in stride(from: 0, to: golden.probabilities.count, by: 3) {
                let windows = first..<min(first + 3, golden.probabilities.count)
                let part = samples[(windows.lowerBound * length)..<(windows.upperBound * length)]
                let probabilities = try network.probabilities(of: part, state: &state) { _ in false }
                try #require(probabilities.count == windows.count)
                for (index, probability) in zip(windows, probabilities) {
                    let error = abs(probability - golden.probabilities[index])
                    try #require(error <= 1e-4, "\(golden.file), window \(index)")
                }
            }
        }
    }

    @Test func `a stream with resets equals Pipecat's to 1e-4`() async throws {
        let detector = try await detector()
        for golden in try Golden.load().voiceActivity {
            let probabilities = try await detector.openStream().feed(Golden.audio(golden.file))
            #expect(probabilities.count == golden.withResets.count)
            for (index, (probability, expected)) in zip(probabilities, golden.withResets).enumerated() {
                try #require(abs(probability - expected) <= 1e-4, "\(golden.file), window \(index)")
            }
        }
    }

    @Test(arguments: [1, 160, 511, 512, 513, 4000]) func `packets of any size give the same probabilities`(
        size: Int
    ) async throws {
        let detector = try await detector()
        let samples = try Array(Golden.audio("noisy.wav").prefix(20_000))
        let whole = try await detector.openStream().feed(samples)
        let stream = try await detector.openStream()
        var probabilities: [Float] = []
        for start in stride(from: 0, to: samples.count, by: size) {
            probabilities += try await stream.feed(Array(samples[start..<min(start + size, samples.count)]))
        }
        #expect(probabilities == whole)
        #expect(whole.count == 20_000 / 512)
    }

    @Test func `a reset stream equals a fresh one`() async throws {
        let detector = try await detector()
        let samples = try Array(Golden.audio("spoken.wav").prefix(16_000))
        let stream = try await detector.openStream()
        _ = try await stream.feed(Golden.audio("noisy.wav") + [0.5])
        try await stream.reset()
        #expect(try await stream.feed(samples) == detector.openStream().feed(samples))
    }

    @Test func `samples that are no numbers are refused and leave nothing behind`() async throws {
        let detector = try await detector()
        let samples = try Array(Golden.audio("spoken.wav").prefix(16_384))
        let stream = try await detector.openStream()
        let before = try await stream.feed(Array(samples[..<8_192]))
        let error = await #expect(throws: VoiceError.self) {
            try await stream.feed([Float](repeating: .nan, count: 512))
        }
        #expect(error?.code == .fault)
        let after = try await stream.feed(Array(samples[8_192...]))
        #expect(try await before + after == detector.openStream().feed(samples))
    }

    @Test func `two interleaved streams equal two alone`() async throws {
        let detector = try await detector()
        let first = try Array(Golden.audio("spoken.wav").prefix(32_000))
        let second = try Array(Golden.audio("two-cities.wav").prefix(32_000))
        let alone = try await (detector.openStream().feed(first), detector.openStream().feed(second))
        let (a, b) = try await (detector.openStream(), detector.openStream())
        var interleaved: ([Float], [Float]) = ([], [])
        for start in stride(from: 0, to: 32_000, by: 320) {
            interleaved.0 += try await a.feed(Array(first[start..<(start + 320)]))
            interleaved.1 += try await b.feed(Array(second[start..<(start + 320)]))
        }
        #expect(interleaved == alone)
    }
}

@Suite struct SileroResetPolicyTests {
    /// 0.2 s are 6 windows and 2 s are 63 at 16 kHz.
    private func resets(_ probabilities: [Float]) -> [Int] {
        var policy = SileroResetPolicy(windowLength: 512, sampleRate: 16_000)
        return probabilities.indices.filter { policy.isResetDue(after: probabilities[$0]) }.map { $0 + 1 }
    }

    @Test func `quiet is reset every two seconds`() {
        #expect(resets([Float](repeating: 0.01, count: 130)) == [63, 126])
    }

    @Test func `speech is never reset`() {
        #expect(resets([Float](repeating: 0.9, count: 300)).isEmpty)
    }

    @Test func `a reset waits for the end of speech and clear silence`() {
        let speech = [Float](repeating: 0.9, count: 70)
        #expect(resets(speech + [Float](repeating: 0.01, count: 10)) == [77])
        #expect(resets(speech + [Float](repeating: 0.3, count: 30)).isEmpty)
    }

    @Test func `one louder window starts the count of clear silence anew`() {
        let quiet = [Float](repeating: 0.01, count: 60)
        #expect(resets(quiet + [0.2] + quiet) == [66])
    }
}
