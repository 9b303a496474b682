internal import Audio
internal import NIOCore
internal import Transports
internal import VoiceCore

/// A client's session of the synthesis server as a value: messages and audio in, actions out.
///
/// **Do every returned action in order before anything else happens, and tell the outcome of `forget`. Whenever the voice is
/// free, ask for ``next()``.** No socket, clock, engine or lock inside. What is to come is a queue: streams begin, have segments
/// and end in the order of their messages, so that a stream's audio lies between its first and its last message.
struct SynthesisMachine: ~Copyable {
    typealias Message = SynthesisProtocol.ServerMessage

    /// What is to be done next.
    enum Action: Sendable, Equatable {
        /// Send this.
        case say(Message)
        /// Send this behind the audio of a stream, and forget it with that.
        case sayBehind(Message, epoch: Int)
        /// Stop the voice.
        case stop
        /// Forget what waits for the socket of this stream and, where so said, of all before it; then ``forgot(_:)``.
        case forget(epoch: Int, allBefore: Bool)
    }

    /// What a voice is to speak next.
    struct Piece: Sendable {
        /// Tells pieces apart.
        var number: Int
        var epoch: Int
        var text: String
        var voice: ServedVoice
        /// The rate of the stream.
        var rate: SampleRate
        /// Whether nothing of its stream was spoken before.
        var isFirst: Bool
        /// When its text arrived, for the first piece of a text that nothing was before.
        var arrival: Duration?
    }

    /// How much may wait.
    struct Limits: Sendable, Equatable {
        /// The most bytes of one text.
        var text = 256 * 1024
        /// The most bytes of all texts of a stream.
        var stream = 1024 * 1024
        /// The most bytes of texts that wait, and the most texts.
        var waiting = 1024 * 1024
        var waitingCount = 1_024
    }

    /// Something in the queue.
    struct Entry: Sendable {
        enum Kind: Sendable { case begin, segment(ClauseCutter.Clause, arrival: Duration?), end }
        var stream: SynthesisStream
        var kind: Kind
    }

    /// The stream that texts go to.
    struct Input: Sendable {
        var stream: SynthesisStream
        /// For texts that are tokens.
        var cutter = ClauseCutter()
        /// Bytes of all its texts.
        var bytes = 0
    }

    /// Streams that were cancelled, until their audio is forgotten.
    struct Cancellation: Sendable {
        var output: StreamOutput?
        var queued: [SynthesisStream]
        var context: String?
        var played: Duration?
        var isAcknowledged: Bool
        /// What the client wants next, where it said `init`.
        var next: SynthesisProtocol.Wishes?
    }

    let voices: VoiceTable
    let rate: SampleRate?
    let limits: Limits
    private let makeID: @Sendable () -> String
    var wishes = SynthesisProtocol.Wishes()
    private var epoch = 0
    var input: Input?
    var queue = FIFO<Entry>()
    var waitingBytes = 0
    var output: StreamOutput?
    /// The pieces of the segment that is being spoken, and its text.
    var pieces: ArraySlice<ClauseCutter.Clause> = []
    var segmentText: String?
    var arrival: Duration?
    /// The piece that is being spoken.
    var speaking: Int?
    var pieceCount = 0
    var cancellation: Cancellation?
    /// Voices that the client was told it cannot have.
    private var missedVoices: Set<String> = []

    /// Makes the machine of a fresh connection.
    /// - Parameters:
    ///   - voices: who may speak.
    ///   - rate: of the audio for clients that ask for none; nil for the voice's own.
    ///   - makeID: names a stream.
    init(voices: VoiceTable, rate: SampleRate?, limits: Limits = Limits(), makeID: @escaping @Sendable () -> String) {
        self.voices = voices
        self.rate = rate
        self.limits = limits
        self.makeID = makeID
    }

    /// Takes a text message that arrived at `now`.
    mutating func receive(_ text: ByteBuffer, at now: Duration) -> [Action] {
        do {
            switch try SynthesisProtocol.decode(text) {
            case .begin(let wishes): return cancel(context: nil, played: nil, next: wishes)
            case .text(let text, let context, let isFlushed):
                return take(text, context, now) + (isFlushed ? flush(now) : [])
            case .flush: return flush(now)
            case .close(let context): return close(context, now)
            case .cancel(let context, let played): return cancel(context: context, played: played, next: nil)
            case .ping: return [.say(.pong)]
            }
        } catch {
            return [.say(.error(error.code, error.message, isFatal: false))]
        }
    }

