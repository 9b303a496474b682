internal import VoiceCore

/// The measurements of a turn in RTVI's form: seconds, by engine. Source of the form: Pipecat 1.14, `metrics/metrics.py`.
enum RTVIMetrics {
    private static let recogniser = "SpeechRecognizer"
    private static let languageModel = "LanguageModel"
    private static let voice = "SpeechSynthesizer"

    /// What a finished turn's report holds; no message if it holds nothing that RTVI has a place for.
    static func messages(of report: TurnReport, _ models: ModelNames) -> [RTVIServerMessage] {
        var data = JSONObject()
        if let tiles = report.tiles {
            // The time from a request to the first thing that came back. What lay in another engine's time counts as none.
            data["ttfb"] = .array([
                measurement(recogniser, models.asr, tiles.asrFinal / 1000),
                measurement(languageModel, models.llm, tiles.llmFirstToken / 1000),
                measurement(voice, models.tts, tiles.ttsFirstAudio / 1000),
            ])
        }
        if let usage = report.llm {
            data["tokens"] = .array([
                [
                    "prompt_tokens": .number(Double(usage.promptTokens)),
                    "completion_tokens": .number(Double(usage.generatedTokens)),
                    "total_tokens": .number(Double(usage.promptTokens + usage.generatedTokens)),
                    "cache_read_input_tokens": .number(Double(usage.cachedTokens)),
                ]
            ])
        }
        if !report.agent.isEmpty {
            data["characters"] = .array([measurement(voice, models.tts, Double(report.agent.count))])
        }
        return data.isEmpty ? [] : [.metrics(.object(data))]
    }

    private static func measurement(_ engine: String, _ model: String, _ value: Double) -> JSONValue {
        ["processor": .string(engine), "model": .string(model), "value": .number(value)]
    }
}
