internal import Audio
internal import NIOHTTP1
internal import VoiceCore

/// The form in which speech is answered: samples at the voice's rate in, the response's content out, piece by piece.
struct SpeechForm: ~Copyable {
    /// Opus's rates for voices: the least that keeps all of the voice's sound (RFC 6716 section 2.1.3).
    private static let opusRates = [8_000, 16_000, 24_000, 48_000]

    private let request: SpeechRequest
    /// The rate of what is sent.
    private let rate: SampleRate
    private var resampler: Resampler
    private var opus: OggOpusWriter?

    /// Prepares an answer.
    /// - Parameter usually: the rate for clients that ask for none; nil for the voice's own.
    /// - Throws: `exhausted` without memory.
    init(_ request: SpeechRequest, usually: SampleRate?) throws(VoiceError) {
        self.request = request
        let own = request.voice.synthesizer.sampleRate
        switch request.format {
        case .pcm: rate = request.rate ?? usually ?? own
        // The header says which.
        case .wav: rate = request.rate ?? own
        case .opus:
            rate = SampleRate(Self.opusRates.first { $0 >= own.hertz } ?? SampleRate.wideband.hertz)
            opus = try OggOpusWriter(rate: rate, serial: 1)
        }
        resampler = Resampler(from: own, to: rate)
    }

    /// The head of the response. The content's length is not known.
    var head: Response {
        var headers: HTTPHeaders = ["Cache-Control": "no-store", "X-Voice": request.voice.name]
        switch request.format {
        case .pcm: headers.add(name: "Content-Type", value: "audio/pcm")
        case .wav: headers.add(name: "Content-Type", value: "audio/wav")
        // RFC 7845 section 9
        case .opus: headers.add(name: "Content-Type", value: "audio/ogg; codecs=opus")
        }
        if request.format != .opus {
            headers.add(name: "X-Sample-Rate", value: "\(rate.hertz)")
            headers.add(name: "X-Channels", value: "1")
            headers.add(name: "X-Encoding", value: "pcm_s16le")
        }
        var response = Response(.ok, headers: headers)
        response.headers.remove(name: "Content-Length")
        return response
    }

    /// What comes before the sound.
    mutating func begin() -> [UInt8] {
        switch request.format {
        case .pcm: []
        case .wav: WAVHeader.bytes(frames: nil, rate: rate)
        case .opus: opus?.begin() ?? []
        }
    }

    /// The next sound.
    mutating func feed(_ samples: [Float]) throws(VoiceError) -> [UInt8] { try encode(resampler.feed(samples)) }

    /// The last sound, and what comes after it.
    mutating func finish() throws(VoiceError) -> [UInt8] {
        let sound = try encode(resampler.flush())
        return sound + (try opus?.finish() ?? [])
    }

    private mutating func encode(_ samples: [Float]) throws(VoiceError) -> [UInt8] {
        guard request.format == .opus else { return PCM16.bytes(samples) }
        return try opus?.feed(samples) ?? []
    }
}
