internal import Foundation
package import Inference
package import VoiceCore

/// NVIDIA's NanoCodec decoder on ggml, by NVIDIA's GGUF files as they are: codes of a speech model become sound.
///
///     let codec = try await NanoCodec(path: "nemo_nano_codec_22khz_1.89kbps_21.5fps.decoder.f16.gguf")
///     let stream = try await codec.openStream()
///     let samples = try await stream.decode(frames)
///
/// The decoder is causal and streams keep what it reaches back to: chunks of any size give, sample for sample, what the whole
/// would. All streams share one engine and its thread.
package struct NanoCodec: Sendable {
    /// How a model is loaded and how much it may hold.
    package struct Configuration: Sendable {
        /// Streams that can be open at the same time; each takes 0.75 MB once it is used.
        package var streams: Int
        /// CPU threads; nil for a number that suits this machine.
        package var threads: Int?
        /// Where to compute; nil for a GPU if there is one, else the CPU.
        package var device: Device?
        /// True to compute with ggml's operations in F32 even where there are loops of our own: to compare the two.
        package var isPlain: Bool
        /// Whether streams that want sound at the same time step together; nil where that pays, off the CPU.
        package var sharesSteps: Bool?
        /// The device's lane, where other engines compute on it too.
        package var lane: Lane?

        /// Makes a configuration.
        package init(
            streams: Int = 8,
            threads: Int? = nil,
            device: Device? = nil,
            isPlain: Bool = false,
            sharesSteps: Bool? = nil,
            lane: Lane? = nil
        ) {
            self.streams = streams
            self.threads = threads
            self.device = device
            self.isPlain = isPlain
            self.sharesSteps = sharesSteps
            self.lane = lane
        }
    }

    /// What a step of the codec is, for the device's lane; its units are frames.
    package static let quantumKind = QuantumKind(engine: "codec", step: "frames")

    /// The model's name.
    package let name: String
    /// Samples per second.
    package var sampleRate: Int { engine.h.sampleRate }
    /// Samples of a frame.
    package var samplesPerFrame: Int { engine.h.samplesPerFrame }
    /// Codes of a frame.
    package var codebooks: Int { engine.h.quantizer.codebooks }
    /// Codes are from 0 up to this.
    package var codebookSize: Int { engine.h.quantizer.codebookSize }

    private let engine: NanoCodecEngine

    private static let streamCounts = 1...1024

    /// Loads a model and warms it up. Takes about as long as the disk needs for the file.
    /// - Throws: ``VoiceError/Code/missingInput`` when there is no such file, ``VoiceError/Code/malformedInput`` when it is
    ///   damaged or not such a model, ``VoiceError/Code/exhausted`` when it does not fit into memory,
    ///   ``VoiceError/Code/usage`` for a configuration without meaning.
    package init(path: String, configuration: Configuration = Configuration()) async throws(VoiceError) {
        guard Self.streamCounts.contains(configuration.streams) else {
            throw VoiceError(.usage, "\(configuration.streams) streams cannot be had; choose \(Self.streamCounts).")
        }
        let executor = EngineExecutor(name: "codec")
        let file = try await executor.run { () throws(VoiceError) in try GGUFFile(path: path) }
        let h = try NanoCodecHyperparameters(file)
        name =
            (try? file.string("general.name")) ?? URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
        let device = if let device = configuration.device { device } else { try Device.best() }
        engine = try await executor.run { () throws(VoiceError) in
            try NanoCodecEngine(
                file,
                h,
                streams: configuration.streams,
                on: device,
                threads: configuration.threads ?? Self.suitableThreads,
                path: configuration.isPlain ? .plain : .fastest,
                sharesSteps: configuration.sharesSteps ?? (device.kind != .cpu),
                lane: configuration.lane,
                executor: executor
            )
        }
        try await engine.warmUp(NanoCodecStream.quantumSizes)
    }

    /// Opens a stream.
    /// - Throws: ``VoiceError/Code/exhausted`` when all streams are in use.
    package func openStream() async throws(VoiceError) -> NanoCodecStream { try await NanoCodecStream(engine) }

    /// Half of the processors, at most four: threads wait for each other by spinning, and the other engines of an agent need
    /// processors too.
    private static var suitableThreads: Int { min(4, max(1, ProcessInfo.processInfo.activeProcessorCount / 2)) }
}
