internal import Foundation
package import Inference
package import VoiceCore

/// A language model in this process: any GGUF file that llama.cpp loads and whose chat template is known
/// (Prompts/PROMPTS.md).
///
/// Its chats share one context on one thread of its own. Each keeps what it has read: the next reply reads only what is
/// new in the conversation, which ``VoiceCore/ReplyUsage`` shows.
package struct LlamaLanguageModel: LanguageModel {
    /// How a model is loaded and how much it may hold.
    package struct Configuration: Sendable {
        /// Chats that can be open at the same time.
        package var chats: Int
        /// Tokens of each, prompt and reply together; at most what the model was trained on. Memory grows with it: about
        /// 23 KB per token and chat for SmolLM2-135M.
        package var contextLength: Int
        /// CPU threads; nil for a number that suits this machine.
        package var threads: Int?
        /// Where to compute; nil for a GPU if there is one, else the CPU.
        package var device: Device?
        /// Tokens of a prompt that are read in one go; nil for a number that suits the device. A chat that speaks waits at most
        /// this long for one that reads.
        package var slice: Int?
        /// What to call the model; nil for the name in its file.
        package var name: String?
        /// The device's lane, where other engines compute on it too.
        package var lane: Lane?
        /// Whether a chat may be longer than what the model was trained on, where its words make no sense: for benchmarks.
        package var exceedsTraining = false
        /// Keeps the beginnings of prompts on disk; nil to keep none.
        package var warmStart: WarmStartConfiguration?

        /// Makes a configuration.
        package init(
            chats: Int = 4,
            contextLength: Int = 2048,
            threads: Int? = nil,
            device: Device? = nil,
            lane: Lane? = nil
        ) {
            self.chats = chats
            self.contextLength = contextLength
            self.threads = threads
            self.device = device
            self.lane = lane
        }
    }

    package let name: String
    package var contextLength: Int { engine.contextLength }
    package var judgesCompleteness: Bool { true }
    package var continuesMessages: Bool { true }

    private let engine: LlamaEngine

    /// Tokens of a slice. From 16 on larger ones are hardly faster per token on a CPU; an H100 reads 256 in 2.5 times the time of 32
    /// (docs/performance.md).
    private static func slice(on device: Device) -> Int { device.kind == .cpu ? 32 : 256 }
    /// A context below this has no room for an instruction and a question.
    private static let contextLengths = 64...(1 << 20)
    private static let chatCounts = 1...64

    /// Loads a model and warms it up. Takes about as long as the disk needs for the file.
    /// - Throws: ``VoiceError/Code/missingInput`` when there is no such file, ``VoiceError/Code/malformedInput`` when it
    ///   is not a model with a known chat template, ``VoiceError/Code/exhausted`` when it does not fit into memory,
    ///   ``VoiceError/Code/usage`` for a configuration without meaning.
    package init(path: String, configuration: Configuration = Configuration()) async throws(VoiceError) {
        guard Self.chatCounts.contains(configuration.chats) else {
            throw VoiceError(.usage, "\(configuration.chats) chats cannot be had; choose \(Self.chatCounts).")
        }
        guard Self.contextLengths.contains(configuration.contextLength) else {
            throw VoiceError(
                .usage,
                "A context of \(configuration.contextLength) tokens cannot be had; choose \(Self.contextLengths)."
            )
        }
        let executor = EngineExecutor(name: "language model")
        let file = try await executor.run { () throws(VoiceError) in try GGUFFile(path: path) }
        name =
            configuration.name ?? (try? file.string("general.name"))
            ?? URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
        engine = try await Self.engine(file, executor, configuration)
        try await engine.warmUp()
    }

    package func openChat() async throws(VoiceError) -> any Chat {
        guard let seat = await engine.open() else {
            throw VoiceError(.exhausted, "All chats with \(name) are taken. Try again later, or allow more.")
        }
        return LlamaChat(engine: engine, seat: seat)
    }

    /// How long the tokens of a reply take from their numbers to what is said, thought and called. For benchmarks.
    package func parsingTimes(ofReply text: String) async -> [Duration] { await engine.parsingTimes(ofReply: text) }

    private static func engine(
        _ file: GGUFFile,
        _ executor: EngineExecutor,
        _ configuration: Configuration
    ) async throws(VoiceError) -> LlamaEngine {
        let device = if let device = configuration.device { device } else { try Device.best() }
        let model = try await executor.run { () throws(VoiceError) in
            try LlamaModel(file, options: LlamaModel.Options(device: device))
        }
        let tokenizer = try await executor.run { () throws(VoiceError) in try PromptTokenizer(file, model: model) }
        let trained = configuration.exceedsTraining ? .max : model.trainedContextLength
        let contextLength = min(configuration.contextLength, trained)
        // Copies share the cells of what they were copied from; the tails of abandoned replies need room of their own.
        let chats = configuration.chats
        let sequences = model.isRecurrent ? chats * (1 + Snapshots.perChat) + Anchors.count : chats
        let options = LlamaContext.Options(
            cells: contextLength * configuration.chats * (model.isRecurrent ? 2 : 1),
            sequences: sequences,
            batch: min(max(configuration.slice ?? slice(on: device), chats), contextLength),
            threads: configuration.threads ?? suitableThreads,
            sharesCells: model.isRecurrent
        )
        let context = try await executor.run { () throws(VoiceError) in try LlamaContext(model, options: options) }
        let warmStart = try configuration.warmStart.map { configuration throws(VoiceError) in
            try WarmStart(configuration, model: file.path, layout: context.stateLayout)
        }
        return LlamaEngine(
            executor: executor,
            lane: configuration.lane ?? Lane(name: device.name),
            context: context,
            tokenizer: tokenizer,
            warmStart: warmStart,
            chats: chats,
            contextLength: contextLength
        )
    }

    /// Half of the processors, the other half being for speech, but two where there are two: a reply is made while the
    /// person is silent, and two threads give its first token in 0.6 of one thread's time. On a machine whose processors
    /// are busy with other work, set one: ggml's threads wait for each other by spinning, and a thread that has to share
    /// its processor holds up all of them (2 threads on 2 busy cores: 2 tokens per second instead of 20).
    private static var suitableThreads: Int {
        min(
            ProcessInfo.processInfo.activeProcessorCount,
            max(2, min(4, ProcessInfo.processInfo.activeProcessorCount / 2))
        )
    }
}
