internal import Inference
internal import Testing
internal import VoiceCore

@testable internal import SpeechSynthesis

/// Whole utterances on the tiny model: as NeMo speaks them, alone and together.
@Suite struct MagpieStreamTests {
    private func model(
        _ precision: MagpiePrecision = .single,
        streams: Int = 4,
        threads: Int = 1,
        isPlain: Bool = false,
        lane: Lane? = nil
    ) async throws -> MagpieModel {
        try await MagpieModel(
            path: MagpieGolden.path(MagpieGolden.model),
            configuration: MagpieModel.Configuration(
                streams: streams,
                threads: threads,
                device: .cpu(),
                isPlain: isPlain,
                precision: precision,
                textVocabulary: nil,
                lane: lane
            )
        )
    }

    /// All frames of a stream, and what it ended with.
    private func frames(_ stream: MagpieStream) async throws -> (frames: [MagpieFrame], truncated: [Int]) {
        var frames: [MagpieFrame] = []
        while true {
            switch try await stream.step() {
            case .frame(let frame): frames.append(frame)
            case .end(let truncated): return (frames, truncated)
            }
        }
    }

    /// A text of the golden data without its end, which the stream adds.
    private func text(_ golden: MagpieGolden, _ name: String = "text") throws -> [Int32] {
        Array(try golden.integers(name).dropLast())
    }

    @Test(arguments: [1, 2], [false, true])
    func `a greedy run has NeMo's codes and pointer, and ends where NeMo's ends`(
        threads: Int,
        isPlain: Bool
    ) async throws {
        let (golden, model) = (try MagpieGolden(), try await model(threads: threads, isPlain: isPlain))
        let spoken = try await frames(model.stream([try text(golden)], speaker: MagpieBench.speaker))
        let codes = try golden.integerRows("run.codes")
        #expect(spoken.frames.map(\.codes) == codes)
        #expect(spoken.frames.map { Int32($0.token) } == Array(try golden.integers("run.pointer").prefix(codes.count)))
        #expect(spoken.truncated.isEmpty)
        #expect(codes.count < model.maximumFrames)
    }

    @Test func `sentences one after the other have NeMo's codes, each with those before in view`() async throws {
        let (golden, model) = (try MagpieGolden(), try await model())
        let texts = try (0..<3).map { try text(golden, "sentences.\($0).text") }
        let spoken = try await frames(model.stream(texts, speaker: MagpieBench.speaker))
        for number in 0..<3 {
            let expected = try golden.integerRows("sentences.\(number).codes")
            #expect(spoken.frames.filter { $0.text == number }.map(\.codes) == expected, "sentence \(number)")
        }
        let isSorted = zip(spoken.frames, spoken.frames.dropFirst()).allSatisfy { first, second in
            (first.text, first.token) <= (second.text, second.token)
        }
        #expect(isSorted)
        #expect(spoken.frames.allSatisfy { $0.token >= 0 && $0.token <= texts[$0.text].count })
    }

    @Test(arguments: [MagpiePrecision.single, .eightBit], [false, true])
    func `streams that speak together say what each says alone`(
        precision: MagpiePrecision,
        isPlain: Bool
    ) async throws {
        let (golden, model) = (try MagpieGolden(), try await model(precision, isPlain: isPlain))
        let texts = [try text(golden)] + (try (0..<3).map { try text(golden, "sentences.\($0).text") })
        let sampling = MagpieSampling(temperature: 0.7, topK: 20, guidance: 2.5, seed: 7)
        var alone: [[MagpieFrame]] = []
        for (index, text) in texts.enumerated() {
            alone.append(try await frames(model.stream([text], speaker: index % 2, sampling: sampling)).frames)
        }
        let together = try await withThrowingTaskGroup(of: (Int, [MagpieFrame]).self) { group in
            for (index, text) in texts.enumerated() {
                // Nobody waits for these: they gather.
                let stream = try model.stream(
                    [text],
                    speaker: index % 2,
                    sampling: sampling,
                    urgency: Urgency(.refill(by: nil))
                )
                group.addTask { (index, try await self.frames(stream).frames) }
            }
            var all = [[MagpieFrame]](repeating: [], count: texts.count)
            for try await (index, frames) in group { all[index] = frames }
            return all
        }
        #expect(together == alone)
        #expect(Set(alone.map(\.count)).count > 1 || alone.allSatisfy { !$0.isEmpty })
    }

