package import VoiceCore

/// A language model that judges turns, for what words cannot be compared for. It is asked an odd number of times; the majority counts.
package struct Judge: Sendable {
    /// What it says of a turn.
    package struct Verdict: Sendable, Equatable {
        /// Whether the right calls were made, and no others.
        package var toolUse: Bool
        /// Whether the answer keeps to the instructions.
        package var instruction: Bool
        /// Whether it says what is so.
        package var grounding: Bool

        /// Whether all was right.
        package var passes: Bool { toolUse && instruction && grounding }
    }

    /// Times that an answer without a verdict is asked for again.
    static let retries = 2
    /// A verdict has three truth values and a sentence.
    private static let longest = 400

    private let model: any LanguageModel
    private let votes: Int
    private let scenario: Scenario

    /// Makes a judge.
    /// - Parameters:
    ///   - votes: an odd number.
    package init(_ model: any LanguageModel, votes: Int, scenario: Scenario) {
        self.model = model
        self.votes = votes
        self.scenario = scenario
    }

    /// Judges every turn of a conversation that has an answer.
    /// - Returns: a verdict for each turn; nil where there was no answer, or the judge gave no verdict.
    /// - Throws: what the model's engine throws.
    package func verdicts(on records: [TurnRecord]) async throws(VoiceError) -> [Verdict?] {
        var verdicts: [Verdict?] = []
        for index in scenario.turns.indices {
            let record = records.first { $0.turn == index && !$0.isRecovery }
            guard let record, record.failure == nil else {
                verdicts.append(nil)
                continue
            }
            verdicts.append(try await verdict(on: record, in: records))
        }
        return verdicts
    }

    private func verdict(on record: TurnRecord, in records: [TurnRecord]) async throws(VoiceError) -> Verdict? {
        let prompt = JudgePrompt(scenario: scenario).messages(for: record, in: records)
        let chat = try await model.openChat()
        var given: [Verdict] = []
        for vote in 0..<votes {
            for attempt in 0...Self.retries {
                let seed = UInt32(1 + vote * (Self.retries + 1) + attempt)
                guard let verdict = Verdict(answer: try await ask(chat, prompt, seed)) else { continue }
                given.append(verdict)
                break
            }
        }
        return Verdict(majorityOf: given)
    }

    private func ask(_ chat: any Chat, _ prompt: [ChatMessage], _ seed: UInt32) async throws(VoiceError) -> String {
        // Without chance all votes would be one.
        let sampling = SamplingOptions(
            temperature: votes == 1 ? 0 : 0.5,
            repeatPenalty: 1,
            seed: seed,
            maxTokens: Self.longest
        )
        var answer = ""
        do {
            for try await event in chat.reply(to: prompt, sampling: sampling) {
                if case .text(let piece) = event { answer += piece }
            }
        } catch {
            throw VoiceError.wrapping(error, doing: "the judge \(model.name) failed")
        }
        return answer
    }
}

extension Judge.Verdict {
    /// Reads an answer: one JSON object with exactly the three truth values, and a reason if it likes. Nothing else counts but a
    /// fence of Markdown around it.
    init?(answer: String) {
        var text = answer.trimmed
        if text.hasPrefix("```"), text.hasSuffix("```") {
            text = text.dropFirst(text.hasPrefix("```json") ? 7 : 3).dropLast(3).trimmed
        }
        let names = ["tool_use_correct", "instruction_following", "kb_grounding"]
        guard let members = JSONValue(json: text)?.members,
            members.keys.allSatisfy({ names.contains($0) || $0 == "reason" }),
            let toolUse = members[names[0]]?.flag, let instruction = members[names[1]]?.flag,
            let grounding = members[names[2]]?.flag
        else { return nil }
        self.init(toolUse: toolUse, instruction: instruction, grounding: grounding)
    }

    /// What more than half of the verdicts say, each on its own; nil without any. A tie is no.
    init?(majorityOf verdicts: [Self]) {
        guard !verdicts.isEmpty else { return nil }
        func most(_ value: (Self) -> Bool) -> Bool { verdicts.count(where: value) * 2 > verdicts.count }
        self.init(toolUse: most(\.toolUse), instruction: most(\.instruction), grounding: most(\.grounding))
    }
}
