internal import VoiceCore

/// A message of a provider's media stream.
///
/// Sources of the forms: Twilio, "Media Streams - WebSocket Messages"; Telnyx, "Media Streaming over WebSockets"; Plivo, "Audio
/// Streaming: Stream Events".
enum TelephonyMessage: Sendable, Equatable {
    /// The stream begins.
    case start(TelephonyCall)
    /// Sound of the caller.
    case media([UInt8])
    /// The caller pressed a key.
    case key(Character)
    /// All sound before the mark with this name was played, or thrown away.
    case mark(String)
    /// The stream is over.
    case stop
    /// Nothing to do: the line is open, sound of another track, news of a later version.
    case ignored

    /// Why a text cannot be used.
    enum Problem: Error, Equatable {
        /// It has not the form it must have.
        case malformed(String)
        /// The sound is neither µ-law nor A-law at 8 kHz.
        case unplayable(String)
    }

    /// The longest names of streams and calls that are believed, in bytes.
    private static let longestName = 256

    /// Reads a text message. Any text is legal input.
    init(reading json: String) throws(Problem) {
        guard let message = JSONValue(json: json) else { throw .malformed("a message is not JSON") }
        guard let event = message["event"]?.text else { throw .malformed("a message has no `event`") }
        switch event {
        case "start": self = .start(try Self.call(message))
        case "media": self = try Self.media(message)
        case "dtmf": self = Self.key(message)
        case "mark": self = try Self.mark(message["mark"]?["name"])
        case "playedStream": self = try Self.mark(message["name"])
        case "stop": self = .stop
        default: self = .ignored
        }
    }

    /// Tells the providers apart by the names they use, as Pipecat 1.14 does (`runner/utils.py`).
    private static func call(_ message: JSONValue) throws(Problem) -> TelephonyCall {
        guard let start = message["start"] else { throw .malformed("`start` is missing") }
        let format = start["mediaFormat"] ?? start["media_format"]
        var call: TelephonyCall
        if let stream = start["streamSid"]?.text, let name = start["callSid"]?.text {
            call = TelephonyCall(provider: .twilio, stream: stream, call: name, account: start["accountSid"]?.text)
        } else if let stream = message["stream_id"]?.text, let name = start["call_control_id"]?.text {
            call = TelephonyCall(provider: .telnyx, stream: stream, call: name, account: nil)
        } else if let stream = start["streamId"]?.text, let name = start["callId"]?.text {
            call = TelephonyCall(provider: .plivo, stream: stream, call: name, account: start["accountId"]?.text)
        } else {
            throw .malformed("`start` names no stream and no call of Twilio, Telnyx or Plivo")
        }
        guard [call.stream, call.call, call.account ?? "-"].allSatisfy(isName) else {
            throw .malformed("the name of a stream, a call or an account is no name")
        }
        if let format { call.codec = try codec(format) }
        return call
    }

    /// Names become parts of addresses: nothing but letters, digits and a few signs.
    private static func isName(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= longestName
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: ":"),
                    UInt8(ascii: "."), UInt8(ascii: "="), UInt8(ascii: "~"):
                    true
                default: false
                }
            }
    }

    private static func codec(_ format: JSONValue) throws(Problem) -> TelephoneCodec {
        let rate = (format["sampleRate"] ?? format["sample_rate"])?.whole ?? 8_000
        let channels = format["channels"]?.whole ?? 1
        let encoding = format["encoding"]?.text ?? "audio/x-mulaw"
        guard rate == 8_000, channels == 1 else { throw .unplayable("\(channels) channels at \(rate) Hz") }
        switch encoding {
        case "audio/x-mulaw", "PCMU": return .muLaw
        case "audio/x-alaw", "PCMA": return .aLaw
        default: throw .unplayable("\(encoding.prefix(32))")
        }
    }

    private static func media(_ message: JSONValue) throws(Problem) -> TelephonyMessage {
        guard let media = message["media"] else { throw .malformed("`media` is missing") }
        // What we said comes back as the other track, where somebody asked for both.
        if let track = media["track"]?.text, !track.hasPrefix("inbound") { return .ignored }
        guard let payload = media["payload"]?.text, let bytes = Base64.decode(payload) else {
            throw .malformed("`media.payload` is no Base64")
        }
        return .media(bytes)
    }

    private static func key(_ message: JSONValue) -> TelephonyMessage {
        guard let digit = message["dtmf"]?["digit"]?.text, let key = KeypadDigits.key(digit) else { return .ignored }
        return .key(key)
    }

    private static func mark(_ name: JSONValue?) throws(Problem) -> TelephonyMessage {
        guard let name = name?.text else { throw .malformed("a mark has no name") }
        return .mark(name)
    }
}