    // MARK: - Texts

    private mutating func take(_ text: String, _ context: String?, _ now: Duration) -> [Action] {
        guard text.utf8.count <= limits.text else {
            return refusal("a text has more than \(limits.text / 1024) KiB; send it in parts")
        }
        guard waitingBytes + text.utf8.count <= limits.waiting, queue.count < limits.waitingCount else {
            return refusal("too much text waits to be spoken; send no more until segments are complete")
        }
        var actions: [Action] = []
        if let context, let input, input.stream.context != context { actions = close(nil, now) }
        if input == nil { actions += open(context: context ?? wishes.context) }
        guard var input else { return actions }
        guard input.bytes + text.utf8.count <= limits.stream else {
            return actions + refusal("a stream has more than \(limits.stream / 1024) KiB of text; close it first")
        }
        var clauses: [ClauseCutter.Clause] = []
        if wishes.isTokenwise {
            clauses = input.cutter.feed(text)
        } else if text.contains(where: { !$0.isWhitespace }) {
            clauses = [ClauseCutter.Clause(text: text, start: input.bytes)]
        }
        input.bytes += text.utf8.count
        self.input = input
        return actions + enqueue(clauses, input.stream, now)
    }

    private mutating func flush(_ now: Duration) -> [Action] {
        guard var input, let clause = input.cutter.flush() else { return [] }
        self.input = input
        return enqueue([clause], input.stream, now)
    }

    private mutating func close(_ context: String?, _ now: Duration) -> [Action] {
        guard let input, context == nil || context == input.stream.context else { return [] }
        let actions = flush(now)
        self.input = nil
        queue.append(Entry(stream: input.stream, kind: .end))
        return actions + advance()
    }

    private mutating func enqueue(
        _ clauses: [ClauseCutter.Clause],
        _ stream: SynthesisStream,
        _ now: Duration
    ) -> [Action] {
        for clause in clauses {
            let isAlone = pieces.isEmpty && speaking == nil && waitingBytes == 0
            waitingBytes += clause.text.utf8.count
            queue.append(Entry(stream: stream, kind: .segment(clause, arrival: isAlone ? now : nil)))
        }
        return advance()
    }

    private func refusal(_ message: String) -> [Action] {
        [.say(.error(.exhausted, "\(message); it is not spoken", isFatal: false))]
    }

    // MARK: - Streams

    mutating func begin(_ wishes: SynthesisProtocol.Wishes) -> [Action] {
        self.wishes = wishes
        let complaints = wishes.unknownKeys.prefix(4).map { key -> Action in
            let nearest = Spelling.nearest(to: key, among: SynthesisProtocol.keys) ?? ""
            let message = "init has no key '\(key.prefix(40))'; did you mean '\(nearest)'?"
            return .say(.error(.usage, message, isFatal: false))
        }
        return open(context: wishes.context) + complaints
    }

    private mutating func open(context: String?) -> [Action] {
        let (voice, complaints) = voice()
        epoch += 1
        let wanted: SampleRate? =
            switch wishes.rate {
            case nil: rate
            case .voice?: nil
            case .rate(let rate)?: rate
            }
        let stream = SynthesisStream(
            id: makeID(),
            context: context,
            epoch: epoch,
            voice: voice.name,
            rate: wanted ?? voice.synthesizer.sampleRate,
            wishes: wishes
        )
        input = Input(stream: stream)
        queue.append(Entry(stream: stream, kind: .begin))
        // Clients wait for the stream before they read anything else.
        return advance() + complaints
    }

    /// The voice that the client wants, or the standard one, of which it is told once.
    private mutating func voice() -> (ServedVoice, [Action]) {
        var complaints: [String] = []
        let voice: ServedVoice
        if case .voice(let wanted) = voices.find(wishes.voice) {
            voice = wanted
        } else {
            voice = voices.standard
            let name = (wishes.voice ?? "").lowercased()
            if missedVoices.count < 16, missedVoices.insert(name).inserted {
                complaints.append("\(voices.complaint(about: name)); \(voice.name) speaks")
            }
        }
        if let language = wishes.language, !voice.speaks(language) {
            let languages = voice.languages.joined(separator: ", ")
            complaints.append("the voice \(voice.name) speaks \(languages), not '\(language.prefix(40))'")
        }
        return (voice, complaints.map { .say(.error(.usage, $0, isFatal: false)) })
    }
}
