internal import Conversation
internal import Foundation
internal import Logging
internal import Testing
internal import VoiceCore

@testable internal import Repartee

private let store = ModelStore(directory: nil)
/// Left out where the model is not, except in CI, where they then fail.
private let hasModels =
    (try? store.resolve("silero-vad")) != nil || ProcessInfo.processInfo.environment["CI"] == "true"

/// The agent and its own loudspeaker, with the real voice activity detector, recogniser and voice, in simulated time.
@Suite(.enabled(if: hasModels), .timeLimit(.minutes(5))) struct InterruptionTests {
    /// A quarter of the amplitude after 150 ms: the agent on a loudspeaker in front of a microphone.
    private static let echo = [Float](repeating: 0, count: 2400) + [0.25]

    private func trial(
        _ sound: SpokenOver?,
        at time: Duration,
        cancelsEcho: Bool = true
    ) async throws -> InterruptionTrial {
        var settings = Settings()
        settings.recognizer = "pocketsphinx"
        settings.voice.name = "slt"
        settings.conversation.cancelsEcho = cancelsEcho
        let room = EngineRoom(store: store, settings: settings)
        let engines = try await Engines(
            voiceActivity: room.voiceActivity(),
            turnDetector: room.turnDetector(threads: 1),
            recognizer: room.recognizer(streams: 1),
            languageModel: SilentModel(),
            synthesizer: room.synthesizer(streams: 1)
        )
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        return try await InterruptionTrial(sound, at: time, echo: Self.echo, engines, settings.conversation, logger)
    }

    @Test func `through a loudspeaker the agent does not interrupt itself`() async throws {
        #expect(try await trial(nil, at: .seconds(20)).ends == 0)
    }

    @Test func `without the echo canceller it does`() async throws {
        #expect(try await trial(nil, at: .seconds(20), cancelsEcho: false).ends > 0)
    }

    @Test func `over its own echo it hears an interruption, and not a knock`() async throws {
        let sounds = try await SpokenOver.all()
        let words = try #require(sounds.first { $0.name == "rms: Hold on a second." })
        let interrupted = try await trial(words, at: .seconds(4))
        #expect(interrupted.ends == 1)
        #expect(try #require(interrupted.silent) < 200)
        #expect(try #require(interrupted.decided) < 1000)
        let knock = try #require(sounds.first { $0.name == "knock 1" })
        #expect(try await trial(knock, at: .seconds(4)).ends == 0)
    }
}