    @Test func `two streams in one run of the decoder give what each gives in its own`() throws {
        let (golden, bench) = (try MagpieGolden(), try MagpieBench())
        let texts = [try golden.integers("text"), try golden.integers("sentences.1.text")]
        let codes = try golden.integerRows("forced.codes")
        func work(_ seat: Int, _ frame: Int, shifted: Int) -> Decoder.Work {
            let before = frame > 0 ? codes[(frame - 1 + shifted) % codes.count] : nil
            return Decoder.Work(seat: seat, codes: before, frame: frame, textLength: texts[shifted].count, prior: nil)
        }
        var alone: [[Float]] = [[], []]
        for index in 0..<2 {
            try bench.begin(seat: 0, texts[index])
            for frame in 0..<6 {
                let result = try bench.decoder.step([work(0, frame, shifted: index)])[0]
                alone[index] += result.conditional + result.unconditional + result.attention
            }
        }
        try bench.begin(seat: 0, texts[0], speaker: 1)
        try bench.begin(seat: 2, texts[1], speaker: 1)
        var together: [[Float]] = [[], []]
        for frame in 0..<6 {
            let results = try bench.decoder.step([work(2, frame, shifted: 1), work(0, frame, shifted: 0)])
            for (index, result) in zip([1, 0], results) {
                together[index] += result.conditional + result.unconditional + result.attention
            }
        }
        // Not bit by bit: texts are padded to the longest, and sums over them grouped otherwise.
        for index in 0..<2 { #expect(MagpieGolden.error(together[index], alone[index]) < 1e-5) }
    }

    @Test func `a seat that was used before changes nothing`() async throws {
        let (golden, model) = (try MagpieGolden(), try await model(streams: 1))
        let text = try text(golden)
        func once() async throws -> [MagpieFrame] { try await frames(model.stream([text], speaker: 1)).frames }
        let first = try await once()
        _ = try await frames(model.stream([Array(text.reversed()) + text], speaker: 0))
        try await leaveInTheMiddle(model, text)
        #expect(try await once() == first)
    }

    /// Takes the only seat, drops the stream within a sentence.
    private func leaveInTheMiddle(_ model: MagpieModel, _ text: [Int32]) async throws {
        let stream = try model.stream([text, text], speaker: 0)
        for _ in 0..<3 { _ = try await stream.step() }
        let error = #expect(throws: VoiceError.self) { _ = try model.stream([text]) }
        #expect(error?.code == .exhausted)
        _ = try await stream.step()
    }

    @Test func `the same seed says the same, another one something else`() async throws {
        let (golden, model) = (try MagpieGolden(), try await model())
        let text = try text(golden)
        func spoken(_ seed: UInt64) async throws -> [[Int32]] {
            let sampling = MagpieSampling(temperature: 1, topK: 80, guidance: 2.5, seed: seed)
            return try await frames(model.stream([text], sampling: sampling)).frames.map(\.codes)
        }
        let first = try await spoken(3)
        #expect(try await spoken(3) == first)
        #expect(try await spoken(4) != first)
    }

    @Test func `a text that does not end is cut off at the most frames, and that is said`() async throws {
        let (golden, model) = (try MagpieGolden(), try await model())
        let text = try text(golden)
        // Far from the best codes the end is one of many.
        let sampling = MagpieSampling(temperature: 0, topK: 1, guidance: 0)
        let spoken = try await frames(model.stream([text, text], sampling: sampling))
        for number in 0..<2 where spoken.truncated.contains(number) {
            #expect(spoken.frames.count { $0.text == number } == model.maximumFrames)
        }
        #expect(spoken.frames.allSatisfy { $0.codes.allSatisfy { $0 >= 0 && Int($0) < model.codebooks.size } })
    }

    @Test func `a cancelled stream stops before its next frame, and others go on`() async throws {
        let (golden, model) = (try MagpieGolden(), try await model(lane: Lane(name: "test")))
        let text = try text(golden)
        let expected = try await frames(model.stream([text], speaker: 1)).frames
        let other = try model.stream([text], speaker: 1, urgency: Urgency(.refill(by: nil)))
        let cancelled = try model.stream([text], speaker: 0)
        async let spoken = frames(other)
        let task = Task {
            _ = try await cancelled.step()
            withUnsafeCurrentTask { $0?.cancel() }
            _ = try await cancelled.step()
        }
        let error = await #expect(throws: VoiceError.self) { try await task.value }
        #expect(error?.code == .cancelled)
        #expect(try await spoken.frames == expected)
        // The cancelled stream itself is not harmed.
        #expect(try await frames(cancelled).frames.isEmpty == false)
    }

    @Test func `texts and speakers that do not exist are refused`() async throws {
        let model = try await model(streams: 1)
        func code(_ body: () throws -> Void) -> VoiceError.Code? {
            (#expect(throws: VoiceError.self) { try body() })?.code
        }
        for text in [[], [-1], [58], [59], [Int32.max], [Int32](repeating: 1, count: model.maximumTokens + 1)] {
            #expect(code { _ = try model.stream([text]) } == .usage)
        }
        #expect(code { _ = try model.stream([[1]], speaker: 2) } == .usage)
        #expect(code { _ = try model.stream([[1]], speaker: -1) } == .usage)
        for sampling in [
            MagpieSampling(temperature: .nan, topK: 1, guidance: 1),
            MagpieSampling(temperature: -1, topK: 1, guidance: 1),
            MagpieSampling(temperature: 1, topK: 0, guidance: 1),
            MagpieSampling(temperature: 1, topK: 1, guidance: .infinity),
        ] { #expect(code { _ = try model.stream([[1]], sampling: sampling) } == .usage) }
        let only = try model.stream([[1]])
        #expect(code { _ = try model.stream([[1]]) } == .exhausted)
        #expect(try await frames(only).frames.isEmpty == false)
        #expect(model.speaker(named: "second") == 1)
        #expect(model.speaker(named: "third") == nil)
    }

    @Test(arguments: [false, true])
    func `a text begins layer by layer on a CPU, in few quanta elsewhere, and loading takes none`(
        isPlain: Bool
    ) async throws {
        let (quanta, h) = (QuantumLog(), try MagpieBench().h)
        let model = try await model(isPlain: isPlain, lane: Lane(name: "test") { quanta.append($0.request) })
        #expect(quanta.requests.isEmpty)
        _ = try await model.stream([try text(MagpieGolden())]).step()
        func count(_ step: String) -> Int { quanta.requests.count { $0.kind.description == "tts.\(step)" } }
        #expect(count("text") == (isPlain ? (h.encoderLayers + 5) / 6 : h.encoderLayers))
        #expect(count("voice") == (isPlain ? (h.decoderLayers + 5) / 6 : h.decoderLayers))
        #expect(count("frame") == 1)
    }

    @Test func `no text is nothing to say`() async throws {
        let model = try await model(streams: 1)
        #expect(try await model.stream([]).step() == .end(truncated: []))
    }
}
