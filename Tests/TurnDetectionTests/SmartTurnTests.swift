internal import Inference
internal import Testing
internal import VoiceCore

@testable internal import TurnDetection

@Suite(.enabled(if: ModelFiles.areExpected, "run scripts/bootstrap to fetch the models"))
struct SmartTurnTests {
    private func network(rounding: Bool = true) throws -> SmartTurnNetwork {
        try SmartTurnNetwork(GGUFFile(path: ModelFiles.smartTurn), on: ComputeStream(on: .cpu()), rounding: rounding)
    }

    @Test func `every clip equals onnxruntime's F32 graph to 1e-4`() throws {
        let network = try network(rounding: false)
        for turn in try Golden.load().turns {
            let probability = try network.endProbability(ofTurn: turn.samples())
            #expect(abs(probability - turn.probability) <= 1e-4, "\(turn.name)")
        }
    }

    @Test func `rounded to 8 bits every clip is close to that`() throws {
        let network = try network()
        for turn in try Golden.load().turns {
            let probability = try network.endProbability(ofTurn: turn.samples())
            #expect(abs(probability - turn.probability) <= 0.1, "\(turn.name)")
        }
    }

    @Test func `the features equal Whisper's`() throws {
        let file = try GGUFFile(path: ModelFiles.smartTurn)
        let logMel = try #require(LogMel(SmartTurnHyperparameters(file)))
        let golden = try Golden.load()
        let turn = try #require(golden.turns.first { $0.name == golden.melClip })
        let features = try logMel.features(of: turn.samples())
        let expected = try Golden.floats("mel.f32")
        try #require(features.count == expected.count)
        let worst = zip(features, expected).map { abs($0 - $1) }.max()
        #expect(try #require(worst) <= 5e-5)
    }

    @Test func `silence is not a finished turn`() async throws {
        let detector = try await SmartTurnDetector(path: ModelFiles.smartTurn)
        #expect(try await detector.endProbability(ofTurn: []) == 0)
        #expect(try await detector.endProbability(ofTurn: [Float](repeating: 0, count: 40_000)) == 0)
        let speechLongAgo = [0.5] + [Float](repeating: 0, count: 128_000)
        #expect(try await detector.endProbability(ofTurn: speechLongAgo) == 0)
    }

    @Test(arguments: [Float.nan, .infinity]) func `audio that is not finite has no verdict`(sample: Float) throws {
        let network = try network()
        var turn = [Float](repeating: 0.1, count: 20_000)
        turn[7_000] = sample
        let error = #expect(throws: VoiceError.self) { try network.endProbability(ofTurn: turn) }
        #expect(error?.code == .fault)
    }

    @Test func `a verdict depends on the last eight seconds alone`() throws {
        let network = try network()
        let reading = try Golden.audio("two-cities.wav")
        let verdict = try network.endProbability(ofTurn: Array(reading[..<200_000]))
        #expect(try network.endProbability(ofTurn: Array(reading[72_000..<200_000])) == verdict)
    }

    @Test func `a cancelled verdict is not computed`() async throws {
        let detector = try await SmartTurnDetector(path: ModelFiles.smartTurn)
        let code = await withTaskGroup(of: VoiceError.Code?.self) { group in
            group.addTask {
                withUnsafeCurrentTask { $0?.cancel() }
                do throws(VoiceError) {
                    _ = try await detector.endProbability(ofTurn: [0.5, 0.25])
                    return nil
                } catch { return error.code }
            }
            return await group.next() ?? nil
        }
        #expect(code == .cancelled)
    }
}
