internal import NIOCore
internal import VoiceCore

extension SynthesisProtocol {
    /// Writes a text message as UTF-8 JSON with sorted keys.
    static func encode(_ message: ServerMessage) -> ByteBuffer { ByteBuffer(string: value(of: message).json) }

    private static func value(of message: ServerMessage) -> JSONValue {
        switch message {
        case .created(let stream):
            [
                "type": "stream_created", "stream_id": .string(stream.id), "voice": .string(stream.voice),
                "sample_rate": .number(Double(stream.rate.hertz)), "context_id": stream.context.map(JSONValue.string),
            ]
        case .words(let words, let context):
            [
                "type": "timestamps", "context_id": context.map(JSONValue.string),
                "words": .array(
                    words.map { word in
                        [
                            "word": .string(word.text), "text_end": .number(Double(word.textEnd)),
                            "end_ms": .number(word.end),
                        ]
                    }
                ),
            ]
        case .segmentComplete(let number, let audio, let text, let context):
            [
                "type": "segment_complete", "segment": .number(Double(number)), "audio_ms": .number(audio),
                "text": text.map(JSONValue.string), "context_id": context.map(JSONValue.string),
            ]
        case .done(let audio, let segments, let context):
            [
                "type": "done", "total_audio_ms": .number(audio), "segments_generated": .number(Double(segments)),
                "context_id": context.map(JSONValue.string),
            ]
        case .cancelled(let cancelled):
            [
                "type": "cancelled", "stream_id": cancelled.id.map(JSONValue.string),
                "context_id": cancelled.context.map(JSONValue.string), "audio_ms": .number(cancelled.audio),
                "text_spoken": .string(cancelled.text),
            ]
        case .error(let code, let text, let isFatal):
            [
                "type": "error", "code": .string(code.description), "message": .string(text), "fatal": .bool(isFatal),
            ]
        case .pong: ["type": "pong"]
        }
    }
}

extension SampleRate {
    /// The length of `samples` samples in milliseconds, to the microsecond: how lengths are written in JSON.
    func wireMilliseconds(ofSamples samples: Int) -> Double {
        (Double(samples) * 1e6 / Double(hertz)).rounded() / 1e3
    }
}
