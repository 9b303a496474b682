internal import ArgumentParser
internal import Evaluation
internal import Foundation
internal import LanguageModels
internal import VoiceCore

/// Who decides criteria in plain language.
struct JudgeOptions: ParsableArguments {
    /// The environment variable with the judge's key.
    static let key = "REPARTEE_JUDGE_API_KEY"

    @Option(help: "The address of a server with OpenAI's interface that judges; its key is in $\(JudgeOptions.key).")
    var judgeUrl: String?

    @Option(help: "The judge's name on that server; the first that it lists unless given.")
    var judgeModel: String?

    @Option(help: "A settings file whose language model judges, instead of a server.")
    var judgeConfig: String?

    /// Whether there is a judge.
    var isGiven: Bool { judgeUrl != nil || judgeConfig != nil }

    /// The judge.
    /// - Throws: `unavailable` when it cannot be reached, or is not there.
    func judge(
        store: ModelStore,
        clock: any SessionClock,
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) async throws(VoiceError) -> any ScriptJudge {
        guard let judgeUrl else {
            let settings = try judgeConfig.map { path throws(VoiceError) in try SettingsFile.read(path: path) }
            let room = EngineRoom(store: store, settings: settings ?? Settings(), clock: clock)
            return LanguageModelJudge(try await room.languageModel(chats: 8), clock: clock)
        }
        var configuration = RemoteLanguageModel.Configuration(model: judgeModel, key: environment[Self.key])
        // A judge may take its time: nobody waits in a conversation.
        configuration.firstTokenTimeout = .seconds(50)
        let address = try CompletionAddress(judgeUrl, from: "--judge-url")
        return LanguageModelJudge(
            try await RemoteLanguageModel(address: address, configuration: configuration),
            clock: clock
        )
    }
}
