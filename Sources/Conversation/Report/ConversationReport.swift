public import VoiceCore

/// A finished conversation in figures: `converse --report` and the server's per-session report.
public struct ConversationReport: Sendable, Codable, Equatable {
    /// Order statistics of a latency in milliseconds. All zero when there were no values.
    public struct Spread: Sendable, Codable, Equatable {
        /// The smallest value.
        public var min: Double
        /// The median.
        public var p50: Double
        /// The 90th percentile.
        public var p90: Double
        /// The largest value.
        public var max: Double

        /// Summarises values; percentiles interpolate linearly between the two nearest ranks (numpy's default).
        public init(_ values: [Double]) {
            let sorted = values.sorted()
            min = sorted.first ?? 0
            max = sorted.last ?? 0
            p50 = Self.percentile(0.5, of: sorted)
            p90 = Self.percentile(0.9, of: sorted)
        }

        /// The value below which the given share of sorted values lies; 0 for no values.
        public static func percentile(_ share: Double, of sorted: [Double]) -> Double {
            guard let last = sorted.indices.last else { return 0 }
            let rank = share * Double(last)
            let low = Int(rank)
            let high = Swift.min(low + 1, last)
            return sorted[low] + (sorted[high] - sorted[low]) * (rank - Double(low))
        }
    }

    /// The whole conversation's figures.
    public struct Summary: Sendable, Codable, Equatable {
        /// Answered user turns.
        public var turns: Int
        /// Voice to voice.
        public var voiceToVoice: Spread
        /// Final transcript, from the end of the turn.
        public var asrFinal: Spread
        /// First token, from the final transcript.
        public var firstToken: Spread
        /// First audio, from the first clause.
        public var firstAudio: Spread
        /// Drafts: how many, how many were heard, and what the others cost.
        public var speculation: SpeculationCount
        /// The loudspeaker.
        public var playout: PlayoutCount

        private enum CodingKeys: String, CodingKey {
            case turns, speculation, playout
            case voiceToVoice = "v2v_ms"
            case asrFinal = "asr_final_ms"
            case firstToken = "llm_ttft_ms"
            case firstAudio = "tts_ttfb_ms"
        }
    }

    /// The answered turns in order, a greeting left out.
    public var turns: [TurnReport]
    /// Their figures.
    public var summary: Summary

    /// Summarises turns.
    public init(turns: [TurnReport], speculation: SpeculationCount, playout: PlayoutCount) {
        self.turns = turns
        let tiles = turns.compactMap(\.tiles)
        summary = Summary(
            turns: turns.count,
            voiceToVoice: Spread(turns.compactMap(\.voiceToVoice)),
            asrFinal: Spread(tiles.map(\.asrFinal)),
            firstToken: Spread(tiles.map(\.llmFirstToken)),
            firstAudio: Spread(tiles.map(\.ttsFirstAudio)),
            speculation: speculation,
            playout: playout
        )
    }
}
