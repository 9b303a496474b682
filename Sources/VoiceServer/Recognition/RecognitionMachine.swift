internal import Audio
internal import NIOCore
internal import Transports
internal import VoiceCore

/// A client's session of the recognition server as a value: messages and outcomes in, actions out.
///
/// **Do every returned action in order; tell the outcome of `open`, `feed` and `finish` before the next one; take the next
/// message when all is done.** No socket, clock, engine or lock inside.
struct RecognitionMachine: ~Copyable {
    /// What is to be done next.
    enum Action: Sendable, Equatable {
        /// Let go of the stream, if there is one, and open one with these options; then ``opened()`` or ``openFailed(_:)``.
        case open(RecognitionOptions)
        /// Give 16 kHz audio to the stream; then ``heard(_:)`` or ``failed(_:)``.
        case feed([Float])
        /// Ask the stream for the final transcript; then ``finished(_:)`` or ``failed(_:)``.
        case finish(RecognitionFlush)
        /// Send this.
        case say(RecognitionProtocol.ServerMessage)
        /// Close the connection.
        case close(CloseReason)
    }

    private enum Opening { case first, configured(RecognitionSettings), again, done }

    /// The most audio given to the stream at a time: partial transcripts keep coming while a long message is worked on.
    static let piece = SampleRate.speech.samples(in: .milliseconds(500))

    private let model: String
    private var opening = Opening.first
    private let standard: RecognitionOptions
    private(set) var settings: RecognitionSettings
    private var hasBegun = false
    /// The first byte of a sample whose second one comes with the next message.
    private var halfSample: UInt8?
    private var resampler: Resampler?
    private var isHardReset = false
    private var turn = RecognizedTurn()

    /// Makes the machine of a fresh connection.
    /// - Parameters:
    ///   - model: the recogniser's name, told to the client.
    ///   - standard: how speakers are recognised unless the client asks for something else.
    init(model: String, standard: RecognitionOptions = RecognitionOptions()) {
        self.model = model
        self.standard = standard
        settings = RecognitionSettings(options: standard)
    }

    /// The first actions.
    mutating func begin() -> [Action] { [.open(settings.options)] }

    /// Takes a text message.
    mutating func receive(text: ByteBuffer) -> [Action] {
        do {
            switch try RecognitionProtocol.decode(text, standard) {
            case .reset(let isHard): return reset(isHard: isHard)
            case .configure(let settings): return configure(settings)
            }
        } catch {
            return [.say(.error(error.code, error.message))]
        }
    }

    /// Takes a binary message: 16-bit little-endian mono. An odd last byte is kept for the next one.
    mutating func receive(audio: ByteBuffer) -> [Action] {
        hasBegun = true
        var bytes: [UInt8] = []
        bytes.reserveCapacity(audio.readableBytes + 1)
        if let halfSample { bytes.append(halfSample) }
        bytes.append(contentsOf: audio.readableBytesView)
        halfSample = bytes.count.isMultiple(of: 2) ? nil : bytes.removeLast()
        let samples = PCM16.samples(bytes)
        return feed(resampler?.feed(samples) ?? samples)
    }

    /// Hears that the stream is open.
    mutating func opened() -> [Action] {
        defer { opening = .done }
        switch opening {
        case .first: return [.say(.ready)]
        case .configured(let settings): return [.say(take(settings))]
        case .again, .done: return []
        }
    }

    /// Hears that no stream could be opened. One that was asked for by `config` is replaced by one as before.
    mutating func openFailed(_ error: VoiceError) -> [Action] {
        if case .configured = opening {
            opening = .again
            return [.say(.error(error.code, error.message)), .open(settings.options)]
        }
        return [.close(error.code == .exhausted ? .full(error.message) : .failure(error))]
    }

    /// Hears the newest partial transcript, if it changed.
    mutating func heard(_ transcript: Transcript?) -> [Action] {
        guard let transcript else { return [] }
        return turn.advance(transcript, settings).map(Action.say)
    }

    /// Hears the final transcript.
    mutating func finished(_ transcript: Transcript) -> [Action] {
        turn.finish(transcript, isHard: isHardReset, settings).map(Action.say)
    }

    /// Hears that the stream failed: this session cannot go on.
    mutating func failed(_ error: VoiceError) -> [Action] { [.close(.failure(error))] }

    private mutating func configure(_ wanted: RecognitionSettings) -> [Action] {
        guard !hasBegun else {
            return [.say(.error(.usage, "`config` came too late; send it before any audio and any reset"))]
        }
        guard wanted.options != settings.options else { return [.say(take(wanted))] }
        opening = .configured(wanted)
        return [.open(wanted.options)]
    }

    private mutating func take(_ settings: RecognitionSettings) -> RecognitionProtocol.ServerMessage {
        self.settings = settings
        resampler = settings.rate == .speech ? nil : Resampler(from: settings.rate, to: .speech)
        return .configured(settings, model: model)
    }

    private mutating func reset(isHard: Bool) -> [Action] {
        hasBegun = true
        isHardReset = isHard
        halfSample = nil
        let tail = resampler?.flush() ?? []
        return feed(tail) + [.finish(isHard ? .lookahead : .none)]
    }

    private func feed(_ samples: [Float]) -> [Action] {
        stride(from: 0, to: samples.count, by: Self.piece).map { start in
            .feed(Array(samples[start..<min(samples.count, start + Self.piece)]))
        }
    }
}
