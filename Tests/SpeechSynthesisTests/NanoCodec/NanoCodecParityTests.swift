internal import Inference
internal import Testing
internal import VoiceCore

@testable internal import SpeechSynthesis

/// The decoder against NeMo 3.0.0 on a tiny random model in NVIDIA's layout: within 1e-5 of the peak, which is the order of
/// summation; streaming against itself, sample for sample.
@Suite struct NanoCodecParityTests {
    private static let bound: Float = 1e-5
    private static let paths = [NanoCodecDecoder.Path.fastest, .plain]
    private static let stages = ["pre"] + (0..<5).flatMap { ["up\($0)", "res\($0)"] }

    @Test(arguments: paths) func `every stage equals NeMo's`(path: NanoCodecDecoder.Path) throws {
        let (fixture, decoder) = (try CodecFixture(), try CodecFixture.decoder(path, keepsStages: true))
        let work = NanoCodecDecoder.Work(slot: 1, frames: Array(try fixture.frames().prefix(2)))
        let stages = try decoder.stages(work)
        #expect(stages.keys.sorted() == Self.stages.sorted())
        for name in Self.stages {
            let actual = try #require(stages[name])
            #expect(shareOfPeak(actual, try fixture.floats("two.\(name)")) < Self.bound, "\(name)")
        }
    }

    @Test(arguments: paths) func `samples equal NeMo's`(path: NanoCodecDecoder.Path) throws {
        let (fixture, decoder) = (try CodecFixture(), try CodecFixture.decoder(path))
        let samples = try decoder.step([NanoCodecDecoder.Work(slot: 0, frames: try fixture.frames())])[0]
        #expect(samples.count == 26 * 1024)
        #expect(shareOfPeak(samples, try fixture.floats("samples")) < Self.bound)
        // The clamp is at work.
        #expect(samples.contains { abs($0) == 1 } && samples.allSatisfy { abs($0) <= 1 })
    }

    @Test(arguments: paths) func `threads share the work of a step`(path: NanoCodecDecoder.Path) throws {
        let (fixture, decoder) = (try CodecFixture(), try CodecFixture.decoder(path, threads: 3))
        let frames = Array(try fixture.frames().prefix(3))
        let samples = try decoder.step([NanoCodecDecoder.Work(slot: 0, frames: frames)])[0]
        let expected = try fixture.floats("samples")
        let peak = expected.map(abs).reduce(0, max)
        let worst = zip(samples, expected).map { abs($0 - $1) }.reduce(0, max)
        #expect(samples.count == 3 * 1024 && worst < Self.bound * peak)
    }

    /// Chunk sizes; 0 is a random sequence.
    @Test(arguments: paths, [1, 2, 3, 5, 7, 0]) func `chunks of any size give the samples of the whole`(
        path: NanoCodecDecoder.Path,
        size: Int
    ) throws {
        let (fixture, decoder) = (try CodecFixture(), try CodecFixture.decoder(path))
        let frames = try fixture.frames()
        let whole = try decoder.step([NanoCodecDecoder.Work(slot: 0, frames: frames)])[0]
        var generator = SplitMix64(seed: 5)
        var (samples, position): ([Float], Int) = ([], 0)
        while position < frames.count {
            let wanted = size > 0 ? size : 1 + Int(generator.next() % 6)
            let chunk = Array(frames[position..<min(position + wanted, frames.count)])
            let part = try decoder.step([NanoCodecDecoder.Work(slot: 2, frames: chunk)])[0]
            #expect(part.count == chunk.count * 1024)
            samples += part
            position += chunk.count
        }
        #expect(shareOfPeak(samples, whole) < Self.bound)
        #expect(shareOfPeak(samples, try fixture.floats("samples")) < Self.bound)
    }

    @Test(arguments: paths) func `streams that step together do not hear each other`(path: NanoCodecDecoder.Path) throws
    {
        let (fixture, decoder) = (try CodecFixture(), try CodecFixture.decoder(path))
        let frames = try fixture.frames()
        let others = Array(frames.reversed())
        let alone = try [frames, others].map { try decoder.step([NanoCodecDecoder.Work(slot: 3, frames: $0)])[0] }
        // The second one began in the state that the first one left.
        #expect(shareOfPeak(alone[0], try fixture.floats("samples")) < Self.bound)
        decoder.clear(3)
        let other = try decoder.step([NanoCodecDecoder.Work(slot: 3, frames: others)])[0]
        #expect(shareOfPeak(alone[1], other) > 1e-3)
        var (first, second): ([Float], [Float]) = ([], [])
        for index in stride(from: 0, to: 26, by: 2) {
            let range = index..<(index + 2)
            if index % 4 == 0 {
                let both = try decoder.step([
                    NanoCodecDecoder.Work(slot: 2, frames: Array(others[range])),
                    NanoCodecDecoder.Work(slot: 0, frames: Array(frames[range])),
                ])
                second += both[0]
                first += both[1]
            } else {
                first += try decoder.step([NanoCodecDecoder.Work(slot: 0, frames: Array(frames[range]))])[0]
                second += try decoder.step([NanoCodecDecoder.Work(slot: 2, frames: Array(others[range]))])[0]
            }
        }
        #expect(shareOfPeak(first, alone[0]) < Self.bound)
        #expect(shareOfPeak(second, other) < Self.bound)
    }

    @Test func `our own loops equal ggml's operations`() throws {
        let frames = try CodecFixture().frames()
        let work = NanoCodecDecoder.Work(slot: 0, frames: frames)
        let samples = try Self.paths.map { try CodecFixture.decoder($0).step([work])[0] }
        #expect(shareOfPeak(samples[0], samples[1]) < Self.bound)
    }

    @Test func `a step with a code that is none changes nothing`() throws {
        let (fixture, decoder) = (try CodecFixture(), try CodecFixture.decoder(.fastest))
        let frames = try fixture.frames()
        var samples = try decoder.step([NanoCodecDecoder.Work(slot: 0, frames: Array(frames[0..<3]))])[0]
        // A special token of the language model.
        let bad = [[Int32](repeating: 120, count: 8)]
        let error = #expect(throws: VoiceError.self) {
            try decoder.step([NanoCodecDecoder.Work(slot: 0, frames: bad)])
        }
        #expect(error?.code == .fault)
        #expect(throws: VoiceError.self) {
            try decoder.step([
                NanoCodecDecoder.Work(slot: 0, frames: frames), NanoCodecDecoder.Work(slot: 1, frames: []),
            ])
        }
        #expect(try decoder.step([NanoCodecDecoder.Work(slot: 0, frames: [])]) == [[]])
        samples += try decoder.step([NanoCodecDecoder.Work(slot: 0, frames: Array(frames[3...]))])[0]
        #expect(shareOfPeak(samples, try fixture.floats("samples")) < Self.bound)
    }
}
