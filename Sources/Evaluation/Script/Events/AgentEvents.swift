package import VoiceCore

/// What the agent did, as events for expectations: a queue, a record of the turn, and who speaks.
///
/// A value. One rule runs through it, as in Pipecat 1.14 (`evals/events.py`): what the agent made before the person's latest action
/// is not the reply to it. After an action or an interruption its words are dropped until its language model begins anew.
package struct AgentEvents: Sendable {
    /// An event of the turn, and whether an expectation used it.
    private struct Logged {
        var event: ScriptEvent
        var isClaimed = false
    }

    /// The most events that are kept; a conversation of hours has fewer.
    private static let capacity = 100_000

    private let agentSpeaks: Bool
    private var queue: [ScriptEvent] = []
    private var log: [Logged] = []
    private var latest: [ScriptEvent.Kind: Duration] = [:]
    private var words = ""
    private var awaitsReply = false
    private var observes = false
    /// When the person's latest action was.
    private var sent: Duration?
    /// The agent's voice that is to be transcribed.
    private var untranscribed = 0

    /// Every event, in order.
    package private(set) var seen: [ScriptEvent] = []
    /// Whether the agent can be heard.
    package private(set) var isSpeaking = false
    /// Whether the agent has hung up.
    package private(set) var hasEnded = false

    /// - Parameter agentSpeaks: whether the agent's voice counts.
    package init(agentSpeaks: Bool) { self.agentSpeaks = agentSpeaks }

    /// Whether all that the agent said was transcribed.
    package var isTranscribed: Bool { untranscribed == 0 }
    /// How many events of the turn were looked at.
    package var position: Int { log.count }
    /// When an event of a kind came last, in any turn.
    package func time(of kind: ScriptEvent.Kind) -> Duration? { latest[kind] }

    // MARK: - What comes

    /// Takes an RTVI message of the agent. Any message is legal input; most are no event.
    package mutating func receive(_ message: JSONValue, at now: Duration) {
        guard message["label"]?.text == "rtvi-ai", let type = message["type"]?.text else { return }
        let data = message["data"] ?? .object([:])
        switch type {
        case "user-started-speaking": interrupted(.userStartedSpeaking, now)
        case "bot-interrupted": interrupted(.botInterrupted, now)
        case "user-stopped-speaking": append(.init(kind: .userStoppedSpeaking, at: now))
        case "vad-user-started-speaking": append(.init(kind: .vadUserStartedSpeaking, at: now))
        case "vad-user-stopped-speaking": append(.init(kind: .vadUserStoppedSpeaking, at: now))
        case "bot-started-speaking":
            isSpeaking = true
            if observes { (observes, awaitsReply) = (false, false) }
            append(.init(kind: .botStartedSpeaking, at: now))
        case "bot-stopped-speaking":
            isSpeaking = false
            append(.init(kind: .botStoppedSpeaking, at: now))
        case "bot-llm-started":
            awaitsReply = false
            words = ""
            append(.init(kind: .llmStarted, at: now))
        case "bot-llm-text": if !awaitsReply { words += data["text"]?.text ?? "" }
        case "bot-llm-stopped":
            if !awaitsReply { append(.init(kind: .llmResponse, at: now, text: words)) }
            words = ""
        case "bot-tts-text":
            if agentSpeaks { append(.init(kind: .ttsResponse, at: now, text: data["text"]?.text ?? "")) }
        case "user-input": heard(data, now)
        case "llm-function-call-in-progress":
            append(
                .init(
                    kind: .functionCall,
                    at: now,
                    name: data["function_name"]?.text,
                    arguments: data["arguments"]?.members ?? [:]
                )
            )
        case "llm-function-call-stopped":
            let end: JSONObject = ["tool_call_id": data["tool_call_id"], "cancelled": data["cancelled"] ?? false]
            append(
                .init(kind: .functionCallStopped, at: now, name: data["function_name"]?.text, arguments: end)
            )
        default: break
        }
    }

    private mutating func heard(_ input: JSONValue, _ now: Duration) {
        let text = input["text"]?.text ?? ""
        switch input["input_type"]?.text {
        case "transcription" where input["final"]?.flag == true:
            append(.init(kind: .userTranscription, at: now, text: text))
        case "backchannel": append(.init(kind: .userBackchannel, at: now, text: text))
        default: break
        }
    }

    /// Learns that the agent's voice is being transcribed.
    package mutating func transcriptionBegan() { untranscribed += 1 }

    /// Takes the transcript of what the agent said.
    /// - Parameter began: when the agent began to say it.
    package mutating func transcribed(_ text: String, began: Duration, at now: Duration) {
        untranscribed = max(0, untranscribed - 1)
        guard !text.trimmed.isEmpty, !awaitsReply, began >= sent ?? began else { return }
        append(.init(kind: .response, at: now, text: text))
    }

    /// Learns that the agent has hung up.
    package mutating func ended(at now: Duration) {
        hasEnded = true
        isSpeaking = false
        append(.init(kind: .botEnded, at: now))
    }

    private mutating func append(_ event: ScriptEvent) {
        latest[event.kind] = event.at
        queue.append(event)
        if seen.count < Self.capacity { seen.append(event) }
    }

    /// Ends the agent's turn: what it made so far is no reply to what comes.
    private mutating func interrupted(_ kind: ScriptEvent.Kind, _ now: Duration) {
        dropReply()
        awaitsReply = true
        isSpeaking = false
        append(.init(kind: kind, at: now))
    }

    // MARK: - Turns

    /// Begins a turn: expectations look no further back.
    package mutating func beginTurn() { log = [] }

    /// Drops what the agent made so far. What it understood stays: keys of a telephone are told of just before a turn.
    package mutating func dropReply() {
        words = ""
        queue.removeAll { $0.kind != .userTranscription }
    }

    /// Learns that the person acts.
    package mutating func personActs(at now: Duration) {
        dropReply()
        awaitsReply = true
        observes = false
        sent = now
    }

    /// Learns that a turn begins in which the person only listens: the agent's next words are its own, even without a model.
    package mutating func personListens(at now: Duration) {
        personActs(at: now)
        observes = true
    }

    // MARK: - What is looked for

    /// Uses the next event of a kind that nobody used.
    ///
    /// - Parameters:
    ///   - since: the position in the turn to look from; nil for what was not looked at yet.
    ///   - deadline: later events are left alone.
    ///   - accepts: a further condition.
    package mutating func take(
        _ kind: ScriptEvent.Kind,
        since: Int?,
        until deadline: Duration,
        where accepts: (ScriptEvent) -> Bool = { _ in true }
    ) -> ScriptEvent? {
        for index in (since ?? log.count)..<max(since ?? 0, log.count) {
            let logged = log[index]
            guard !logged.isClaimed, logged.event.kind == kind, accepts(logged.event) else { continue }
            log[index].isClaimed = true
            return logged.event
        }
        while let event = queue.first, event.at <= deadline {
            queue.removeFirst()
            let isWanted = event.kind == kind && accepts(event)
            log.append(Logged(event: event, isClaimed: isWanted))
            if isWanted { return event }
        }
        return nil
    }

    /// The events of the turn from a position on that nobody used.
    package func unclaimed(since position: Int) -> [ScriptEvent] {
        log.dropFirst(position).filter { !$0.isClaimed }.map(\.event)
    }
}
