internal import Conversation
internal import Evaluation
internal import Foundation
internal import Logging
internal import Synchronization
internal import VoiceCore
internal import VoiceTesting

/// A model that answers a scenario as its golden answers do, and what it does in single turns instead.
struct PerfectAgent {
    /// What it does in a turn, asked once: first before and then after its calls.
    enum Step: Sendable {
        case say(String)
        case call(String, JSONObject)
        case fail
        /// Takes longer than any time-out.
        case hang
    }

    var scenario: Scenario
    /// Turns in which it does something else: rounds of steps, a round each time that it is asked.
    var instead: [Int: [[Step]]] = [:]
    /// What it does when the person insists.
    var insisted: [[Step]] = [[.say("I am on it.")]]

    /// Scorers of the scenarios as they are, by name: reading a knowledge takes a while.
    private static let scorers = Mutex<[String: Scorer]>([:])

    private static func scorer(_ scenario: Scenario) -> Scorer {
        scorers.withLock { scorers in
            if let known = scorers[scenario.name] { return known }
            let scorer = Scorer(scenario)
            scorers[scenario.name] = scorer
            return scorer
        }
    }

    /// The scenario of the repository with this name.
    static func scenario(_ name: String) throws -> Scenario {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Benchmarks/eval")
        return try ScenarioFile.read(path: folder.appending(path: name + ".yaml").standardizedFileURL.path)
    }

    /// What is right in a turn.
    static func golden(_ turn: ScenarioTurn) -> [[Step]] {
        let calls = turn.calls.map { call in
            Step.call(call.name, JSONObject(call.arguments.map { ($0.name, .string($0.match.example)) }))
        }
        return calls.isEmpty ? [[.say(turn.golden)]] : [calls, [.say(turn.golden)]]
    }

    /// Has the conversation in simulated time.
    func converse() async throws -> (records: [TurnRecord], scores: [TurnScore], model: ScriptedLanguageModel) {
        let clock = ManualClock(isSelfDriving: true)
        let model = ScriptedLanguageModel(clock: clock) { messages, _ in
            steps(messages).enumerated().compactMap { Self.event($1, "\(messages.count)_\($0)") }
        }
        let run = ScenarioRun(
            scenario,
            engines: .writing(with: UnreliableModel(model: model, clock: clock, steps: steps)),
            configuration: ConversationConfiguration(),
            clock: clock,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            timestamp: { "2027-06-11T10:00:00Z" }
        )
        let records = try await run.run()
        return (records, Self.scorer(scenario).scores(of: records), model)
    }

    /// What it does next in a conversation.
    @Sendable private func steps(_ messages: [ChatMessage]) -> [Step] {
        let asked = messages.lastIndex { $0.role == .user } ?? 0
        let text = messages[asked].content
        let round = messages[asked...].count { $0.role == .assistant }
        let turn = scenario.turns.firstIndex { $0.input == text }
        let rounds = turn.map { instead[$0] ?? Self.golden(scenario.turns[$0]) } ?? insisted
        return round < rounds.count ? rounds[round] : []
    }

    private static func event(_ step: Step, _ id: String) -> ReplyEvent? {
        switch step {
        case .say(let text): .text(text)
        case .call(let name, let arguments): .toolCall(ToolCall(id: id, name: name, arguments: arguments))
        case .fail, .hang: nil
        }
    }
}

extension RequiredArgument.Match {
    /// An argument that is accepted.
    var example: String {
        switch self {
        case .exact(let text): text
        case .normalised(let text): text
        case .keywords(let groups): groups.compactMap(\.first).joined(separator: " and ")
        case .any: "anything"
        }
    }
}

/// A model that fails, or never answers, where it is told to, and else answers as another one.
private struct UnreliableModel: LanguageModel {
    let name = "scripted"
    let contextLength = 32_768
    let model: ScriptedLanguageModel
    let clock: ManualClock
    let steps: @Sendable ([ChatMessage]) -> [PerfectAgent.Step]

    func openChat() async throws(VoiceError) -> any Chat {
        UnreliableChat(chat: try await model.openChat(), model: self)
    }

    private struct UnreliableChat: Chat {
        let chat: any Chat
        let model: UnreliableModel

        func prefill(
            _ messages: [ChatMessage],
            options: ChatOptions,
            urgency: Urgency?
        ) async throws(VoiceError) -> ReplyUsage {
            try await chat.prefill(messages, options: options, urgency: urgency)
        }

        func reply(
            to messages: [ChatMessage],
            sampling: SamplingOptions,
            options: ChatOptions,
            urgency: Urgency?
        ) -> AsyncThrowingStream<ReplyEvent, any Error> {
            switch model.steps(messages).first {
            case .fail:
                return AsyncThrowingStream { throw VoiceError(.fault, "the engine fails as it was told to") }
            case .hang:
                return AsyncThrowingStream { [clock = model.clock] in
                    try await clock.sleep(until: clock.now + .seconds(100_000))
                    return nil
                }
            default: return chat.reply(to: messages, sampling: sampling, options: options, urgency: urgency)
            }
        }
    }
}
