internal import Inference
internal import Testing
internal import VoiceCore

@testable internal import SpeechSynthesis

/// The codec's public face.
@Suite struct NanoCodecStreamTests {
    @Test func `a stream gives NeMo's samples, and again after a reset`() async throws {
        let fixture = try CodecFixture()
        let codec = try await NanoCodec(path: CodecFixture.model(), configuration: NanoCodec.Configuration(threads: 1))
        #expect(codec.sampleRate == 22_050 && codec.samplesPerFrame == 1024)
        #expect(codec.codebooks == 8 && codec.codebookSize == 120)
        let (frames, stream) = (try fixture.frames(), try await codec.openStream())
        for _ in 0..<2 {
            var samples = try await stream.decode(Array(frames[..<1]))
            samples += try await stream.decode([])
            samples += try await stream.decode(Array(frames[1..<4]))
            samples += try await stream.decode(Array(frames[4...]))
            #expect(shareOfPeak(samples, try fixture.floats("samples")) < 1e-5)
            await stream.reset()
        }
    }

    @Test func `streams at the same time give what each gives alone`() async throws {
        let fixture = try CodecFixture()
        let configuration = NanoCodec.Configuration(streams: 2, threads: 1, lane: Lane(name: "cpu"))
        let codec = try await NanoCodec(path: CodecFixture.model(), configuration: configuration)
        let frames = try fixture.frames()
        let samples = try await withThrowingTaskGroup(of: [Float].self) { group in
            for _ in 0..<2 {
                group.addTask {
                    let stream = try await codec.openStream()
                    var samples: [Float] = []
                    for frame in frames { samples += try await stream.decode([frame]) }
                    return samples
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        for samples in samples { #expect(shareOfPeak(samples, try fixture.floats("samples")) < 1e-5) }
    }

    @Test func `streams that share steps get what each gives alone`() async throws {
        let frames = try CodecFixture().frames()
        // Each says something else.
        let texts = (0..<5).map { Array(frames[(2 * $0)...] + frames[..<(2 * $0)]) }
        let configuration = NanoCodec.Configuration(streams: 5, threads: 1)
        let codec = try await NanoCodec(path: CodecFixture.model(), configuration: configuration)
        var alone: [[Float]] = []
        for text in texts { alone.append(try await codec.openStream().decode(text)) }
        let quanta = QuantumLog()
        var sharing = configuration
        sharing.sharesSteps = true
        sharing.lane = Lane(name: "gpu") { quanta.append($0.request) }
        let shared = try await NanoCodec(path: CodecFixture.model(), configuration: sharing)
        let together = try await withThrowingTaskGroup(of: (Int, [Float]).self) { group in
            for (number, text) in texts.enumerated() {
                group.addTask { (number, try await shared.openStream().decode(text)) }
            }
            return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
        for (number, samples) in alone.enumerated() { #expect(shareOfPeak(together[number] ?? [], samples) < 1e-5) }
        let steps = texts.count * (frames.count / 4 + 1)
        #expect(quanta.requests.count < steps, "nobody shared any of \(steps) steps")
    }

    @Test func `a lane sees quanta of few frames`() async throws {
        let quanta = QuantumLog()
        let lane = Lane(name: "cpu") { quanta.append($0.request) }
        let configuration = NanoCodec.Configuration(threads: 1, lane: lane)
        let codec = try await NanoCodec(path: CodecFixture.model(), configuration: configuration)
        let stream = try await codec.openStream()
        let request = QuantumRequest(NanoCodec.quantumKind, .firstAudio, owner: 3, epoch: 2)
        _ = try await stream.decode(Array(try CodecFixture().frames().prefix(11)), quantum: request)
        #expect(quanta.requests.map(\.units) == [4, 4, 2, 1])
        #expect(quanta.requests.allSatisfy { $0.quantumClass == .firstAudio && $0.owner == 3 && $0.epoch == 2 })
    }

    @Test func `only so many streams can be open`() async throws {
        let configuration = NanoCodec.Configuration(streams: 1, threads: 1)
        let codec = try await NanoCodec(path: CodecFixture.model(), configuration: configuration)
        do {
            let stream = try await codec.openStream()
            let error = await #expect(throws: VoiceError.self) { _ = try await codec.openStream() }
            #expect(error?.code == .exhausted)
            await stream.reset()
        }
        _ = try await codec.openStream()
    }

    @Test func `a stream that was cancelled asks for a reset`() async throws {
        let fixture = try CodecFixture()
        let codec = try await NanoCodec(path: CodecFixture.model(), configuration: NanoCodec.Configuration(threads: 1))
        let (frames, stream) = (try fixture.frames(), try await codec.openStream())
        let task = Task {
            while !Task.isCancelled { await Task.yield() }
            return try await stream.decode(frames)
        }
        task.cancel()
        let cancelled = await #expect(throws: VoiceError.self) { _ = try await task.value }
        #expect(cancelled?.code == .cancelled)
        await #expect(throws: VoiceError.self) { _ = try await stream.decode(frames) }
        await stream.reset()
        #expect(shareOfPeak(try await stream.decode(frames), try fixture.floats("samples")) < 1e-5)
    }

    @Test func `codes that are none do not break a stream`() async throws {
        let fixture = try CodecFixture()
        let codec = try await NanoCodec(path: CodecFixture.model(), configuration: NanoCodec.Configuration(threads: 1))
        let (frames, stream) = (try fixture.frames(), try await codec.openStream())
        let error = await #expect(throws: VoiceError.self) {
            _ = try await stream.decode(frames + [[Int32](repeating: 2017, count: 8)])
        }
        #expect(error?.code == .fault)
        #expect(shareOfPeak(try await stream.decode(frames), try fixture.floats("samples")) < 1e-5)
    }
}
