internal import Foundation
internal import VoiceCore

/// A line of a transcript, in the form of the public benchmark's `transcript.jsonl`, so that its judge can read it (kwindla/aiewf-eval,
/// `src/multi_turn_eval/recording/transcript_recorder.py`). `usage`, `heard_text` and `v2v_ms` are ours.
package struct TranscriptLine: Sendable {
    private let json: JSONValue

    /// Makes the line of a turn.
    package init(_ record: TurnRecord, model: String) {
        var line: JSONObject = [
            "ts": .string(record.timestamp),
            "turn": .number(Double(record.turn)),
            "model_name": .string(model),
            "user_text": .string(record.input),
            "assistant_text": .string(record.answer),
            "tool_calls": .array(record.calls.map(Self.call)),
            "tool_results": .array(record.results.map(Self.result)),
            "tokens": record.usage.map(Self.tokens) ?? .null,
            "ttfb_ms": record.firstToken.map { .number($0.rounded()) } ?? .null,
            "raw_ttfb_ms": .null,
            "latency_ms": .number(record.latency.rounded()),
            "reconnection_count": 0,
        ]
        if let usage = record.usage {
            line["usage"] = [
                "prompt_tokens": .number(Double(usage.promptTokens)),
                "cached_tokens": .number(Double(usage.cachedTokens)),
                "generated_tokens": .number(Double(usage.generatedTokens)),
            ]
        }
        if record.isRecovery {
            line["recovery_turn"] = true
            line["recovery_for_turn"] = .number(Double(record.turn))
        }
        if let heard = record.heard { line["heard_text"] = .string(heard) }
        if let time = record.voiceToVoice { line["v2v_ms"] = .number((time * 10).rounded() / 10) }
        if let failure = record.failure { line["failure"] = .string(failure.description) }
        json = .object(line)
    }

    /// The line, without a line's end.
    package var text: String { JSONWriter.python().text(of: json) }

    private static func call(_ made: TurnRecord.Call) -> JSONValue {
        var call: JSONObject = ["name": .string(made.call.name), "args": .object(made.call.arguments)]
        if made.isRepetition { call["is_duplicate"] = true }
        if made.isRefused { call["is_refused"] = true }
        return .object(call)
    }

    private static func result(_ result: TurnRecord.Result) -> JSONValue {
        ["name": .string(result.name), "response": JSONValue(json: result.text) ?? .string(result.text)]
    }

    private static func tokens(_ usage: ReplyUsage) -> JSONValue {
        [
            "prompt_tokens": .number(Double(usage.promptTokens)),
            "completion_tokens": .number(Double(usage.generatedTokens)),
            "total_tokens": .number(Double(usage.promptTokens + usage.generatedTokens)),
            "cache_read_input_tokens": .number(Double(usage.cachedTokens)),
            "cache_creation_input_tokens": .null,
            "thinking_tokens": .null,
        ]
    }
}
