internal import Inference

@testable internal import SpeechRecognition

/// An encoder and a transducer without the engine around them.
final class EncoderBench {
    let h: NemotronHyperparameters
    let encoder: StreamingEncoder
    let transducer: Transducer
    let prompts: LanguagePrompts
    private let tables: LogMelTables

    init(_ fixture: String, slots: Int = 4) throws {
        let file = try GGUFFile(path: Golden.path(fixture))
        h = try NemotronHyperparameters(file)
        let stream = try ComputeStream(on: .cpu())
        encoder = try StreamingEncoder(file, h, slots: slots, on: stream)
        transducer = try Transducer(file, h, on: stream)
        tables = try NemotronRecognizer.tables(file, h)
        prompts = try LanguagePrompts(file, h)
    }

    /// The features of a whole recording.
    func features(_ audio: [Float]) -> [Float] {
        var logMel = LogMel(tables)
        var features: [Float] = []
        logMel.feed(audio, into: &features)
        logMel.flush(into: &features)
        return features
    }

    /// A stream's frames, as the joint network does not see them yet.
    func encode(
        _ features: [Float],
        lookahead: Int,
        limit: Int = 1,
        ends: Bool = false,
        prompt: Int = 0
    ) throws -> [[Float]] {
        encoder.clear(1)
        return try chunks(features, lookahead: lookahead, limit: limit, ends: ends).flatMap { chunk in
            try encoder.step([StreamingEncoder.Work(slot: 1, chunk: chunk, prompt: prompt)], keepingFrames: true)[0]
                .frames
        }
    }

    /// A stream's tokens, step by step.
    func tokens(
        _ features: [Float],
        lookahead: Int,
        limit: Int = 1,
        booster: PhraseBooster? = nil,
        prompt: Int = 0
    ) throws -> [EmittedToken] {
        encoder.clear(2)
        var state = GreedySearch.State(predictor: try transducer.beginning(), booster: booster)
        var tokens: [EmittedToken] = []
        for chunk in chunks(features, lookahead: lookahead, limit: limit) {
            let result = try encoder.step([StreamingEncoder.Work(slot: 2, chunk: chunk, prompt: prompt)])[0]
            var work = [GreedySearch.Work(state: state, frames: result.projected, firstFrame: chunk.position)]
            try GreedySearch(transducer: transducer).decode(&work)
            state = work[0].state
            tokens += work[0].tokens
        }
        return tokens
    }

    private func chunks(_ features: [Float], lookahead: Int, limit: Int, ends: Bool = false) -> [EncoderChunk] {
        var cutter = ChunkCutter(bands: h.melBands, lookahead: lookahead)
        cutter.append(features)
        var chunks: [EncoderChunk] = []
        while let chunk = cutter.next(limit: limit) { chunks.append(chunk) }
        if ends, let rest = cutter.rest() { chunks.append(rest) }
        return chunks
    }
}
