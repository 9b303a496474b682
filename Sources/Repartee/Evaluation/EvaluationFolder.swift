internal import Evaluation
internal import Foundation
internal import VoiceCore

/// The files of one run: `transcript.jsonl`, which grows turn by turn, and `scores.jsonl`.
struct EvaluationFolder: Sendable {
    private struct Line: Encodable {
        var turn: Int
        var score: TurnScore
        var judge: [String: Bool]?
    }

    private let path: String
    private let model: String
    private let transcript: FileHandle

    /// Makes the folder; files of an earlier evaluation are written over.
    /// - Throws: `usage` when it cannot be written.
    init(path: String, model: String) throws(VoiceError) {
        self.path = path
        self.model = model
        let file = path + "/transcript.jsonl"
        do { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) } catch {
            throw VoiceError(.usage, "the folder \(path) cannot be made", cause: error)
        }
        guard FileManager.default.createFile(atPath: file, contents: nil),
            let handle = FileHandle(forWritingAtPath: file)
        else { throw VoiceError(.usage, "\(file) cannot be written") }
        transcript = handle
    }

    /// Adds a turn to the transcript.
    func write(_ record: TurnRecord) throws {
        try transcript.write(contentsOf: Data((TranscriptLine(record, model: model).text + "\n").utf8))
    }

    /// Writes the scores, and what a judge said.
    func write(_ scores: [TurnScore], _ verdicts: [Judge.Verdict?]?) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var text = ""
        for (index, score) in scores.enumerated() {
            let judge = verdicts?[index].map {
                [
                    "tool_use_correct": $0.toolUse, "instruction_following": $0.instruction,
                    "kb_grounding": $0.grounding,
                ]
            }
            let line = try encoder.encode(Line(turn: score.turn, score: score, judge: judge))
            text += String(decoding: line, as: UTF8.self) + "\n"
        }
        try Data(text.utf8).write(to: URL(fileURLWithPath: path + "/scores.jsonl"), options: .atomic)
    }
}
