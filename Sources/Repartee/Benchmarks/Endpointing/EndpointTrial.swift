internal import Conversation
internal import VoiceCore

/// One recording under one rule: the times at which the turn machine declares the turn over.
///
/// Simulated time: events come when the ear reported them, ticks when the machine asks for them, verdicts when the detector
/// would have had them. A turn that was ended too early goes on for the detector as if it had not been, so that every pause
/// and the end are judged alike under every rule.
struct EndpointTrial {
    /// The turn was declared over.
    struct Commit: Equatable {
        var at: Duration
        /// When speech that went on was noticed, and the reply cut; nil at the end.
        var resumed: Duration?
    }

    /// In order: one for each pause that was taken for the end, and one at the end.
    private(set) var commits: [Commit] = []

    /// The language model's part: what the words are, and how likely they are complete.
    struct Reading {
        /// How long both take.
        var latency: Duration
        /// The words up to a sample; nil where they are not known.
        var words: (Int) async throws(VoiceError) -> String?
        var completeness: (String) async throws(VoiceError) -> Float?
    }

    /// Runs the machine.
    /// - Parameters:
    ///   - policy: the rule.
    ///   - heard: the recording.
    ///   - latency: how long the detector takes for a verdict; it gives one at a time.
    ///   - reading: nil where no language model reads.
    ///   - verdict: P(end) of the recording's turn up to a sample.
    init(
        _ policy: EndpointPolicy,
        on heard: HeardRecording,
        latency: Duration,
        reading: Reading? = nil,
        verdict: (Int) async throws(VoiceError) -> Float
    ) async throws(VoiceError) {
        var configuration = TurnMachine.Configuration()
        configuration.endpointing = policy
        if reading != nil {
            configuration.completenessTimeout = .milliseconds(300)
            configuration.draftsPerTurn = .max
        }
        var machine = TurnMachine(configuration: configuration)
        var events = heard.events[...]
        var answers: [(at: Duration, event: TurnMachine.Event)] = []
        var detectorIsFree = Duration.zero
        while true {
            // Verdicts and words take different times.
            answers.sort { $0.at < $1.at }
            let next = events.first?.at ?? .seconds(Int64.max / 2)
            let answer = answers.first?.at ?? .seconds(Int64.max / 2)
            let (now, event): (Duration, TurnMachine.Event)
            if let deadline = machine.deadline, deadline < min(next, answer) {
                (now, event) = (deadline, .tick)
            } else if !answers.isEmpty, answer < next {
                (now, event) = answers.removeFirst()
            } else if let first = events.popFirst() {
                (now, event) = first
            } else {
                return
            }
            if event == .speechStarted || event == .speechResumed { resume(at: now) }
            var actions = machine.handle(event, at: now)[...]
            while let action = actions.popFirst() {
                switch action {
                case .draft(let request):
                    let text = try await reading?.words(Self.position(at: now))
                    actions += machine.handle(.draftTranscript(request: request, text: text), at: now)
                case .speculate(_, let epoch, let text):
                    guard let reading, let probability = try await reading.completeness(text) else { break }
                    answers.append((now + reading.latency, .completeness(epoch: epoch, probability: probability)))
                case .judge(let request):
                    detectorIsFree = max(now, detectorIsFree) + latency
                    let probability = try await verdict(Self.position(at: now))
                    answers.append((detectorIsFree, .verdict(request: request, probability: probability)))
                case .mark(_, let endpoint):
                    commits.append(Commit(at: endpoint.committed))
                default:
                    break
                }
            }
        }
    }

    private mutating func resume(at now: Duration) {
        guard let last = commits.indices.last, commits[last].resumed == nil else { return }
        commits[last].resumed = now
    }

    /// The samples that have arrived by then.
    private static func position(at time: Duration) -> Int {
        SampleRate.speech.samples(in: time) / HeardRecording.frame * HeardRecording.frame
    }
}
