internal import Foundation
package import Inference
package import VoiceCore

/// A Piper voice on ggml: symbols become sound. ``PiperSynthesizer`` makes symbols of text.
///
///     let voice = try await PiperVoice(path: "piper-joe.gguf")
///     let stream = try voice.stream(of: ids, seed: 1)
///     while let samples = try await stream.next(frames: 16) { … }
///
/// All streams share one engine and its thread.
package struct PiperVoice: Sendable {
    /// How a voice is loaded.
    package struct Configuration: Sendable {
        /// CPU threads at most; nil for two where there are as many processors.
        package var threads: Int?
        /// The device's lane, where other engines compute on it too.
        package var lane: Lane?

        /// Makes a configuration.
        package init(threads: Int? = nil, lane: Lane? = nil) {
            self.threads = threads
            self.lane = lane
        }
    }

    /// The voice's own name, for example `joe`.
    package var name: String { engine.h.voice }
    /// The rate of its sound.
    package let sampleRate: SampleRate
    /// Samples of a frame.
    package var samplesPerFrame: Int { engine.h.hop }

    private let engine: PiperEngine

    /// The most symbols of one sentence: far more than a breath.
    package static let maximumSymbols = 1024

    /// Loads a voice. Takes about as long as the disk needs for the file.
    /// - Throws: ``VoiceError/Code/missingInput`` when there is no such file, ``VoiceError/Code/malformedInput`` when it is
    ///   damaged or no such voice, ``VoiceError/Code/exhausted`` when it does not fit into memory,
    ///   ``VoiceError/Code/unavailable`` when the processor lacks what it needs.
    package init(path: String, configuration: Configuration = Configuration()) async throws(VoiceError) {
        let executor = EngineExecutor(name: "piper")
        let file = try await executor.run { () throws(VoiceError) in try GGUFFile(path: path) }
        let h = try PiperHyperparameters(file)
        sampleRate = SampleRate(h.sampleRate)
        let threads = configuration.threads ?? Self.suitableThreads
        engine = try await executor.run { () throws(VoiceError) in
            try PiperEngine(file, h, threads: max(1, threads), lane: configuration.lane, executor: executor)
        }
        try await warmUp()
    }

    /// Begins to say a sentence.
    /// - Parameters:
    ///   - ids: its symbols' numbers.
    ///   - seed: what chance there is in the sound follows from it.
    ///   - urgency: how pressing it is.
    /// - Throws: ``VoiceError/Code/fault`` for no symbols, too many, or numbers that the voice does not have.
    package func stream(
        of ids: [Int32],
        seed: UInt64,
        urgency: Urgency = Urgency(.firstAudio)
    ) throws(VoiceError) -> PiperStream {
        guard (1...Self.maximumSymbols).contains(ids.count) else {
            throw VoiceError(
                .fault,
                "A sentence of \(ids.count) symbols cannot be said; 1 to \(Self.maximumSymbols) can."
            )
        }
        guard let wrong = ids.first(where: { $0 < 0 || $0 >= engine.h.vocabulary }) else {
            return PiperStream(engine: engine, ids: ids, seed: seed, urgency: urgency)
        }
        throw VoiceError(.fault, "The voice '\(name)' has no symbol \(wrong).")
    }

    /// How long the stages took since the last call.
    package func takeTimes() async -> PiperTimes { await engine.takeTimes() }

    /// The voice's alphabet.
    var symbols: PiperSymbols { PiperSymbols(engine.h) }

    /// A quantum takes no processor on which another engine or program computes (``ComputeStream``), so both are there only
    /// while nobody else wants them: while the person waits for the first sound.
    private static var suitableThreads: Int { min(2, ProcessInfo.processInfo.activeProcessorCount) }

    /// Says something to nobody, so that memory is mapped before the first sentence.
    private func warmUp() async throws(VoiceError) {
        let ids = [Int32](repeating: engine.h.pad, count: 32)
        let stream = try stream(of: ids, seed: 0, urgency: Urgency(.background))
        _ = try await stream.next(frames: 16)
        _ = await takeTimes()
    }
}
