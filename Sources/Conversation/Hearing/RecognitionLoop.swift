internal import VoiceCore

/// Feeds the recogniser with the person's utterances and nothing else.
///
/// Runs as one task of the session. Silence costs nothing: audio is kept for a moment, and handed over once something
/// like speech begins, the moment before included, because voice activity is noticed late.
struct RecognitionLoop {
    /// What the session tells the loop, in order.
    enum Request: Sendable {
        /// The next samples of the microphone, 16 kHz mono.
        case audio([Float])
        /// Something like speech began, or went on, at this position of the stream.
        case onset(position: Int)
        /// It was nothing, unless the utterance already had speech.
        case falseOnset
        /// It was speech.
        case confirmed
        /// Speech was followed by silence.
        case hush
        /// The turn may be over: answer with the transcript that it would have, and go on.
        case draft(request: Int)
        /// The turn is over: answer with its final transcript.
        case finish(turn: Int)
        /// Forget the utterance.
        case reset
    }

    /// What is heard at the moment.
    private enum Voice { case none, possible, certain }

    /// Audio from before the onset that belongs to the utterance.
    private static let preRoll = SampleRate.speech.samples(in: .milliseconds(300))
    /// Partial transcripts are asked for at most this often; recognisers compute on every feed anyway.
    private static let feedLength = SampleRate.speech.samples(in: .milliseconds(60))

    let stream: any RecognizerStream
    let requests: Mailbox<Request>
    let report: @Sendable (SessionInput) -> Void

    private var recent: [Float] = []
    private var unfed: [Float] = []
    private var position = 0
    private var isInUtterance = false
    private var hasSpeech = false
    private var voice = Voice.none

    init(
        stream: any RecognizerStream,
        requests: Mailbox<Request>,
        report: @escaping @Sendable (SessionInput) -> Void
    ) {
        self.stream = stream
        self.requests = requests
        self.report = report
    }

    /// Serves requests until the mailbox ends.
    mutating func run() async {
        while let request = await requests.next() {
            do {
                try await handle(request)
            } catch {
                isInUtterance = false
                hasSpeech = false
                unfed = []
                report(.failure(error))
                guard case .finish(let turn) = request else { continue }
                report(.transcript(turn: turn, text: nil))
                goOn()
            }
        }
    }

    private mutating func handle(_ request: Request) async throws(VoiceError) {
        switch request {
        case .audio(let samples):
            position += samples.count
            if isInUtterance { try await feed(samples) } else { remember(samples) }
        case .onset(let onset):
            voice = .possible
            guard !isInUtterance else { return try await stream.resume() }
            isInUtterance = true
            hasSpeech = false
            let wanted = position - onset + Self.preRoll
            let begin = Array(recent.suffix(max(0, wanted)))
            recent = []
            try await feed(begin)
        case .falseOnset:
            voice = .none
            guard isInUtterance, !hasSpeech else { return }
            try await drop()
        case .confirmed:
            voice = .certain
            hasSpeech = true
        case .hush:
            voice = .none
        case .draft(let request):
            let text = try await draft()
            report(.draftTranscript(request: request, text: text))
        case .finish(let turn):
            let text = try await finish()
            report(.transcript(turn: turn, text: text))
            goOn()
        case .reset:
            guard isInUtterance else { return }
            try await drop()
        }
    }

    private mutating func remember(_ samples: [Float]) {
        recent += samples
        let surplus = recent.count - 2 * Self.preRoll
        if surplus > Self.preRoll { recent.removeFirst(surplus) }
    }

    private mutating func feed(_ samples: [Float]) async throws(VoiceError) {
        unfed += samples
        guard unfed.count >= Self.feedLength else { return }
        try await feedAll()
    }

    private mutating func feedAll() async throws(VoiceError) {
        let samples = unfed
        unfed = []
        if let partial = try await stream.feed(samples), hasSpeech { report(.partial(partial.text)) }
    }

    private mutating func draft() async throws(VoiceError) -> String? {
        guard isInUtterance else { return nil }
        if !unfed.isEmpty { try await feedAll() }
        // Without a draft the answer waits for the final transcript; nothing is lost.
        do { return try await stream.draft()?.text } catch { return nil }
    }

    private mutating func finish() async throws(VoiceError) -> String {
        guard isInUtterance else { return "" }
        if !unfed.isEmpty { try await feedAll() }
        isInUtterance = false
        return try await stream.finish().text
    }

    /// Speech that went on while the turn was declared over is the next utterance, under way already.
    private mutating func goOn() {
        isInUtterance = voice != .none
        hasSpeech = voice == .certain
    }

    private mutating func drop() async throws(VoiceError) {
        isInUtterance = false
        unfed = []
        try await stream.reset()
    }
}
