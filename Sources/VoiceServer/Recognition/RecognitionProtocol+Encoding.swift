internal import Foundation
internal import NIOCore
internal import VoiceCore

extension RecognitionProtocol {
    /// Writes a text message as UTF-8 JSON with sorted keys.
    ///
    /// - Throws: ``VoiceError/Code/fault`` if the message has no JSON form, which only a confidence that is no number can cause.
    static func encode(_ message: ServerMessage) throws(VoiceError) -> ByteBuffer {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return ByteBuffer(bytes: try encoder.encode(Outgoing(message: message)))
        } catch {
            throw VoiceError(.fault, "a message could not be written as JSON", cause: error)
        }
    }
}

extension Duration {
    /// The duration in seconds, rounded to milliseconds: how times are written in JSON.
    var wireSeconds: Double { milliseconds.rounded() / 1000 }
}

extension Float {
    /// A probability rounded to four places: how confidences are written in JSON.
    var wireProbability: Double { (Double(self) * 10_000).rounded() / 10_000 }
}

/// The JSON of a server's message.
private struct Outgoing: Encodable {
    let message: RecognitionProtocol.ServerMessage

    private enum Key: String, CodingKey {
        case type, text, finalize, words, word, start, end, confidence, confidences, stable, unstable, code, message
        case model, lookahead, language, phrases, amendments
        case isFinal = "is_final"
        case rate = "sample_rate"
        case endpointSilence = "endpoint_silence_ms"
        case phraseBoost = "phrase_boost"
    }

    func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: Key.self)
        switch message {
        case .ready: try fields.encode("ready", forKey: .type)
        case .configured(let settings, let model):
            try fields.encode("configured", forKey: .type)
            try fields.encode(model, forKey: .model)
            try encode(settings, into: &fields)
        case .transcript(let transcript):
            try fields.encode("transcript", forKey: .type)
            try encode(transcript, into: &fields)
        case .endpoint: try fields.encode("endpoint", forKey: .type)
        case .amendment(let text):
            try fields.encode("amendment", forKey: .type)
            try fields.encode(text, forKey: .text)
        case .error(let code, let text):
            try fields.encode("error", forKey: .type)
            try fields.encode(code.description, forKey: .code)
            try fields.encode(text, forKey: .message)
        }
    }

    private func encode(
        _ settings: RecognitionSettings,
        into fields: inout KeyedEncodingContainer<Key>
    ) throws {
        try fields.encode(settings.rate.hertz, forKey: .rate)
        try fields.encodeIfPresent(settings.options.lookahead, forKey: .lookahead)
        try fields.encodeIfPresent(settings.options.language, forKey: .language)
        try fields.encode(settings.showsWords, forKey: .words)
        try fields.encode(settings.showsConfidences, forKey: .confidences)
        try fields.encode(settings.showsStable, forKey: .stable)
        let silence = settings.options.endpointSilence.map { Int($0.milliseconds.rounded()) }
        try fields.encodeIfPresent(silence, forKey: .endpointSilence)
        try fields.encode(settings.options.phrases, forKey: .phrases)
        try fields.encode(settings.options.phraseBoost, forKey: .phraseBoost)
        try fields.encode(settings.sendsAmendments, forKey: .amendments)
    }

    private func encode(
        _ transcript: RecognitionProtocol.TranscriptMessage,
        into fields: inout KeyedEncodingContainer<Key>
    ) throws {
        try fields.encode(transcript.text, forKey: .text)
        try fields.encode(transcript.finality != .interim, forKey: .isFinal)
        if transcript.finality != .interim { try fields.encode(transcript.finality == .hard, forKey: .finalize) }
        if let words = transcript.words {
            var list = fields.nestedUnkeyedContainer(forKey: .words)
            for word in words {
                var entry = list.nestedContainer(keyedBy: Key.self)
                try entry.encode(word.text, forKey: .word)
                try entry.encodeIfPresent(word.start?.wireSeconds, forKey: .start)
                try entry.encodeIfPresent(word.end?.wireSeconds, forKey: .end)
                try entry.encodeIfPresent(word.confidence?.wireProbability, forKey: .confidence)
            }
        }
        try fields.encodeIfPresent(transcript.confidence?.wireProbability, forKey: .confidence)
        if let length = transcript.stableLength {
            // A length between two characters; the bytes of a character are never torn apart.
            let stable = transcript.text.prefix(utf8Count: length)
            try fields.encode(String(stable), forKey: .stable)
            try fields.encode(String(transcript.text[stable.endIndex...]), forKey: .unstable)
        }
    }
}

extension String {
    /// The longest beginning made of whole Unicode scalars with at most `utf8Count` bytes.
    func prefix(utf8Count: Int) -> Substring {
        var end = utf8.index(startIndex, offsetBy: max(0, utf8Count), limitedBy: endIndex) ?? endIndex
        while end.samePosition(in: unicodeScalars) == nil { end = utf8.index(before: end) }
        return self[..<end]
    }
}
