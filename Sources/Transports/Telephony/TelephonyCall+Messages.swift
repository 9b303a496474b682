internal import VoiceCore

/// The messages to a provider, as JSON text.
extension TelephonyCall {
    /// Sound to play after what waits already.
    func media(_ samples: [Float]) -> String {
        let payload = JSONValue.string(Base64.encode(TelephoneCodec.muLaw.encode(samples)))
        let message: JSONValue =
            switch provider {
            case .twilio: ["event": "media", "streamSid": .string(stream), "media": ["payload": payload]]
            case .telnyx: ["event": "media", "media": ["payload": payload]]
            case .plivo:
                [
                    "event": "playAudio", "streamId": .string(stream),
                    "media": ["contentType": "audio/x-mulaw", "sampleRate": 8_000, "payload": payload],
                ]
            }
        return message.json
    }

    /// A mark after the sound sent so far, to be sent back once that was played.
    func mark(_ name: String) -> String {
        let message: JSONValue =
            switch provider {
            case .twilio: ["event": "mark", "streamSid": .string(stream), "mark": ["name": .string(name)]]
            case .telnyx: ["event": "mark", "mark": ["name": .string(name)]]
            case .plivo: ["event": "checkpoint", "streamId": .string(stream), "name": .string(name)]
            }
        return message.json
    }

    /// Throw away the sound that waits.
    var clear: String {
        let message: JSONValue =
            switch provider {
            case .twilio: ["event": "clear", "streamSid": .string(stream)]
            case .telnyx: ["event": "clear"]
            case .plivo: ["event": "clearAudio", "streamId": .string(stream)]
            }
        return message.json
    }
}
