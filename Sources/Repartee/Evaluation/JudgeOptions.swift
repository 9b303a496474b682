internal import ArgumentParser
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

    mutating func validate() throws {
        guard judgeUrl != nil || judgeModel == nil else { throw ValidationError("--judge-model needs --judge-url.") }
        guard judgeUrl?.isEmpty != true else { throw ValidationError("--judge-url is an address.") }
    }

    /// Whether there is a judge.
    var isGiven: Bool { judgeUrl != nil || judgeConfig != nil }

    /// The model that judges.
    /// - Parameter patience: how long its first word may take: nobody waits in a conversation.
    /// - Throws: `unavailable` when it cannot be reached, or is not there.
    func model(
        store: ModelStore,
        clock: any SessionClock,
        patience: Duration,
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) async throws(VoiceError) -> any LanguageModel {
        guard let judgeUrl else {
            let settings = try judgeConfig.map { path throws(VoiceError) in try SettingsFile.read(path: path) }
            let room = EngineRoom(store: store, settings: settings ?? Settings(), clock: clock)
            return try await room.languageModel(chats: 8)
        }
        return try await RemoteLanguageModel(
            address: CompletionAddress(judgeUrl, from: "--judge-url"),
            configuration: RemoteLanguageModel.Configuration(
                model: judgeModel,
                key: environment[Self.key].flatMap { $0.isEmpty ? nil : $0 },
                firstTokenTimeout: patience,
                tokenTimeout: .seconds(60)
            )
        )
    }
}
