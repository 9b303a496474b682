internal import Foundation
package import Inference
package import VoiceCore

/// NVIDIA's Magpie TTS on ggml: tokens of a text in, frames of codec codes out, by NVIDIA's GGUF files as they are.
///
/// All streams share one engine and its thread; those that speak at the same time step together. Where there is a GPU all stages compute
/// there.
package struct MagpieModel: Sendable {
    /// How a model is loaded and how much it may hold.
    package struct Configuration: Sendable {
        /// Streams that can be open at the same time; each takes about 75 KB per frame that it has spoken of one text.
        package var streams: Int
        /// CPU threads; nil for a number that suits this machine.
        package var threads: Int?
        /// Where to compute; nil for a GPU if there is one, else the CPU.
        package var device: Device?
        /// True to compute on a CPU as elsewhere: attention with ggml's own operations, six layers of a text's beginning at once. To
        /// compare the two.
        package var isPlain: Bool
        /// How matrices are kept.
        package var precision: MagpiePrecision
        /// The rows that the text embedding has to have, so that tokens mean what the caller thinks; nil where the caller
        /// looks at ``MagpieModel/textVocabulary`` itself.
        package var textVocabulary: Int?
        /// The device's lane, where other engines compute on it too.
        package var lane: Lane?

        /// Makes a configuration.
        package init(
            streams: Int = 4,
            threads: Int? = nil,
            device: Device? = nil,
            isPlain: Bool = false,
            precision: MagpiePrecision = .eightBit,
            textVocabulary: Int? = MagpieModel.knownVocabulary,
            lane: Lane? = nil
        ) {
            self.streams = streams
            self.threads = threads
            self.device = device
            self.isPlain = isPlain
            self.precision = precision
            self.textVocabulary = textVocabulary
            self.lane = lane
        }
    }

    /// Rows of the text embedding of `magpie_tts_multilingual_357m.v2602`, whose tokens are known.
    package static let knownVocabulary = 2362

    /// The sound that a frame becomes: 46.44 ms.
    package static let frameDuration =
        Duration.seconds(1) * MagpieHyperparameters.frameLength / MagpieHyperparameters.sampleRate

    /// The model's name.
    package let name: String
    /// The speakers' names, in the order of their numbers.
    package let speakers: [String]
    /// Rows of the text embedding. A text has tokens below this less two: those are its beginning and its end.
    package var textVocabulary: Int { engine.h.textVocabulary }
    /// Tokens that one text can have.
    package var maximumTokens: Int { engine.h.maximumText - 1 - MagpieUtterance.historyTokens }
    /// Frames that one text can have.
    package var maximumFrames: Int { engine.h.maximumFrames }
    /// Codes of a frame, and how many values each can have.
    package var codebooks: (count: Int, size: Int) { (engine.h.codebooks, engine.h.codes) }
    /// How the model wants its codes to be drawn.
    package var sampling: MagpieSampling { engine.defaults.sampling }

    private let engine: MagpieEngine

    private static let streamCounts = 1...256

    /// Loads a model and warms it up.
    /// - Throws: ``VoiceError/Code/missingInput`` when there is no such file, ``VoiceError/Code/malformedInput`` when it is
    ///   damaged, not such a model or one whose tokens are not known, ``VoiceError/Code/exhausted`` when it does not fit into
    ///   memory, ``VoiceError/Code/usage`` for a configuration without meaning.
    package init(path: String, configuration: Configuration = Configuration()) async throws(VoiceError) {
        guard Self.streamCounts.contains(configuration.streams) else {
            throw VoiceError(.usage, "\(configuration.streams) streams cannot be had; choose \(Self.streamCounts).")
        }
        let executor = EngineExecutor(name: "magpie")
        let file = try await executor.run { () throws(VoiceError) in try GGUFFile(path: path) }
        let h = try MagpieHyperparameters(file)
        if let known = configuration.textVocabulary, known != h.textVocabulary {
            throw file.unsuitable(
                "it knows \(h.textVocabulary) text tokens; only models with \(known) are understood, and with another "
                    + "vocabulary every text would be mispronounced"
            )
        }
        let defaults = try MagpieDefaults(file, h)
        speakers = try file.strings("magpietts.speaker_names")
        guard speakers.count == h.speakers else {
            throw file.unsuitable("it names \(speakers.count) speakers and has \(h.speakers)")
        }
        name =
            (try? file.string("general.name")) ?? URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
        let threads = configuration.threads ?? Self.suitableThreads
        let device = if let device = configuration.device { device } else { try Device.best() }
        engine = try await executor.run { () throws(VoiceError) in
            try MagpieEngine(
                file,
                h,
                defaults,
                precision: configuration.precision,
                streams: configuration.streams,
                isPlain: configuration.isPlain,
                on: ComputeStream(on: device, threads: threads),
                lane: configuration.lane,
                executor: executor
            )
        }
        try await engine.warmUp()
    }

    /// Begins to speak; nothing is computed before the first ``MagpieStream/step()``.
    /// - Parameters:
    ///   - texts: tokens of sentences, without the token that ends a text. They are spoken one after the other, each with
    ///     the end of those before it in view. A text is what is said in about 20 s at most.
    ///   - speaker: the speaker's number.
    ///   - sampling: how codes are drawn; nil for the model's own way.
    ///   - urgency: whose work it is and how pressing; nil where somebody waits for the first sound.
    /// - Throws: ``VoiceError/Code/usage`` for a text that is empty, too long or has tokens that do not exist, and for a
    ///   speaker or a way of sampling that does not exist; ``VoiceError/Code/exhausted`` when all streams are in use.
    package func stream(
        _ texts: [[Int32]],
        speaker: Int = 0,
        sampling: MagpieSampling? = nil,
        urgency: Urgency? = nil
    ) throws(VoiceError) -> MagpieStream {
        guard speakers.indices.contains(speaker) else {
            throw VoiceError(.usage, "There is no speaker \(speaker); the model has \(speakers.count).")
        }
        let sampling = sampling ?? self.sampling
        guard sampling.temperature >= 0, sampling.temperature.isFinite, sampling.guidance.isFinite, sampling.topK > 0
        else { throw VoiceError(.usage, "Codes cannot be drawn by \(sampling).") }
        return MagpieStream(
            engine: engine,
            seat: try StreamSeat(engine.seats, of: "streams of the voice"),
            utterance: MagpieUtterance(texts: try complete(texts), speaker: speaker, sampling: sampling),
            urgency: urgency ?? Urgency(.firstAudio)
        )
    }

    /// How long the stages took since the last call, all streams together.
    package func takeTimes() async -> MagpieTimes { await engine.takeTimes() }

    /// The number of a speaker by name, whatever its case; nil when there is none.
    package func speaker(named name: String) -> Int? {
        speakers.firstIndex { $0.lowercased() == name.lowercased() }
    }

    /// Texts with the token that ends them, each checked.
    private func complete(_ texts: [[Int32]]) throws(VoiceError) -> [[Int32]] {
        let h = engine.h
        var complete: [[Int32]] = []
        for text in texts {
            guard !text.isEmpty, text.count <= maximumTokens else {
                throw VoiceError(.usage, "A text has \(text.count) tokens, not 1 to \(maximumTokens). Split it.")
            }
            // The last two are beginning and end.
            if let wrong = text.first(where: { $0 < 0 || Int($0) >= h.textVocabulary - 2 }) {
                throw VoiceError(.usage, "There is no text token \(wrong); the model has \(h.textVocabulary - 2).")
            }
            complete.append(text + [Int32(h.textEnd)])
        }
        return complete
    }

    /// Half of the processors, at most four: see `NemotronRecognizer`.
    private static var suitableThreads: Int { min(4, max(1, ProcessInfo.processInfo.activeProcessorCount / 2)) }
}
