#if canImport(FoundationEssentials)
    package import FoundationEssentials
#else
    package import Foundation
#endif
package import VoiceCore

/// The agent's side of an RTVI conversation as a value: texts, news and time in, actions out.
///
/// **Feed whatever comes, then do what is returned, in order.** Independent of the carrier: a data channel, a WebSocket. A
/// client that is not ready yet is told nothing; the latest 50 messages wait for it, older ones are dropped and counted.
package struct RTVISession: ~Copyable {
    /// What is to be done.
    package enum Action: Sendable, Equatable {
        /// Send this text to the client.
        case say(String)
        /// Something for the conversation.
        case deliver(TransportEvent)
        /// Sound from inside a message, for the conversation, if it does not come faster than time passes.
        case hear([Float], SampleRate)
        /// The client is ready: if the conversation waited for that, it may begin.
        case begin
        /// The client asks the application. Answer with ``respond(to:type:data:)`` or ``refuse(_:_:)``.
        case ask(id: String, type: String, data: JSONValue?)
        /// The client wants the session to end.
        case end
    }

    /// The most messages that wait for a client to become ready. Pipecat 1.14 keeps as many.
    private static let capacity = 50
    /// The most typed messages whose words are expected back from the conversation.
    private static let typedCapacity = 16

    private let about: RTVIAbout
    private let models: ModelNames
    private let tellsRawText: Bool
    private var version = RTVIVersion.server
    /// The id of the client's `client-ready`; nil before it.
    private var greeting: String?
    private var agentIsReady = false
    private var waiting = FIFO<RTVIServerMessage>()
    private var segments = SpokenSegments()
    private var agentSpeaks = false
    private var voiceIsBusy = false
    private var answerIsWritten = false
    private var sentence = ""
    private var typed = FIFO<String>()
    private var keypad = KeypadDigits()
    /// Jobs whose beginning was told and whose end was not.
    private var runningJobs: Set<String> = []

    /// Messages that a client who was not ready never got.
    package private(set) var dropped = 0

    /// Makes a session before anything was said.
    ///
    /// - Parameters:
    ///   - about: what clients are told of the agent.
    ///   - models: the names of the models, for measurements.
    ///   - tellsRawText: whether clients of 2.2 get what recogniser, language model and voice make, as they make it.
    package init(about: RTVIAbout, models: ModelNames, tellsRawText: Bool = false) {
        self.about = about
        self.models = models
        self.tellsRawText = tellsRawText
    }

    /// True once the client is ready and knows that the agent is.
    package var isReady: Bool { agentIsReady && greeting != nil }

    /// What the client speaks; the server's own version before it said so.
    package var clientVersion: RTVIVersion { version }

    /// True if the client said that it speaks a version that knows the frame of an interruption.
    package var knowsInterruptionFrames: Bool { greeting != nil && version >= .server }

    // MARK: - The client

    /// Takes a text of the client. Any text is legal input.
    package mutating func receive(_ text: String, at now: Duration, _ date: Date) -> [Action] {
        switch RTVIClientMessage.read(text) {
        case .foreign: return []
        case .malformed(let problem): return say([.error("Invalid RTVI transport message: \(problem)", isFatal: false)])
        case .invalid(let id, let problem): return say([.errorResponse(id: id, "Invalid message: \(problem)")])
        case .message(let id, let message): return handle(message, id, now, date)
        }
    }

    private mutating func handle(
        _ message: RTVIClientMessage,
        _ id: String,
        _ now: Duration,
        _ date: Date
    ) -> [Action] {
        switch message {
        case .ready(let version): return welcome(id, version)
        case .disconnect: return [.end]
        case .message(let type, let data): return [.ask(id: id, type: type, data: data)]
        case .text(let message): return type(message, id, date)
        case .keys(let keys): return keys.flatMap { keypad.press($0, at: now) }.map(Action.deliver)
        case .audio(let pieces, let rate): return pieces.map { .hear($0, rate) }
        case .cancelJob(let job): return [.deliver(.cancelJob(job))]
        case .functionResult(let name, let call, _, _):
            return refuse(id, "No call of \(name) with the id \(call) waits for a result")
        case .unsupported(let type): return refuse(id, "Unsupported type \(type)")
        }
    }

    /// The version rule: the same major version is served, 1.x in its own form, all others are warned and served.
    private mutating func welcome(_ id: String, _ text: String?) -> [Action] {
        let isFirst = greeting == nil
        greeting = id
        let client = text.flatMap(RTVIVersion.init)
        version = client ?? .server
        let problem: String? =
            if let client {
                client.major == RTVIVersion.server.major || client.isLegacy
                    ? nil : "RTVI version \(client) is not compatible with server protocol \(RTVIVersion.server)."
            } else if let text {
                "Invalid client version format (\(text.prefix(32)))."
            } else {
                "Client version unknown."
            }
        let warning = problem.map { refuse(id, $0 + " Compatibility issues may occur.") } ?? []
        return warning + (isFirst ? [.begin] : []) + becomeReady()
    }

    /// Tells the client that the agent is ready, when both are, and what it has missed.
    private mutating func becomeReady() -> [Action] {
        guard agentIsReady, let greeting else { return [] }
        let spoken = version.isLegacy ? version : .server
        var actions = say([.ready(id: greeting, version: spoken, about: about)])
        while let message = waiting.removeFirst() { actions += say([message]) }
        return actions
    }

    private mutating func type(_ message: TypedMessage, _ id: String, _ date: Date) -> [Action] {
        let input = RTVIServerMessage.UserInput(
            text: message.text,
            kind: .chat,
            timestamp: Self.timestamp(date),
            isFinal: true,
            message: id
        )
        let isOrdinary = message.isAnswered && message.isSpoken
        if message.isAnswered {
            typed.append(message.text)
            if typed.count > Self.typedCapacity { _ = typed.removeFirst() }
        }
        return [.deliver(isOrdinary ? .text(message.text) : .typed(message))] + tell([.userInput(input)])
    }

    /// Answers a `client-message`.
    package mutating func respond(to id: String, type: String, data: JSONValue?) -> [Action] {
        say([.response(id: id, type: type, data: data)])
    }

    /// Tells the client that a message of it was not followed.
    package mutating func refuse(_ id: String, _ reason: String) -> [Action] { say([.errorResponse(id: id, reason)]) }

    // MARK: - The agent

    /// Learns that the conversation has begun.
    package mutating func begin() -> [Action] {
        agentIsReady = true
        return becomeReady()
    }

    /// Learns that what the agent was saying is cut off.
    package mutating func interrupt() -> [Action] {
        segments.begin()
        return tell([.botInterrupted])
    }

    /// Takes the time; to be called a few times a second.
    package mutating func tick(at now: Duration) -> [Action] { keypad.tick(at: now).map(Action.deliver) }

    /// Sends a message of the application, or one that no news of the conversation causes.
    package mutating func send(_ message: RTVIServerMessage) -> [Action] { tell([message]) }

    /// Takes news of the conversation.
    package mutating func handle(_ event: SessionEvent, at date: Date) -> [Action] {
        switch event {
        case .userSpeaking(let speaks): return tell([.userSpeaking(speaks)])
        case .agentSpeaking(let speaks):
            agentSpeaks = speaks
            return tell([.botSpeaking(speaks)] + (speaks ? segments.show(isSpoken: true).map { .botOutput($0) } : []))
        case .userTranscript(_, let text, let isFinal): return tell(transcript(text, isFinal, date))
        case .agentTranscript(_, let heard, _, let isFinal, let interrupted):
            // What was only written was told already, and after `bot-interrupted` nothing is told of what was cut.
            let messages = answerIsWritten || interrupted ? [] : hear(heard)
            if isFinal { segments.begin() }
            return tell(messages)
        case .reply(_, let step): return tell(handle(step))
        case .turnReport(let report): return tell(RTVIMetrics.messages(of: report, models))
        case .turnDropped: return []
        case .job(let report): return tell(news(of: report, date))
        case .handedOver(let agent):
            return tell([.message(["type": "agent-handed-over", "agent": .string(agent)])])
        case .error(_, let message): return tell([.error(message, isFatal: false)])
        }
    }

    /// A job is a group of one, whose worker is the tool.
    private mutating func news(of report: JobReport, _ date: Date) -> [RTVIServerMessage] {
        let (id, tool) = (JSONValue.string(report.id), JSONValue.string(report.tool))
        let at = JSONValue.number((date.timeIntervalSince1970 * 1000).rounded())
        let text: JSONValue? = report.text.isEmpty ? nil : JSONValue(json: report.text) ?? .string(report.text)
        var messages: [RTVIServerMessage] = []
        if runningJobs.insert(report.id).inserted {
            messages.append(
                .uiJobGroup(
                    [
                        "kind": "group_started", "job_id": id, "workers": .array([tool]), "label": tool,
                        "cancellable": true, "at": at,
                    ]
                )
            )
        }
        guard report.status == .running else {
            runningJobs.remove(report.id)
            let status = JSONValue.string(report.status.rawValue)
            return messages + [
                .uiJobGroup(
                    [
                        "kind": "job_completed", "job_id": id, "worker_name": tool, "status": status, "response": text,
                        "at": at,
                    ]
                ),
                .uiJobGroup(["kind": "group_completed", "job_id": id, "at": at]),
            ]
        }
        guard report.sequence > 0 else { return messages }
        let update: JSONValue = ["kind": "job_update", "job_id": id, "worker_name": tool, "data": text, "at": at]
        return messages + [.uiJobGroup(update)]
    }

    private mutating func transcript(_ text: String, _ isFinal: Bool, _ date: Date) -> [RTVIServerMessage] {
        let question: [RTVIServerMessage] = isFinal ? [.userLLMText(text)] : []
        // What was typed is no transcription, and was told already.
        if isFinal, let words = typed.first, text == words || text.hasSuffix(" " + words) {
            _ = typed.removeFirst()
            return question
        }
        let input = RTVIServerMessage.UserInput(text: text, timestamp: Self.timestamp(date), isFinal: isFinal)
        let raw: [RTVIServerMessage] = tellsRawText ? [.raw(.recognised(input))] : []
        return [.userInput(input)] + raw + [.userTranscription(input)] + question
    }

    private mutating func hear(_ heard: String) -> [RTVIServerMessage] {
        let (outputs, words) = segments.hear(heard)
        guard !words.isEmpty else { return [] }
        let raw: [RTVIServerMessage] = tellsRawText ? [.raw(.spoken(words))] : []
        guard version.isLegacy else { return outputs.map { .botOutput($0) } + raw + [.botTTSText(words)] }
        let output = RTVIServerMessage.BotOutput(
            text: words,
            segment: 0,
            isSpoken: true,
            status: .completed,
            heard: words
        )
        return [.botOutput(output), .botTTSText(words)]
    }

    private mutating func handle(_ step: ReplyStage) -> [RTVIServerMessage] {
        switch step {
        case .modelBegan:
            segments.begin()
            sentence = ""
            answerIsWritten = false
            return [.botLLM(isBusy: true)]
        case .text(let text):
            sentence += text
            return (tellsRawText ? [.raw(.generated(text))] : []) + [.botLLMText(text)]
        case .modelEnded: return [.botLLM(isBusy: false)]
        case .clause(let clause, let isSpoken):
            segments.add(clause)
            answerIsWritten = !isSpoken
            let shown = agentSpeaks || !isSpoken ? segments.show(isSpoken: isSpoken) : []
            let spoken = sentence.trimmed
            sentence = ""
            return (spoken.isEmpty ? [] : [.botTranscription(spoken)]) + voice(isSpoken: isSpoken)
                + shown.map { .botOutput($0) }
        case .voiceEnded:
            voiceIsBusy = false
            return [.botTTS(isBusy: false)]
        // Names, arguments and results may be nobody's business: as in Pipecat, a client gets the identifier alone.
        case .toolBegan(let call):
            let (name, arguments) = tellsRawText ? (call.name, JSONValue.object(call.arguments)) : (nil, nil)
            return [.functionStarted(name: name), .functionInProgress(call: call.id, name: name, arguments: arguments)]
        case .toolEnded(let call, let outcome):
            let (name, result) = tellsRawText ? (call.name, JSONValue.string(outcome.text)) : (nil, nil)
            return [.functionStopped(call: call.id, isCancelled: false, name: name, result: result)]
        }
    }

    private mutating func voice(isSpoken: Bool) -> [RTVIServerMessage] {
        guard isSpoken, !voiceIsBusy else { return [] }
        voiceIsBusy = true
        return [.botTTS(isBusy: true)]
    }

    // MARK: - Saying

    /// Says something once the client is ready; until then the latest messages wait.
    private mutating func tell(_ messages: [RTVIServerMessage]) -> [Action] {
        guard isReady else {
            for message in messages { waiting.append(message) }
            while waiting.count > Self.capacity {
                _ = waiting.removeFirst()
                dropped += 1
            }
            return []
        }
        return say(messages)
    }

    /// Says something now, in the client's version.
    private func say(_ messages: [RTVIServerMessage]) -> [Action] {
        messages.compactMap { $0.json(for: version).map(Action.say) }
    }

    private static func timestamp(_ date: Date) -> String {
        date.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    }
}
