package import Conversation
internal import Audio
package import Logging
package import Transports
package import VoiceCore

/// Plays scenarios with an agent in this process: the real conversation and its engines, told and heard as a Pipecat client would.
package struct ScriptRunner: Sendable {
    /// Something for the machine.
    private enum Input: Sendable {
        case message(String, at: Duration)
        case speech([Float], began: Duration)
        case transcript(String, began: Duration)
        case verdict(JudgeVerdict)
        case ended(VoiceError?)
        case broke(ScriptFailure.Kind, VoiceError)
        case tick
    }

    private static let step = Duration.milliseconds(10)

    private let engines: Engines
    private let configuration: ConversationConfiguration
    private let about: RTVIAbout
    private let person: PersonVoice
    private let judge: (any ScriptJudge)?
    private let limits: ScriptMachine.Limits
    private let clock: any SessionClock
    private let logger: Logger

    /// Makes a runner; it plays any number of scenarios, also side by side.
    ///
    /// - Parameters:
    ///   - engines: the agent's; its recogniser also hears the agent, where a scenario is about what it says aloud.
    ///   - configuration: how the agent behaves.
    ///   - about: what the agent calls itself.
    ///   - person: speaks for the person.
    ///   - judge: decides `eval` criteria; nil where there are none.
    package init(
        engines: Engines,
        configuration: ConversationConfiguration,
        about: RTVIAbout,
        person: PersonVoice,
        judge: (any ScriptJudge)?,
        limits: ScriptMachine.Limits = ScriptMachine.Limits(),
        clock: any SessionClock,
        logger: Logger
    ) {
        self.engines = engines
        self.configuration = configuration
        self.about = about
        self.person = person
        self.judge = judge
        self.limits = limits
        self.clock = clock
        self.logger = logger
    }

    /// Why a scenario cannot be played with this agent; nil if it can.
    package static func obstacle(_ scenario: ScriptScenario) -> String? {
        let unknown: Set<ScriptEvent.Kind> = [
            .vadUserStartedSpeaking, .vadUserStoppedSpeaking, .llmMarker, .image, .botBackchannel, .userBackchannel,
        ]
        if let event = scenario.events.first(where: unknown.contains) {
            return "the agent never tells of \(event.rawValue)"
        }
        if scenario.turns.contains(where: { $0.image != nil }) { return "the agent takes no pictures" }
        guard scenario.context.isEmpty || instructions(scenario) != nil else {
            return "'context' may be one system message; earlier turns cannot be given"
        }
        return nil
    }

    /// The one system message of a context.
    private static func instructions(_ scenario: ScriptScenario) -> String? {
        guard scenario.context.count == 1, ["system", "developer"].contains(scenario.context[0]["role"]?.text) else {
            return nil
        }
        return scenario.context[0]["content"]?.text
    }

    /// Plays a scenario once.
    ///
    /// - Throws: when a recording cannot be read, or the person's voice fails. What goes wrong with the agent is a failed result.
    package func play(_ scenario: ScriptScenario, run: Int = 1) async throws(VoiceError) -> ScriptResult {
        if let reason = Self.obstacle(scenario) {
            return .skipped(scenario.name, file: scenario.file, run: run, reason)
        }
        if !scenario.criteria.isEmpty, judge == nil {
            throw VoiceError(.usage, "\(scenario.name) has 'eval' criteria, and there is no judge")
        }
        let speech = scenario.personSpeaks ? try await person.speak(scenario) : []
        var configuration = configuration
        if let instructions = Self.instructions(scenario) { configuration.systemPrompt = instructions }
        clock.workBegan()
        defer { clock.workEnded() }
        return await play(scenario, speech, configuration, run)
    }

    private func play(
        _ scenario: ScriptScenario,
        _ speech: [[Float]],
        _ configuration: ConversationConfiguration,
        _ run: Int
    ) async -> ScriptResult {
        let inputs = Mailbox<Input>(capacity: 16_384, overflow: .refuseNewest, clock: clock)
        let voices = Mailbox<([Float], Duration)>(capacity: 64, overflow: .refuseNewest, clock: clock)
        let line = AgentLine(about: about, models: models, clock: clock) { [clock] arrival in
            switch arrival {
            case .message(let json): inputs.send(.message(json, at: clock.now))
            case .speech(let samples, let began): inputs.send(.speech(samples, began: began))
            }
        }
        let microphone = Microphone(line: line, isOpen: scenario.personSpeaks)
        var machine = ScriptMachine(scenario, limits: limits, at: clock.now)
        let conversation = Conversation(
            engines: engines,
            configuration: configuration,
            clock: clock,
            logger: logger,
            name: scenario.name
        )
        await withTaskGroup(of: Void.self) { group in
            add(to: &group) {
                do throws(VoiceError) {
                    _ = try await conversation.run(over: line)
                    inputs.send(.ended(nil))
                } catch { inputs.send(.ended(error)) }
            }
            add(to: &group) { await passTime(line, microphone) { inputs.send(.tick) } }
            add(to: &group) { await transcribe(voices) { inputs.send($0) } }
            line.call()
            var isOver = false
            while !isOver, let input = await inputs.next() {
                for action in take(input, &machine, voices) {
                    switch action {
                    case .finish: isOver = true
                    case .act(let turn): act(turn, scenario, speech, line, microphone)
                    case .ask(let question): add(to: &group) { inputs.send(await decide(question)) }
                    }
                }
            }
            line.hangUp()
            group.cancelAll()
        }
        if inputs.dropped > 0 || voices.dropped > 0 {
            _ = machine.broke(.error, "the agent sent more at once than could be looked at")
        }
        return machine.result(run: run, at: clock.now)
    }

    private var models: ModelNames {
        ModelNames(
            vad: engines.voiceActivity.name,
            turn: engines.turnDetector.name,
            asr: engines.recognizer.name,
            llm: engines.languageModel.name,
            tts: engines.synthesizer.name
        )
    }

    // MARK: - What comes

    private func take(
        _ input: Input,
        _ machine: inout ScriptMachine,
        _ voices: Mailbox<([Float], Duration)>
    ) -> [ScriptMachine.Action] {
        switch input {
        case .message(let json, let at): return JSONValue(json: json).map { machine.receive($0, at: at) } ?? []
        case .speech(let samples, let began):
            // Nobody asks what the agent said aloud.
            guard machine.hearsAgent else { return [] }
            machine.transcriptionBegan()
            voices.send((samples, began))
            return []
        case .transcript(let text, let began): return machine.transcribed(text, began: began, at: clock.now)
        case .verdict(let verdict): return machine.decided(verdict, at: clock.now)
        case .ended(nil): return machine.agentEnded(at: clock.now)
        case .ended(let error?): return machine.broke(.error, "\(error)")
        case .broke(let kind, let error): return machine.broke(kind, "\(error)")
        case .tick: return machine.tick(at: clock.now)
        }
    }

    private func act(
        _ turn: ScriptTurn,
        _ scenario: ScriptScenario,
        _ speech: [[Float]],
        _ line: AgentLine,
        _ microphone: Microphone
    ) {
        if let keys = turn.keys {
            line.tell("dtmf", ["buttons": .array(keys.map { .string(String($0)) })])
        } else if scenario.personSpeaks {
            if let index = scenario.turns.firstIndex(of: turn), index < speech.count { microphone.say(speech[index]) }
        } else if let text = turn.user {
            let options: JSONValue = ["run_immediately": true, "audio_response": .bool(scenario.agentSpeaks)]
            line.tell("send-text", ["content": .string(text), "options": options])
        }
    }

    private func decide(_ question: JudgeQuestion) async -> Input {
        do throws(VoiceError) {
            guard let judge else { throw VoiceError(.usage, "there is no judge") }
            return .verdict(try await judge.decide(question))
        } catch { return .broke(.judgeNoVerdict, error) }
    }

    // MARK: - The run's tasks

    private func add(to group: inout TaskGroup<Void>, _ body: @escaping @Sendable () async -> Void) {
        clock.workBegan()
        group.addTask { [clock] in
            await body()
            clock.workEnded()
        }
    }

    /// Tells the time, and what the microphone hears.
    private func passTime(_ line: AgentLine, _ microphone: Microphone, _ tick: @Sendable () -> Void) async {
        var next = clock.now
        while true {
            next += Self.step
            guard (try? await clock.sleep(until: next)) != nil else { return }
            microphone.hear(Self.step)
            line.tick()
            tick()
        }
    }

    /// Hears what the agent said, one piece after the other.
    private func transcribe(_ voices: Mailbox<([Float], Duration)>, _ report: @Sendable (Input) -> Void) async {
        var stream: (any RecognizerStream)?
        while let (samples, began) = await voices.next() {
            do throws(VoiceError) {
                let open: any RecognizerStream
                if let stream { open = stream } else { open = try await engines.recognizer.openStream() }
                stream = open
                _ = try await open.feed(Resampler.convert(samples, from: SampleRate(24_000), to: .speech))
                report(.transcript(try await open.finish().text, began: began))
                try await open.reset()
            } catch { report(.broke(.error, error)) }
        }
    }
}
